"""Hostile strings in every text of a run, and what no output may do with them.

The checks know nothing of how outputs are made safe: they look at bytes, cells and tags alone.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector import tables
from detector.reports.case import case_file
from detector.reports.exports.registry import EXPORTS, write_export
from detector.reports.loading import load_results
from detector.reports.publish import write_results
from detector.reports.terminal import explain, summary
from detector.results import Results

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "torture" / "dev" / "strings"

#: A few of each kind, so that the promises are tested where the corpus is not there.
OWN = (
    *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\xa0=1", "\u200b=1", "\ufeff=1", "\0=1", "'=1"),
    *("\uff1d1", "\uff0b1", "\uff20a", "|calc", "%0a=1", '"=1', '","=1', '=cmd|"/c calc"!A0', '=HYPERLINK("x","y")'),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "javascript:alert(1)"),
    *("</style><b>", "</title><i>", "<!--", "-->", "]]>", "{{7*7}}", "{% raw %}", "&lt;b&gt;", "https://example.org/"),
    *("\x1b[2J", "\x1b]8;;http://x\x07y\x1b]8;;\x07", "\x9b31m", "\x07", "\x08\x08ok", "a\nb", "a\r\nb", "\x7f"),
    *("\x85", "\u2028x", "\u2029x", "\u202eabc", "\u2066x\u2069", "\u200d", "\ufe0f", "\u3164", "\U000e0041"),
    *("../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "con", "a/b", "~/x", "$(touch PWNED_1)"),
    *("`touch PWNED_2`", "; touch PWNED_3", "%s%n", "null", "None", "NA", "nan", "true", "0", "1e999", "\\x1b"),
    *("p\u0430y", "pay", "[red]x[/red]", "`` ` ``", "| a | b |", "# x", "[a](javascript:b)", "![a](http://x)"),
    *("CEF:0|a|b|c|d|e|9|act=x", " act=blocked", "x" * 5000),
)

#: What starts a formula in some spreadsheet: OWASP's list, DDE marks, full-width forms.
_TRIGGERS = "=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20\u2212"
#: What spreadsheets and people pass over at the start of a cell.
_SKIPPED = " \xa0\u200b\u200c\u200d\u2060\ufeff\0\u3000\u2800\u3164"
#: Controls, line separators, marks that turn the direction of text, and what is drawn as nothing.
_MOVES = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_VOID = frozenset({"meta", "br", "hr", "img", "input", "link", "path", "rect"})
_ACTIVE = re.compile(r"<script|<iframe|<object|<embed|<base|https?://", re.I)
_LOADS = re.compile(r"url\(|@import|expression\(", re.I)


def corpus_strings() -> list[str]:
    """Give every string of the corpus once, as UTF-8 can hold it."""
    found: set[str] = set()
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            value = json.loads(line) if line else None
            if isinstance(value, str):
                found.add(value.encode("utf-8", "replace").decode())
    return sorted(found - {""})


def look_alikes() -> list[list[str]]:
    """Give the corpus's groups of letters that look the same."""
    lines = (CORPUS / "homoglyph_groups.jsonl").read_text(encoding="utf-8").split("\n")
    return [[chr(int(point, 16)) for point in json.loads(line).split(",")] for line in lines if line]


# What no output may hold.


def moves_the_reader(text: str) -> list[str]:
    """Give what of a text would move a cursor, turn its direction or hide."""
    return sorted(set(_MOVES.findall(text)))


def formula_cells(text: str, numeric: Iterable[str]) -> list[str]:
    """Give the cells of a CSV that a spreadsheet could take for a formula; negative numbers are none."""
    rows = csv.reader(io.StringIO(text, newline=""))
    header, numbers = next(rows), frozenset(numeric)
    found = []
    for row in rows:
        assert len(row) == len(header), row
        for name, cell in zip(header, row, strict=True):
            if name in numbers:
                float(cell or "0")
            elif cell.strip(_SKIPPED).startswith(tuple(_TRIGGERS)) or cell.startswith(tuple(_TRIGGERS)):
                found.append(cell)
    return found


