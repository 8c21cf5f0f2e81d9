"""`timings.json`: what rows cost, on which machine, and whether that is more than it was. It alone differs by run.

Costs fail the gate only where a suite asks for it (`[gate]`), and only beside the timings of the same machine.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from detector.errors import InputUnreadableError
from simulations.benchmark.costs import COSTS, Cost
from simulations.benchmark.gate import Finding
from simulations.benchmark.run import Gathered
from simulations.benchmark.suite import ALL, Suite
from simulations.benchmark.work import read_scores

FORM = "stillwatch-timings/2"
_MEASURED = ("read_s", "judge_s", "cpu_s", "peak_mib")
_DIGITS = 4

Timings = Mapping[str, Any]
Place = tuple[str, int, str, int]


def timings_of(suite: Suite, gathered: Gathered, *, workers: int) -> dict[str, Any]:
    """Lay out what rows cost; small logs say little of large ones, and a process keeps the peak of all it did.

    Parameters
    ----------
    workers: processes beside each other, which slow each other down.
    """
    rows = []
    for (detector, level, scenario, seed), place in sorted(gathered.scores.items()):
        record = read_scores(place)[1]
        row = {"detector": detector, "level": level, "scenario": scenario, "seed": seed, "n_rows": record["n_rows"]}
        row |= {name: round(record[name], _DIGITS) for name in _MEASURED}
        rows.append(row | {name: round(cost.of(row), 2) for name, cost in COSTS.items()})
    return {
        "form": FORM,
        "machine": machine(workers),
        "metrics": [
            {
                "name": one.name,
                "goal": one.goal,
                "unit": one.unit,
                "bounds": list(one.bounds),
                "tolerance": _tolerance(suite, one),
                "meaning": one.meaning,
            }
            for one in COSTS.values()
        ],
        "rows": rows,
    }


def machine(workers: int) -> dict[str, Any]:
    """Tell machines apart whose timings cannot be compared, by processors, Python and processes beside each other."""
    found = {
        "processor": _processor(),
        "n_processors": os.cpu_count() or 1,
        "python": platform.python_version(),
        "workers": workers,
    }
    return {**found, "fingerprint": hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]}


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        told = ""
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return f"{platform.machine()} {names[0] if names else platform.processor()}".strip()


def timings_path(baseline: Path) -> Path:
    """Give where the timings of a baseline lie: beside it, so that the baseline itself stays the same run for run."""
    return baseline.with_name(f"{baseline.name.removesuffix('.json')}.timings.json")


def read_timings(path: Path) -> Timings | None:
    """Read the timings of a baseline; None where it has none.

    Raises
    ------
    InputUnreadableError
        There is a file, and it holds no timings.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["form"] != FORM:
            raise ValueError("another form")
        for row in found["rows"]:
            _place(row), [float(row[name]) for name in COSTS]
        str(found["machine"]["fingerprint"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputUnreadableError(f"{path}: cannot be read ({error.strerror}); make one with --accept") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputUnreadableError(f"{path}: holds no timings of this version; make them with --accept") from error
    return dict(found)


def compare_costs(suite: Suite, now: Timings, before: Timings | None) -> list[Finding]:
    """Hold costs against those of a baseline; nothing where the suite does not ask for it.

    Returns
    -------
    A finding per detector, level and cost that changed by more than its tolerance, or one that says why none is made.

    Notes
    -----
    Logs are compared one by one, and the median of their ratios counts: a log during which the machine was busy, or
    that a process read first, changes little. That is no test with a stated chance of error.
    """
    if not suite.settings.gate.timings:
        return []
    here = now["machine"]
    if before is None:
        return [_skipped("the baseline has none; accept one with --accept")]
    if before["machine"]["fingerprint"] != here["fingerprint"]:
        there = before["machine"]
        differs = [name for name in here if name != "fingerprint" and here[name] != there.get(name)]
        return [_skipped(f"those of the baseline are of another machine ({', '.join(differs)} differ)")]
    known = {_place(row): row for row in before["rows"]}
    by_row: dict[tuple[int, str], list[tuple[Timings, Timings]]] = {}
    for row in now["rows"]:
        if _place(row) in known:
            by_row.setdefault((row["level"], row["detector"]), []).append((row, known[_place(row)]))
    told = [
        finding
        for key, pairs in sorted(by_row.items())
        for cost in COSTS.values()
        if (finding := _difference(suite, key, cost, pairs)) is not None
    ]
    return told or ([] if by_row else [_skipped("the baseline has none of these rows")])


def _difference(suite: Suite, key: tuple[int, str], cost: Cost, pairs: list[tuple[Timings, Timings]]) -> Finding | None:
    costs = np.array([[float(one[cost.name]) for one in pair] for pair in pairs])
    costs = costs[(costs > 0).all(axis=1)]
    tolerance = _tolerance(suite, cost)
    ratio = float(np.median(costs[:, 0] / costs[:, 1])) if len(costs) else 1.0
    is_worse = ratio > 1 + tolerance
    if not is_worse and ratio * (1 + tolerance) >= 1:
        return None
    was, now = np.median(costs[:, 1]), np.median(costs[:, 0])
    text = f"{cost.name} was {was:.3g} and is {now:.3g}, {ratio:.2f} times in the middle of {len(costs)} logs"
    note = cost.name in suite.settings.notes
    kind: Literal["worse", "better"] = "worse" if is_worse else "better"
    return Finding(
        kind, (ALL, *key), f"{text}; tolerance {1 + tolerance:g} times", is_worse and not note, cost.name, ratio
    )


def _tolerance(suite: Suite, cost: Cost) -> float:
    return suite.settings.tolerances.get(cost.name, cost.tolerance)


def _skipped(reason: str) -> Finding:
    return Finding("skipped", None, f"timings were not compared: {reason}", False)


def _place(row: Timings) -> Place:
    return str(row["detector"]), int(row["level"]), str(row["scenario"]), int(row["seed"])
