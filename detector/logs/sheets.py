"""Presets and opened logs described in plain text. No row of a log is shown."""

from typing import TYPE_CHECKING

from detector.logs.formats import list_formats, load_format
from detector.logs.presets import Format
from detector.tables import EVENTS, REQUIRED

if TYPE_CHECKING:
    from detector.engines.log import Log

_LEVELS = (
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
    lines += ["", f"  time zone of naive timestamps: {form.timezone or 'none, they are refused'}"]
    lines += [f"  beware, {trap.when}: {trap.says}" for trap in form.traps]
    return "\n".join(lines)


def check_text(log: "Log") -> str:
    """Describe how an opened log is read: preset, coverage of each column in its first rows, evidence level."""
    coverage = log.coverage()
    level = log.evidence_level
    lines = [f"format: {log.format_name} ({log.format_reason})"]
    lines += [f"file: {file.name} ({file.n_bytes:,} bytes)" for file in log.files]
    lines += [f"evidence level: {level} ({_LEVELS[level]})", "", "column               filled in the first rows"]
    for column in EVENTS.names:
        if column in coverage:
            lines.append(f"{column:<20} {coverage[column]:>7.1%}" + ("  required" if column in REQUIRED else ""))
    absent = [column for column in EVENTS.names if column not in log.columns]
    return "\n".join([*lines, "", "not in this log: " + (", ".join(absent) or "nothing")])
