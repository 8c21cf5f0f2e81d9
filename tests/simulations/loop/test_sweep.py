"""A sweep gives the same bytes however it was run, survives a kill, and lets a cell fail alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detector.errors import (
    ConfigError,
    ImpossibleRequestError,
    NotComparableError,
    NotRehearsedError,
    OutputNotEmptyError,
    UsageError,
)
from simulations.loop import cells
from simulations.loop.compare import compare
from simulations.loop.rehearsal import Rehearsal
from simulations.loop.sides import read_side, sides_of
from simulations.loop.simulate import simulate
from simulations.loop.sweep import cells_beside, sweep
from simulations.loop.sweep_plan import plan_sweep

SCENARIO = """
name = "tiny"
starts_at = 2026-03-02T00:00:00Z
days = 3
text = false
seed = 5
[[cohorts]]
name = "people"
persona = "hobby_chat"
accounts = 20
[[cohorts]]
name = "products"
persona = "product_backend"
accounts = 4
parameters = { requests = 90 }
[[cohorts]]
name = "fleet"
attacker = "fleet"
accounts = 8
parameters = { per_day = 30, pace = "lockstep" }
"""
SWEEP = "budget=1e-4,0.1"
OPTIONS: dict[str, Any] = {"n_seeds": 2}
FILES = ("report.html", "sweep.json", "sweep.parquet")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario file of which a rehearsal takes less than a second."""
    path = tmp_path_factory.mktemp("sweep") / "tiny.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(scenario: Path) -> Path:
    """A sweep of two budgets and two seeds, run in one process without a break."""
    out = scenario.parent / "whole"
    sweep(plan_sweep(scenario, [SWEEP], **OPTIONS), out, jobs=1)
    return out


