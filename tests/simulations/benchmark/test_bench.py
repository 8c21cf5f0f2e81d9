"""A benchmark end to end: rows, failures, outputs, the gate, exit codes."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from detector.errors import ConfigError, GateError, InputUnreadableError, UsageError
from simulations.benchmark.bench import Outcome, accept, lines, write
from simulations.benchmark.exports import MOST_BYTES, bencher, junit, markdown
from simulations.benchmark.gate import baseline_text, read_baseline
from simulations.benchmark.leaderboard import leaderboard
from simulations.benchmark.publish import publish
from simulations.benchmark.record import SCHEMA, json_lines
from simulations.cli import register
from tests.simulations.benchmark.conftest import Bench

RUN = CliRunner()
BAD = {
    "Strangers": "scores of the wrong accounts: ",
    "Blank": "scores are not finite numbers",
    "Flat": "it gives every account the same score",
    "Loud": "it raises KeyError",
}


@pytest.fixture
def baseline(outcome: Outcome, tmp_path: Path) -> Path:
    """The outcome as a baseline."""
    accept(outcome.baseline, tmp_path / "baseline.json")
    return tmp_path / "baseline.json"


def rows_of(outcome: Outcome, detector: str) -> list[dict]:
    """Rows of one detector."""
    return [row for row in outcome.record["rows"] if row["detector"] == detector]


def test_every_row_is_there(outcome: Outcome) -> None:
    """Each detector has a row for each scenario, level and all of them; what is left out says why."""
    rows = [row for row in outcome.record["rows"] if row["detector"] != "linkage"]
    assert len(rows) == 2 * 2 * 3 == len({(r["scenario"], r["level"], r["detector"]) for r in rows})
    assert {row["status"] for row in rows_of(outcome, "mine")} == {"measured"}
    left_out = [row for row in rows_of(outcome, "glasswally") if row["level"] == 1]
    assert {row["reason"] for row in left_out} == {"it would say little of such logs"}
    assert not outcome.has_failed


def test_a_detector_by_volume_finds_the_loud(outcome: Outcome) -> None:
    """Figures of the user's detector: bulk harvests ask most, nobody harvests in the quiet scenario."""
    loud, quiet = (row for row in rows_of(outcome, "mine") if row["level"] == 3 and row["scenario"] != "all")
    assert loud["figures"]["precision_at_capacity"]["value"] == 1.0
    assert 0 <= loud["figures"]["leaked_before_flag"]["value"] <= 1
    assert quiet["refused"]["recall_flagged"] == "no campaign is in it"
    assert set(quiet["figures"]) == {"false_positives_per_10000", "fpr_over_budget"}
    for row in outcome.record["rows"]:
        for figure in row["figures"].values():
            assert figure["low"] <= figure["value"] + 1e-9 and figure["value"] <= figure["high"] + 1e-9


def test_two_runs_differ_in_nothing_but_timings(outcome: Outcome, bench: Bench, suite_folder: Path) -> None:
    """A run from an empty cache writes the same record and the same baseline; one from the cache works nothing anew."""
    before = set((suite_folder / "cache").rglob("*.parquet"))
    again = bench()
    assert set((suite_folder / "cache").rglob("*.parquet")) == before
    for place in (suite_folder / "cache" / "scores").iterdir():
        place.unlink()
    fresh = bench()
    assert json_lines(again.record) == json_lines(outcome.record) == json_lines(fresh.record)
    assert baseline_text(fresh.baseline) == baseline_text(outcome.baseline)


def test_bad_detectors_fail_their_rows(bench: Bench) -> None:
    """Wrong accounts, no numbers, a constant or an error fail each row with the reason, and cost nobody else's."""
    found = bench(detectors=tuple(BAD))
    for name, reason in BAD.items():
        rows = rows_of(found, f"tests.simulations.benchmark.brought:{name}")
        assert {row["status"] for row in rows} == {"failed"} and not any(row["figures"] for row in rows)
        assert all(reason in row["reason"] for row in rows)
    assert "secret" not in json_lines(found.record)
    assert {row["status"] for row in rows_of(found, "mine")} == {"measured"}
    assert found.has_failed


