"""Presets and opened logs described in plain text. Of a log a few rows are shown, redacted."""

from typing import TYPE_CHECKING

from detector.logs.formats import list_formats, load_format
from detector.logs.identity import COLUMN_OF
from detector.logs.inspection import redacted, traps_of, what_is_off
from detector.logs.presets import Format
from detector.settings import RUNGS
from detector.tables import EVENTS, REQUIRED

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.engines.log import Log
    from detector.engines.tallies import Tally

#: Kind of a part as words before its path.
_PARTS = {
    "json": "the document in",
    "rows": "each element of",
    "pairs": "the keys and values of",
    "messages": "the numbered messages in",
}
#: Rows of a log that are shown.
_SHOWN = 3

LEVELS = (
    "counts per bucket",
    "a row per request",
    "requests with network identity",
    "requests with prompts",
    "requests with prompts and completions",
)


def list_text() -> str:
    """List the presets, a line each."""
    return "\n".join(f"{name:<18} {load_format(name).title}" for name in list_formats())


def _sources(form: Format, column: str) -> str:
    candidates = form.columns[column]
    return " or ".join(
        " + ".join(c.path) + (f" ({c.reader.replace('_', ' ')})" if c.reader else "") for c in candidates
    )


def _rung_sources(form: Format, rung: str) -> str:
    """Say where a key, user, team, organisation or payment is; nothing where the format has no place for it."""
    named = {str(name): places for name, places in form.identity.items()}
    places = named.get(rung) or form.columns.get(COLUMN_OF.get(rung, ""), [])
    return " or ".join(place.path[0] for place in places)


def show_text(name: str) -> str:
    """Describe a preset: where each canonical column comes from, and what to beware of.

    Raises
    ------
    UnknownFormatError
        No preset has this name.
    """
    form = load_format(name)
    width = max((len(c) for c in form.columns), default=0)
    lines = [
        f"{form.name}: {form.title}",
        form.description,
        *([f"refused: {form.refusal}"] if form.refusal else []),
        "",
    ]
    lines += [f"  {column:<{width}}  {_sources(form, column)}" for column in EVENTS.names if column in form.columns]
    lines += [f"  account by {rung}: {found}" for rung in RUNGS if (found := _rung_sources(form, rung))]
    lines += ["", *(f"  where {part.name} is {_PARTS[part.kind]} {' or '.join(part.path)}" for part in form.parts)]
    if form.keep:
        lines.append(f"  requests are rows whose {' or '.join(form.keep.path)} is one of {', '.join(form.keep.values)}")
    lines += ["", f"  time zone of naive timestamps: {form.timezone or 'none, they are refused'}"]
    lines += [f"  beware, {trap.when}: {trap.says}" for trap in form.traps]
    return "\n".join(lines)


def check_text(log: "Log") -> str:
    """Describe how an opened log is read, by its first rows: what it holds, what that allows, what misleads."""
    rows, tally = log.first_rows()
    level = log.evidence_level
    lines = [f"format: {log.format_name} ({log.format_reason})"]
    lines += [f"file: {file.name} ({file.n_bytes:,} bytes)" for file in log.files]
    lines += [f"evidence level: {level} ({LEVELS[level]})", ""]
    lines += [f"{'column':<20} filled   the first rows, redacted", *(_column_line(rows, name) for name in log.columns)]
    absent = [name for name in EVENTS.names if name not in log.columns]
    filled = [name for name in log.columns if rows.column(name).null_count < rows.num_rows]
    lines += ["", "not in this log: " + (", ".join(absent) or "nothing"), *what_is_off(filled)]
    return "\n".join([*lines, *_warnings(log, rows, tally)])


def _column_line(rows: "pa.Table", name: str) -> str:
    column = rows.column(name)
    share = 1 - column.null_count / rows.num_rows if rows.num_rows else 0.0
    shown = " | ".join(redacted(name, value) for value in column.slice(0, _SHOWN).to_pylist())
    return f"{name:<20} {share:>6.1%}   {shown}"


def _warnings(log: "Log", rows: "pa.Table", tally: "Tally") -> list[str]:
    has_cap = any(trap.if_rows for trap in log.format.traps)
    found = traps_of(log.format, rows, log.count() if has_cap else 0)
    lines = [f"beware, {trap.when}: {trap.says}" for trap in found]
    if tally.n_truncated:
        lines.append(
            f"beware, texts are cut: the gateway left out the middle in {tally.n_truncated:,} of the first rows."
        )
    if tally.rejected:
        line, reason = tally.rejected[0]
        lines.append(f"beware, {len(tally.rejected):,} of the first rows cannot be read: line {line}: {reason}")
    return lines


def markdown_text() -> str:
    """Write the presets as a Markdown page: a table of what they carry, then what to beware of in each."""
    forms = [load_format(name) for name in list_formats()]
    rows = [_markdown_row(form) for form in forms]
    head = ["| format | of | level | carries | told by |", "|---|---|---|---|---|"]
    traps = [line for form in forms if form.traps for line in _trap_lines(form)]
    return "\n".join([*head, *rows, *traps]) + "\n"


def _markdown_row(form: Format) -> str:
    carried = ", ".join(name for name in EVENTS.names if name in form.columns and name not in REQUIRED)
    told = "its lines" if form.lines else ", ".join(f"`{name}`" for name in form.detect)
    level = "refused" if form.refusal else f"L{form.evidence_level}"
    return f"| {form.name} | {form.title} | {level} | {carried or '-'} | {told} |"


def _trap_lines(form: Format) -> list[str]:
    refused = [f"- Refused: {form.refusal}."] if form.refusal else []
    told = [f"- {trap.when[0].upper()}{trap.when[1:]}: {trap.says}" for trap in form.traps]
    return ["", f"### {form.name}", "", form.description, "", *refused, *told]