def read_bytes(out: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def processes_of(group: int) -> list[int]:
    """List the living processes of a group."""
    living = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            living.append(int(stat.parent.name))
    return living


def test_a_sweep_has_a_row_per_cell_and_a_point_per_setting(whole: Path) -> None:
    """Rows stand in the order of the grid, and means are means of rows."""
    table, summary = pq.read_table(whole / "sweep.parquet"), json.loads((whole / "sweep.json").read_text())
    rows = table.to_pylist()

    assert tuple(read_bytes(whole)) == FILES
    assert [(row["settings.defence.policy.budget"], row["seed"]) for row in rows] == [
        (1e-4, 5), (1e-4, 6), (0.1, 5), (0.1, 6),
    ]  # fmt: skip
    for point in summary["points"]:
        own = [row["leak_share"] for row in rows if row["point"] == point["point"]]
        assert point["measures"]["leak_share"]["mean"] == pytest.approx(sum(own) / 2)
        assert point["measures"]["revoked_share"]["high"] > 0
    assert rows[0]["taken_without"] == rows[2]["taken_without"] > 0
    assert "2 seeds" in summary["caveats"][0]
    assert "--card:" in (whole / "report.html").read_text(encoding="utf-8")


def test_a_killed_sweep_goes_on_where_it_was(scenario: Path, whole: Path, tmp_path: Path) -> None:
    """Nothing is written, no process is left over, finished cells do not run again.

    In the end the bytes are those of one process without a break, though two processes ran it twice.
    """
    out, said = tmp_path / "killed", list[str]()
    command = [sys.executable, "-m", "detector", "simulate", str(scenario), "--out", str(out)]
    options = ["--sweep", SWEEP, "--seeds", "2", "--jobs", "2"]
    started = subprocess.Popen([*command, *options], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        kept = cells_beside(out)
        until = time.monotonic() + 60
        while not list(kept.glob("[0-9a-f]*/outcome.json")) and time.monotonic() < until:
            time.sleep(0.005)
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.wait()
    while processes_of(started.pid) and time.monotonic() < until:
        time.sleep(0.01)
    n_finished = len(list(kept.glob("[0-9a-f]*/outcome.json")))

    assert not out.exists()
    assert processes_of(started.pid) == []
    assert 1 <= n_finished < 4

    plan = plan_sweep(scenario, [SWEEP], **OPTIONS)
    sweep(plan, out, jobs=2, say=said.append)

    assert said == [f"an earlier run was cut off: {n_finished} of 4 cells of it are used again"]
    assert read_bytes(out) == read_bytes(whole)
    assert not kept.exists()


def test_finished_cells_are_not_run_again(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell is known by its rehearsal: another value is another cell."""
    plan, ran = plan_sweep(scenario, [SWEEP]), list[int]()
    kept = tmp_path / "kept"
    done = plan.cells[0].place(kept)
    done.mkdir(parents=True)
    (done / "outcome.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(cells, "rehearse", lambda cell, kept: ran.append(cell.point))

    assert cells.run_cells(plan.cells, kept, jobs=1) == {}
    assert ran == [2]


def test_a_cell_that_fails_fails_alone(
    scenario: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a row with its reason, in the page, too; the others are as without it."""
    out = tmp_path / "out"

    def fail_once(rehearsal: Rehearsal, place: Path, **options: Any) -> dict[str, Any]:
        if rehearsal.scenario.seed == 6:
            raise ImpossibleRequestError("nobody <b>came</b>")
        return simulate(rehearsal, place, **options)

    monkeypatch.setattr("simulations.loop.simulate.simulate", fail_once)
    summary = sweep(plan_sweep(scenario, ["budget=0.1"], **OPTIONS), out, jobs=1)
    fine, failed = pq.read_table(out / "sweep.parquet").to_pylist()

    assert (fine["is_failed"], failed["is_failed"]) == (False, True)
    assert (failed["reason"], failed["taken"]) == ("nobody <b>came</b>", None)
    assert fine | {"point": 2} == pq.read_table(whole / "sweep.parquet").to_pylist()[2]
    assert summary["points"][0]["failed"] == [{"seed": 6, "reason": "nobody <b>came</b>"}]
    assert "nobody &lt;b&gt;came" in (out / "report.html").read_text(encoding="utf-8")


def test_what_goes_wrong_inside_is_told_without_its_text(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of a foreign error may hold anything."""

    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("a prompt")

    monkeypatch.setattr("simulations.loop.simulate.simulate", fail)
    (reason,) = cells.run_cells(plan_sweep(scenario, []).cells, tmp_path, jobs=1).values()

    assert reason.startswith("KeyError at test_sweep.py:")
    assert "prompt" not in reason


def test_only_the_cell_that_is_killed_every_time_fails(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed process takes its neighbours down once; alone they end well."""
    tries: list[tuple[list[int], int]] = []

    def run(_: Any, waiting: list[int], __: Path, jobs: int) -> Iterator[tuple[int, str | None]]:
        tries.append((waiting, jobs))
        yield from ((place, cells._KILLED if place == 2 or jobs > 2 else None) for place in waiting)

    monkeypatch.setattr(cells, "_in_processes", run)
    failed = cells.run_cells(plan_sweep(scenario, [], n_seeds=4).cells, tmp_path, jobs=4)

    assert failed == {2: cells._KILLED}
    assert tries == [([0, 1, 2, 3], 4), ([0, 1, 2, 3], 2), ([2], 1)]


def test_two_grid_points_compare_in_equal_worlds(whole: Path) -> None:
    """A sweep of two points needs no second name; a point against itself differs in nothing."""
    figures = compare(*sides_of(str(whole)))
    same = compare(read_side(f"{whole}@2"), read_side(f"{whole}@2"))

    assert figures["seeds"] == [5, 6]
    assert figures["differs"] == {"defence.policy.budget": [1e-4, 0.1]}
    assert same["verdict"].startswith("No difference")


def test_a_rehearsal_compares_with_the_same_cell_of_a_sweep(scenario: Path, whole: Path, tmp_path: Path) -> None:
    """A folder of one rehearsal is a side like any other, and says the same as the cell."""
    simulate(plan_sweep(scenario, []).cells[0].rehearsal, tmp_path / "one", keeps_log=False)

    figures = compare(read_side(str(tmp_path / "one")), read_side(f"{whole}@2"))

    assert (figures["n_pairs"], figures["seeds"]) == (1, [5])
    assert figures["differs"] == {"defence.policy.budget": [1e-3, 0.1]}
    with pytest.raises(NotRehearsedError, match="is no sweep, so it has no grid point 2"):
        read_side(f"{tmp_path / 'one'}@2")


def test_sides_of_a_sweep_are_grid_points(whole: Path) -> None:
    """Several defences are no side, and what is not there is not compared."""
    with pytest.raises(NotComparableError, match="holds several defences; name one"):
        read_side(str(whole))
    with pytest.raises(NotRehearsedError, match="has no grid point 3, but 1 to 2"):
        read_side(f"{whole}@3")


def test_two_sweeps_do_not_write_to_one_place(scenario: Path, tmp_path: Path) -> None:
    """The second is told at once, and the first is left alone."""
    out = tmp_path / "out"

    def begin_another(label: str, done: int = 0, total: int | None = None) -> None:
        with pytest.raises(UsageError, match="another sweep is writing there"):
            sweep(plan_sweep(scenario, []), out, jobs=1)

    assert sweep(plan_sweep(scenario, []), out, jobs=1, tell=begin_another)["n_failed"] == 0


@pytest.mark.parametrize(
    ("sweeps", "options", "reason"),
    [
        (["budget=abc"], {}, r"--sweep defence\.policy\.budget.*valid number"),
        (["budget=2"], {}, r"--sweep defence\.policy\.budget=2: .*less than or equal to 0\.5"),
        (["budget=1e-3,0.001"], {}, "grid points 1 and 2 are the same rehearsal"),
        (["budget=1e-3"], {"assignments": ["defence.policy.budget=0.1"]}, "--set gives it, too"),
        (["no_such_key=1"], {}, "no setting is called so"),
    ],
)
def test_a_wrong_sweep_is_refused_before_anything_runs(
    scenario: Path, sweeps: list[str], options: dict[str, Any], reason: str
) -> None:
    """Each error names the key."""
    with pytest.raises(ConfigError, match=reason):
        plan_sweep(scenario, sweeps, **options)


def test_seeds_and_cells_are_bounded(scenario: Path) -> None:
    """Without a seed nothing runs, and nobody starts a million cells by a slip."""
    with pytest.raises(UsageError, match="--seeds 0"):
        plan_sweep(scenario, [], n_seeds=0)
    with pytest.raises(UsageError, match="20000 cells, and at most 10000"):
        plan_sweep(scenario, [], n_seeds=20_000)


def test_an_output_that_holds_something_is_refused_first(scenario: Path, tmp_path: Path) -> None:
    """Before hours of work, not after."""
    (tmp_path / "mine.txt").touch()

    with pytest.raises(OutputNotEmptyError, match=r"mine\.txt"):
        sweep(plan_sweep(scenario, []), tmp_path, jobs=1)