def test_the_gate_catches_a_worse_detector(bench: Bench, baseline: Path) -> None:
    """The same detector passes; one that misses the loudest fails, and says at what."""
    assert not bench(baseline=baseline).has_failed
    worse = 'detectors=[{id="glasswally", name="glasswally"}, {id="mine", object="%s", parameters={missed=0.15}}]'
    found = bench(worse % "tests.simulations.benchmark.brought:Fast", baseline=baseline)
    against = [one for one in found.findings if one.fails]
    assert {one.kind for one in against} == {"worse"} and {one.row[2] for one in against if one.row} == {"mine"}
    assert "precision_at_capacity" in {one.metric for one in against}


def test_the_gate_catches_what_is_gone_and_what_is_new(bench: Bench, outcome: Outcome, baseline: Path) -> None:
    """A missing scenario, a missing detector, a changed log, a new error and a broken floor fail, whatever else."""
    kinds = {one.kind for one in bench('scenarios=["loud@1"]', baseline=baseline).findings if one.fails}
    assert "missing" in kinds
    only = 'detectors=[{id="mine", object="tests.simulations.benchmark.brought:Fast"}]'
    gone = [one for one in bench(only, baseline=baseline).findings if one.fails]
    assert {one.row[2] for one in gone if one.row} == {"glasswally"}
    changed = outcome.baseline.model_copy(update={"workloads": {**outcome.baseline.workloads, "loud@1/1": "0" * 64}})
    accept(changed, baseline)
    assert "workload" in {one.kind for one in bench(baseline=baseline).findings if one.fails}
    accept(outcome.baseline, baseline)
    assert "error" in {one.kind for one in bench(detectors=("Flat",), baseline=baseline).findings if one.fails}
    floor = 'floors=[{detector="mine", metric="recall_flagged", level=3, value=0.99}]'
    assert "floor" in {one.kind for one in bench(floor).findings if one.fails}


def test_a_failure_that_the_baseline_knows_passes(bench: Bench, tmp_path: Path) -> None:
    """What failed before and fails now is told and does not fail the gate."""
    accept(bench(detectors=("Flat",)).baseline, tmp_path / "known.json")
    found = bench(detectors=("Flat",), baseline=tmp_path / "known.json")
    assert not found.has_failed and {one.kind for one in found.findings} == {"error"}


def test_a_baseline_of_another_suite_is_refused(bench: Bench, baseline: Path, tmp_path: Path) -> None:
    """Another version or budget is a usage error that says what differs; what is no baseline is no data."""
    with pytest.raises(ConfigError, match="version is 3 there and 4 here"):
        bench("version=4", baseline=baseline)
    with pytest.raises(ConfigError, match="budget, fdr or capacity differs"):
        bench("budget=0.1", baseline=baseline)
    (tmp_path / "no.json").write_text('{"form": "other"}', encoding="utf-8")
    for path in (tmp_path / "no.json", tmp_path / "absent.json"):
        with pytest.raises(InputUnreadableError, match="make one with --accept"):
            bench(baseline=path)
    assert read_baseline(baseline).suite == "small"


def test_outputs_say_the_same(bench: Bench, tmp_path: Path) -> None:
    """JUnit counts failures, Markdown names them, Bencher has every figure, the page holds no script and no address."""
    found = bench(detectors=("Flat",))
    write(found, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "benchmark.json", "timings.json", "baseline.json", "junit.xml", "summary.md", "bencher.json",
        "leaderboard.html",
    }  # fmt: skip
    root = ElementTree.fromstring(junit(found.record))
    assert sum(int(suite.get("errors", 0)) for suite in root) == 4
    assert sum(int(suite.get("tests", 0)) for suite in root) == len(found.record["rows"]) + 1
    assert "gives every account the same score" in markdown(found.record)
    figures = sum(len(row["figures"]) for row in found.record["rows"])
    assert sum(map(len, json.loads(bencher(found.record)).values())) == figures
    page = leaderboard(found.record)
    assert "<script" not in page and "://" not in page and "the same score" in page
    assert any("FAILS error" in line for line in lines(found))


