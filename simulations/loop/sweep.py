"""A sweep from its plan to a folder, whole or not at all: the table of its cells, and what they come to."""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from detector import __version__
from detector.errors import UsageError
from detector.progress import Tell, silent
from detector.reports.atomic import check_free, new_folder
from simulations.benchmark.sheet import json_text
from simulations.loop.cells import Cell, run_cells
from simulations.loop.figures import figures_of
from simulations.loop.spread import FEW, METHOD, mean_interval, share_interval
from simulations.loop.sweep_plan import Plan

#: Figures of which means over seeds are given; none is below 0. `prevented` is 1 - `leak_share`.
_MEANS = (
    "taken", "taken_without", "leak_share", "worth_usd", "worth_usd_without", "cost_multiplier",
    "n_found", "requests_lost", "usd_lost", "cases", "appeals", "reviewer_hours",
)  # fmt: skip
#: Shares of honest accounts, by the counts that they are made of.
_SHARES = {"flagged_share": "n_flagged", "stopped_share": "n_stopped", "revoked_share": "n_revoked"}


def cells_beside(out: Path) -> Path:
    """Give the folder in which finished cells wait until a sweep is whole."""
    place = out.resolve()
    return place.parent / f".{place.name}.cells"


def sweep(
    plan: Plan, out: Path, *, jobs: int, tell: Tell = silent, say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Run a sweep; write `sweep.parquet`, `sweep.json` and `report.html`.

    Parameters
    ----------
    out: folder to make; it must be absent or empty.
    jobs: processes, each of one thread; changes no byte.
    say: takes a line for people, such as what an earlier run has left.

    Returns
    -------
    What `sweep.json` holds, see `summary_of`.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something.
    UsageError
        Nothing can be kept beside `out`, or another sweep is at work there.
    """
    from simulations.loop.sweep_page import write_page

    check_free(out)
    with _keeping(out) as kept:
        n_kept = sum(cell.outcome(kept) is not None for cell in plan.cells)
        if n_kept:
            say(f"an earlier run was cut off: {n_kept} of {len(plan.cells)} cells of it are used again")
        failed = run_cells(plan.cells, kept, jobs=jobs, tell=tell)
        rows = [_row(cell, cell.outcome(kept), failed.get(place)) for place, cell in enumerate(plan.cells)]
        summary = summary_of(plan, rows)
        with new_folder(out) as folder:
            pq.write_table(cell_table(rows), folder / "sweep.parquet")
            (folder / "sweep.json").write_text(json_text(summary), encoding="utf-8")
            write_page(summary, folder / "report.html")
    return summary


@contextmanager
def _keeping(out: Path) -> Iterator[Path]:
    """Hold the folder of finished cells alone, and remove it when all went well; a lock ends with its process."""
    kept = cells_beside(out)
    try:
        kept.mkdir(parents=True, exist_ok=True)
        lock = (kept / "lock").open("w")
    except OSError as error:
        raise UsageError(f"{kept}: cells cannot be kept there ({error.strerror}); give another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{out}: another sweep is writing there; wait for it, or give another --out") from error
        yield kept
        shutil.rmtree(kept, ignore_errors=True)


def _row(cell: Cell, outcome: Mapping[str, Any] | None, reason: str | None) -> dict[str, Any]:
    settings = {f"settings.{key}": value for key, value in cell.settings.items()}
    known = {"point": cell.point, **settings, "seed": cell.seed, "digest": cell.rehearsal.digest}
    if outcome is None:
        return {**known, "is_failed": True, "reason": reason}
    return {**known, "is_failed": False, "reason": None, **figures_of(outcome)}


def cell_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Lay cells out as a table: grid point, settings, seed, then figures; settings of mixed kinds are JSON text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column(name, [row.get(name) for row in rows]) for name in names})


def _column(name: str, values: list[Any]) -> pa.Array:
    if name in ("digest", "reason"):
        return pa.array(values, pa.string())
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
    if len(kinds) == 1 and kinds <= {str, bool}:
        return pa.array(values)
    return pa.array([None if value is None else json.dumps(value) for value in values], pa.string())


def summary_of(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sum a sweep up, grid point by grid point.

    Returns
    -------
    JSON-ready: `axes`, `seeds`, `points` with the settings, the failed cells, the mean and its interval of each
    measure over seeds, and the resolved rehearsal without its seed; `intervals` and `caveats` in words.
    """
    first = plan.cells[0].rehearsal
    points = [_point(plan, rows, number) for number in dict.fromkeys(cell.point for cell in plan.cells)]
    return {
        "stillwatch": __version__,
        "scenario": first.scenario.name,
        "defence": first.defence.name,
        "attack": first.attack.name,
        "axes": [{"key": axis.key, "values": _values(axis.key, points)} for axis in plan.axes],
        "seeds": list(plan.seeds),
        "n_cells": len(rows),
        "n_failed": sum(row["is_failed"] for row in rows),
        "intervals": METHOD,
        "caveats": caveats(len(plan.seeds)),
        "points": points,
    }


def _values(key: str, points: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Give the values of an axis in their order."""
    values: list[Any] = []
    for point in points:
        if point["settings"][key] not in values:
            values.append(point["settings"][key])
    return values


def caveats(n_seeds: int) -> list[str]:
    """Say what so few seeds cannot show."""
    if n_seeds == 1:
        return ["One seed: one world of many, so no interval of what leaks or costs. Give --seeds 5 or more."]
    if n_seeds < FEW:
        return [f"{n_seeds} seeds: intervals this wide rest on few worlds and on their being alike; give more seeds."]
    return []


def _point(plan: Plan, rows: Sequence[Mapping[str, Any]], number: int) -> dict[str, Any]:
    own = [(cell, row) for cell, row in zip(plan.cells, rows, strict=True) if cell.point == number]
    fine = [row for _, row in own if not row["is_failed"]]
    record = own[0][0].rehearsal.record()
    record["scenario"].pop("seed")
    n_honest = [row["n_honest"] for row in fine]
    shares = {name: share_interval([row[count] for row in fine], n_honest) for name, count in _SHARES.items()}
    means = {name: mean_interval([row[name] for row in fine], floor=0.0) for name in _MEANS}
    if not own[0][0].rehearsal.attack.is_adaptive:
        means["leak_share"] = mean_interval([row["leak_share"] for row in fine], floor=0.0, ceiling=1.0)
    return {
        "point": number,
        "settings": own[0][0].settings,
        "n": len(fine),
        "failed": [{"seed": cell.seed, "reason": row["reason"]} for cell, row in own if row["is_failed"]],
        "measures": means | shares,
        "rehearsal": record,
    }
