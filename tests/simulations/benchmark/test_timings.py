"""Costs are declared like figures, kept apart, and fail a run only where asked, beside the same machine."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.errors import InputUnreadableError
from simulations.benchmark.bench import Outcome, accept, lines, write
from simulations.benchmark.costs import COSTS
from simulations.benchmark.gate import Finding
from simulations.benchmark.suite import read_suite
from simulations.benchmark.timings import compare_costs, machine, read_timings, timings_path
from tests.simulations.benchmark.conftest import Bench

ASKED = "gate={timings=true}"
Held = Callable[..., list[Finding]]


@pytest.fixture
def baseline(outcome: Outcome, tmp_path: Path) -> Path:
    """The outcome as a baseline, with its timings beside it."""
    accept(outcome.baseline, tmp_path / "baseline.json", timings=outcome.timings)
    return tmp_path / "baseline.json"


def changed(baseline: Path, factor: float, **there: Any) -> None:
    """Make the timings beside a baseline those of a run so many times as dear, or of another machine."""
    told = json.loads(timings_path(baseline).read_text())
    for row in told["rows"]:
        row.update({name: row[name] * factor for name in COSTS})
    told["machine"].update(there)
    timings_path(baseline).write_text(json.dumps(told))


def test_costs_are_declared(outcome: Outcome) -> None:
    """Each has goal, unit, bounds and tolerance; each row has both, above zero; none is in the record."""
    assert [one["name"] for one in outcome.timings["metrics"]] == list(COSTS)
    assert all(one["goal"] == "low" and one["unit"] and one["tolerance"] == 0.5 for one in outcome.timings["metrics"])
    assert outcome.timings["rows"]
    assert all(row[name] > 0 for row in outcome.timings["rows"] for name in COSTS)
    assert not any(name in json.dumps(outcome.record) for name in (*COSTS, "cpu_s", "fingerprint"))


@pytest.fixture
def held(suite_folder: Path, outcome: Outcome, baseline: Path) -> Held:
    """Holds the outcome's costs against those beside the baseline, under a suite that asks for it."""

    def compared(*assignments: str) -> list[Finding]:
        suite = read_suite(suite_folder / "suite.toml", assignments=[ASKED, *assignments])
        return compare_costs(suite, outcome.timings, read_timings(timings_path(baseline)))

    return compared


def test_nothing_is_held_against_costs_unless_asked(bench: Bench, baseline: Path) -> None:
    """A run ten times as dear fails where the suite asks, and else passes; then no timings are even read."""
    changed(baseline, 0.1)
    found = bench(ASKED, baseline=baseline)
    assert found.has_failed and not any(one.fails for one in found.findings)
    assert any(f"{'worse':<9}all, level 3, mine: cpu_seconds_per_million_rows was" in line for line in lines(found))
    timings_path(baseline).write_text("{}")
    found = bench(baseline=baseline)
    assert (found.costs, found.has_failed) == ([], False)


@pytest.mark.parametrize(("factor", "kind"), [(0.1, "worse"), (0.8, None), (1.3, None), (10.0, "better")])
def test_costs_beyond_the_tolerance_are_told(held: Held, baseline: Path, factor: float, kind: str | None) -> None:
    """Half as much again fails, less is left alone, half as little is a note; both costs of each detector are."""
    changed(baseline, factor)
    found = held()
    assert {(one.kind, one.fails) for one in found} == ({(kind, kind == "worse")} if kind else set())
    assert {one.metric for one in found} == (set(COSTS) if kind else set())


def test_a_tolerance_and_a_note_of_the_suite_count(held: Held, baseline: Path) -> None:
    """A suite may bear more, or be told only."""
    changed(baseline, 0.1)
    assert held("tolerances={cpu_seconds_per_million_rows=20, peak_mib_per_million_rows=20}") == []
    assert {(one.kind, one.fails) for one in held(f"notes={json.dumps(list(COSTS))}")} == {("worse", False)}


def test_one_slow_log_is_no_slow_detector(held: Held, baseline: Path) -> None:
    """The middle of the logs counts: where one was cheaper before and the other dearer, nothing is told."""
    told = json.loads(timings_path(baseline).read_text())
    for row in told["rows"]:
        row.update({name: row[name] * (1.9 if row["scenario"] == "loud@1" else 0.6) for name in COSTS})
    timings_path(baseline).write_text(json.dumps(told))
    assert held() == []


def test_another_machine_is_said_and_passes(bench: Bench, held: Held, baseline: Path, tmp_path: Path) -> None:
    """Timings of another machine, and a baseline without any, are not compared; the report says so, and why."""
    changed(baseline, 0.1, fingerprint="another", processor="z80")
    found = bench(ASKED, baseline=baseline)
    assert [(one.kind, one.fails) for one in found.costs] == [("skipped", False)]
    write(found, tmp_path / "out")
    for text in ((tmp_path / "out" / "summary.md").read_text(), "\n".join(lines(found))):
        assert "timings were not compared: those of the baseline are of another machine (processor differ)" in text
    timings_path(baseline).unlink()
    assert "the baseline has none; accept one" in held()[0].text


def test_what_holds_no_timings_is_refused(tmp_path: Path, outcome: Outcome) -> None:
    """Nonsense and another version are named; a row that lacks a cost, too."""
    path = tmp_path / "b.timings.json"
    lacking = copy.deepcopy(outcome.timings)
    del lacking["rows"][0]["peak_mib_per_million_rows"]
    for text in ("no JSON", "[]", json.dumps({"form": "stillwatch-timings/1"}), json.dumps(lacking)):
        path.write_text(text)
        with pytest.raises(InputUnreadableError, match=r"b\.timings\.json: holds no timings of this version"):
            read_timings(path)


def test_machines_are_told_apart_by_what_changes_timings() -> None:
    """The same machine with as many processes is the same; with more it is another."""
    assert machine(2) == machine(2)
    assert machine(2)["fingerprint"] != machine(3)["fingerprint"]
