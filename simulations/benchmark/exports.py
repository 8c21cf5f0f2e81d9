"""What other tools read: JUnit XML, Markdown for a step summary, Bencher metric format. Made from the record alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from detector.reports.safe import safe_text
from simulations.benchmark.suite import ALL

#: Bytes that a step summary may hold on GitHub (1 MiB, docs.github.com, "Workflow commands"), less room for others'.
MOST_BYTES = 900_000
#: Metrics that a summary has columns for.
SHOWN = ("recall_at_fpr_0.001", "recall_flagged", "precision_at_capacity", "false_positives_per_10000",
         "leaked_before_flag")  # fmt: skip
_CUT = "\n\nCut here: benchmark.json has all.\n"

Record = Mapping[str, Any]


def junit(record: Record) -> str:
    """Write a test case per row: a failed row is an error, what the gate holds against it a failure.

    Findings about the run rather than a row are cases of the suite `gate`.
    """
    root = ElementTree.Element("testsuites", name=f"stillwatch {record['suite']['name']}")
    against = [one for one in record["gate"]["findings"] if one["fails"]]
    scenarios = list(dict.fromkeys(row["scenario"] for row in record["rows"]))
    for scenario in scenarios:
        suite = ElementTree.SubElement(root, "testsuite", name=scenario)
        for row in record["rows"]:
            if row["scenario"] == scenario:
                _case(suite, row, against)
        _count(suite)
    run_wide = [one for one in against if one["detector"] is None]
    suite = ElementTree.SubElement(root, "testsuite", name="gate")
    case = ElementTree.SubElement(suite, "testcase", name="the run", classname="gate")
    for one in run_wide:
        ElementTree.SubElement(case, "failure", message=safe_text(one["text"]), type=one["kind"])
    _count(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, row: Record, against: Sequence[Record]) -> None:
    name = f"{row['detector']} at level {row['level']}"
    case = ElementTree.SubElement(suite, "testcase", name=name, classname=row["scenario"])
    if row["status"] == "excluded":
        ElementTree.SubElement(case, "skipped", message=safe_text(row["reason"]))
    elif row["status"] == "failed" and row["scenario"] != ALL:
        known = not any(_is_of(one, row) and one["kind"] == "error" for one in against)
        kind = "skipped" if known else "error"
        ElementTree.SubElement(case, kind, message=safe_text(row["reason"]))
    for one in against:
        if _is_of(one, row) and one["kind"] != "error":
            ElementTree.SubElement(case, "failure", message=safe_text(one["text"]), type=one["kind"])


def _is_of(finding: Record, row: Record) -> bool:
    return all(finding[key] == row[key] for key in ("scenario", "level", "detector"))


def _count(suite: ElementTree.Element) -> None:
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        holders = suite if tag == "testcase" else [case for case in suite if case.find(tag) is not None]
        suite.set(attribute, str(len(list(holders))))


def bencher(record: Record) -> str:
    """Write Bencher's metric format: benchmark -> measure -> value and bounds."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in record["rows"]:
        for metric, one in row["figures"].items():
            name = f"{row['scenario']}/level {row['level']}/{row['detector']}"
            bounds = {"value": one["value"], "lower_value": one["low"], "upper_value": one["high"]}
            found.setdefault(name, {})[metric] = bounds
    return json.dumps(found, indent=1, allow_nan=False) + "\n"


def markdown(record: Record) -> str:
    """Write a summary of at most `MOST_BYTES`: the verdict, what the gate holds against the run, a table."""
    text = "\n".join(_lines(record)) + "\n"
    if len(text.encode()) <= MOST_BYTES:
        return text
    kept = text.encode()[: MOST_BYTES - len(_CUT.encode())].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + _CUT


def _lines(record: Record) -> Iterator[str]:
    gate, suite = record["gate"], record["suite"]
    against = [one for one in gate["findings"] if one["fails"]]
    beside = "against the baseline" if gate["has_baseline"] else "without a baseline"
    verdict = "passed" if gate["passed"] else f"failed, {len(against)} findings"
    yield f"## Stillwatch benchmark `{suite['name']}` {beside}: {verdict}"
    yield ""
    yield from (f"- **{one['kind']}** {_place(one)}{_cell(one['text'])}" for one in gate["findings"])
    yield ""
    yield from table(record)
    yield ""
    yield f"95 % intervals resample campaigns and honest accounts. Digest `{record['digest'][:16]}`."


def table(record: Record, level: int | None = None) -> Iterator[str]:
    """Write the rows over all scenarios as a Markdown table, best first: of one evidence level, or of all."""
    whole = [row for row in record["rows"] if row["scenario"] == ALL] or record["rows"]
    whole = [row for row in whole if level in (None, row["level"])]
    shown = [name for name in SHOWN if any(name in row["figures"] for row in whole)]
    yield "| detector | level | " + " | ".join(shown) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for row in sorted(whole, key=lambda row: (-row["level"], -_leading(row), row["detector"])):
        cells = [_with_interval(row["figures"].get(name)) for name in shown]
        cells = cells if row["status"] != "failed" else [_cell(row["reason"]), *[""] * (len(shown) - 1)]
        if any(cells):
            yield f"| {_cell(row['detector'])} | {row['level']} | " + " | ".join(cells) + " |"


def _leading(row: Record) -> float:
    return float(row["figures"].get(SHOWN[0], {"value": -1.0})["value"])


def _place(finding: Record) -> str:
    if finding["detector"] is None:
        return ""
    return f"{finding['scenario']}, level {finding['level']}, {_cell(finding['detector'])}: "


def _cell(text: str | None) -> str:
    visible = safe_text(text or "")
    return "".join(f"\\{letter}" if letter in "|`*_<>[]\\" else letter for letter in visible)


def _with_interval(one: Record | None) -> str:
    return "" if one is None else f"{one['value']:.3g} [{one['low']:.3g}, {one['high']:.3g}]"