class _Shape(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, ...]] = []
        self.open: list[str] = []
        self.styles: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, *(name for name, _ in attrs)))
        self.styles += [value or "" for name, value in attrs if name == "style"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def _parsed(page: str) -> _Shape:
    parser = _Shape()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def page_shape(page: str) -> list[tuple[str, ...]]:
    """Give the tags of a page with the names of their attributes, in order; all are closed."""
    return _parsed(page).shape


def active_content(page: str) -> list[str]:
    """Give what of a page could run, load or lead elsewhere."""
    parsed = _parsed(page)
    names = {name for tag in parsed.shape for name in tag[1:]}
    handlers = sorted(name for name in names if name.startswith("on") or name in ("src", "srcset", "srcdoc", "action"))
    policy = [] if "default-src 'none'" in page else ["no content security policy"]
    return handlers + _ACTIVE.findall(page) + _LOADS.findall(" ".join(parsed.styles)) + policy


def snapshot(folder: Path) -> dict[str, str]:
    """Give every path below a folder with a digest of what it holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


# Results of which every text is hostile.

_AT = datetime(2026, 11, 1, tzinfo=UTC)
_FILLED: dict[Any, Callable[[int], Any]] = {
    pa.int64(): lambda place: place + 1,
    pa.float64(): lambda place: -1.5 - place,
    pa.bool_(): lambda place: True,
    tables.INSTANT: lambda place: _AT,
}


def _rows(schema: pa.Schema, texts: Sequence[str], **fixed: Any) -> pa.Table:
    """Fill a table: every column of texts with them, in the order given, the others with numbers."""
    columns = []
    for field in schema:
        if field.name in fixed:
            values = [fixed[field.name](place) for place in range(len(texts))]
        elif field.type == pa.string():
            values = list(texts)
        else:
            values = [_FILLED[field.type](place) for place in range(len(texts))]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _run(texts: Sequence[str]) -> dict[str, Any]:
    one = texts[0]
    return {
        "stillwatch": one,
        "command": [*texts],
        "settings": {"policy": {"family_support": 1.0, "revoke_events": 50}},
        "settings_digest": one,
        "versions": {text: text for text in texts},
        "inputs": [{"file": text, "sha256": text, "n_bytes": 1} for text in texts],
        "format": {"name": one, "reason": one},
        "evidence_level": 2,
        "off": [{"what": text, "why": text} for text in texts],
        "counts": {"n_rows": 9, "n_read": 9, "n_rejected": 0, "n_accounts": len(texts), "n_flagged": len(texts)},
        "threshold": -9e9,
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-04T00:00:00Z"},
        "model": {"name": one, "sha256": one},
    }


def results_of(texts: Sequence[str]) -> Results:
    """Give results in which each text is an account, a cluster, a thing, a reason, a file, a unit: all that is text."""
    prior = _rows(tables.EVIDENCE, texts, family=lambda _: "", feature=lambda _: "prior", contribution=lambda _: -1.0)
    actions = {
        "action": lambda place: tables.ACTIONS[1 + place % 3],
        "p_value": lambda _: 0.01,
        "e_value": lambda _: 9.0,
    }
    share = {"percentile": lambda _: 0.5, "usual_low": lambda _: None}
    return Results(
        scored=_rows(tables.SCORED, texts, held_back=lambda _: "hiding", **actions),
        clusters=_rows(tables.CLUSTERS, texts),
        evidence=pa.concat_tables([prior, _rows(tables.EVIDENCE, texts, **share)]),
        links=_rows(tables.LINKS, texts),
        timeline=_rows(tables.TIMELINE, texts[:1], width_s=lambda _: 3600),
        rejected=_rows(tables.REJECTED, texts),
        excerpts=_rows(tables.EXCERPTS, texts),
        lookalikes=_rows(tables.LOOKALIKES, texts, distance=lambda _: 1.0),
        run=_run(texts),
    )


# All outputs of such results, looked at.


def bites(texts: Sequence[str], folder: Path) -> list[str]:
    """Write all that is written of results whose every text is hostile; say what bites, which should be nothing.

    Parameters
    ----------
    texts: distinct and not empty.
    folder: empty; holds the outputs afterwards.
    """
    results, plain = results_of(texts), results_of([f"plain-{place:05d}" for place in range(len(texts))])
    for name, some in (("hostile", results), ("control", plain)):
        write_results(some, folder / name, report_accounts=len(texts))
    found = [*_of_page(folder), *scored_bites(folder / "hostile")]
    if load_results(folder / "hostile") != results:
        found.append("what was written is not what is read back")
    found += [text for name in EXPORTS for text in _of_export(results, name, folder / name, len(texts))]
    found += [f"summary: {one!r}" for one in moves_the_reader(summary(results))]
    for text in texts:
        told = explain(results, text, width=90) + case_file(results, text)
        found += [f"explain {text[:40]!r}: {one!r}" for one in moves_the_reader(told)]
    return found + left_marks(folder)


def _of_page(folder: Path) -> list[str]:
    pages = [(folder / name / "report.html").read_text(encoding="utf-8") for name in ("hostile", "control")]
    return (
        [] if page_shape(pages[0]) == page_shape(pages[1]) else ["report.html: its tags are not those of plain names"]
    )


def scored_bites(folder: Path) -> list[str]:
    """Say what bites in a scored folder."""
    found = []
    for name, schema in (("accounts.csv", tables.SCORED), ("rejected.csv", tables.REJECTED)):
        numeric = [field.name for field in schema if field.type in (pa.float64(), pa.int64())]
        text = (folder / name).read_bytes().decode("utf-8")
        found += [f"{name}: formula {cell[:40]!r}" for cell in formula_cells(text, numeric)]
    for path in sorted(folder.iterdir()):
        if path.suffix != ".parquet":
            found += [f"{path.name}: {one!r}" for one in moves_the_reader(path.read_bytes().decode("utf-8"))]
    page = (folder / "report.html").read_text(encoding="utf-8")
    return found + [f"report.html: {one}" for one in active_content(page)]


def _of_export(results: Results, name: str, out: Path, n_lines: int) -> list[str]:
    write_export(results, name, out, least="none")
    text = out.read_bytes().decode("utf-8")
    moved = [f"{name}: {one!r}" for one in moves_the_reader(text)]
    return moved if text.count("\n") == n_lines == len(text.splitlines()) else [*moved, f"{name}: not a line a finding"]


def left_marks(folder: Path) -> list[str]:
    """Say which canaries a string left behind by being run."""
    return [f"{path}: something of the log was run" for path in (*folder.rglob("PWNED_*"), *Path().glob("PWNED_*"))]