def test_a_summary_stays_under_its_limit(outcome: Outcome) -> None:
    """However much there is to say, a step summary is cut before what the service takes."""
    finding = {"kind": "error", "scenario": None, "level": None, "detector": None, "fails": True, "text": "x|<b>" * 999}
    record = outcome.record | {"gate": {"has_baseline": True, "passed": False, "findings": [finding] * 999}}
    text = markdown(record)
    assert len(text.encode()) <= MOST_BYTES and text.endswith("benchmark.json has all.\n")
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_the_record_fits_its_schema(outcome: Outcome) -> None:
    """benchmark.json has the keys that the published schema says, and no other."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    def complaints(value: object, rule: dict) -> list[str]:
        rule = schema["$defs"]["figure"] if "$ref" in rule else rule
        kinds = {"string": str, "integer": int, "number": (int, float), "object": dict, "array": list, "boolean": bool}
        kinds |= {"null": type(None)}
        named = rule.get("type", [])
        wanted = [kinds[kind] for kind in ([named] if isinstance(named, str) else named)]
        found = [] if not wanted or any(isinstance(value, kind) for kind in wanted) else [f"{value!r}: {rule}"]
        if isinstance(value, dict):
            extra = rule.get("additionalProperties")
            if "properties" in rule:
                found += sorted(set(value) ^ set(rule["properties"])) + sorted(set(value) ^ set(rule["required"]))
            inner = rule.get("properties", dict.fromkeys(value, extra))
            found += [text for name in set(value) & set(inner) for text in complaints(value[name], inner[name])]
        if isinstance(value, list):
            found += [text for one in value for text in complaints(one, rule["items"])]
        if "enum" in rule and value not in rule["enum"]:
            found.append(f"{value!r} is not allowed")
        return found

    assert complaints(outcome.record, schema) == []
    assert complaints({**outcome.record, "rows": [{"scenario": 1}]}, schema)


def test_the_command_gives_plain_exit_codes(suite_folder: Path, tmp_path: Path) -> None:
    """Usage is 2, data is 3, whatever the code of the error elsewhere; a help text shows how it is called."""
    app = typer.Typer()
    register(app)
    start = ["benchmark", str(suite_folder / "suite.toml"), "--cache", str(suite_folder / "cache"), "--workers", "1"]
    out = ["--out", str(tmp_path / "out")]
    unknown = RUN.invoke(app, [*start, *out, "--detector", "combinde"]).exception
    assert isinstance(unknown, ConfigError) and "nearest: 'combined'" in str(unknown) and unknown.exit_code == 2
    assert getattr(RUN.invoke(app, [*start, *out, "--accept"]).exception, "exit_code", 0) == 2
    assert getattr(RUN.invoke(app, [*start, *out, "--baseline", "absent.json"]).exception, "exit_code", 0) == 3
    result = RUN.invoke(app, ["benchmark", "--help"], env={"COLUMNS": "300"})
    assert "Example: stillwatch benchmark " in result.output and not (tmp_path / "out").exists()


def test_a_crash_is_a_failed_row(suite_folder: Path, tmp_path: Path) -> None:
    """A detector that takes its process down fails by name, and nobody else; the gate says so by its exit code."""
    app = typer.Typer()
    register(app)
    options = ["--set", 'scenarios=["quiet@2"]', "--set", "looked_at=[]", "--set", "levels=[3]", "--workers", "1"]
    name, out = "tests.simulations.benchmark.brought:Crashing", tmp_path / "out"
    start = ["benchmark", str(suite_folder / "suite.toml"), "--cache", str(suite_folder / "cache"), "--out", str(out)]
    result = RUN.invoke(app, [*start, *options, "--detector", name])
    assert isinstance(result.exception, GateError), result.output
    rows = {row["detector"]: row for row in json.loads((out / "benchmark.json").read_text())["rows"]}
    assert "the process crashed (exit code 7)" in rows[name]["reason"]
    assert rows["mine"]["status"] == rows["glasswally"]["status"] == "measured"


def test_a_page_takes_its_table_from_the_record(outcome: Outcome, tmp_path: Path) -> None:
    """Written twice it is the same; what stands around stays; a page without a place is refused as it was."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmark: begin -->\nold\n<!-- benchmark: end -->\nafter\n")
    publish(outcome.record, page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert outcome.record["digest"][:16] in text and "| mine | 3 |" in text and "| mine | 1 |" not in text
    publish(outcome.record, page)
    assert page.read_text() == text
    page.write_text("nowhere\n")
    with pytest.raises(UsageError, match=r"page\.md"):
        publish(outcome.record, page)
    assert page.read_text() == "nowhere\n"
