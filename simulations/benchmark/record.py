"""`benchmark.json`: all that a run found, but for what differs from run to run, which `timings` keeps."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detector import __version__
from simulations.benchmark.digests import digest
from simulations.benchmark.figures import LINKAGE, Figure, Figures
from simulations.benchmark.gate import Baseline, Finding, gate_record
from simulations.benchmark.metrics import METRICS
from simulations.benchmark.run import Gathered
from simulations.benchmark.suite import ALL, Suite

FORM = "stillwatch-benchmark/1"
SCHEMA = Path(__file__).with_name("benchmark.schema.json")

Key = tuple[str, int, str]


def record_of(
    suite: Suite, gathered: Gathered, figures: Figures, findings: list[Finding], baseline: Baseline | None
) -> dict[str, Any]:
    """Lay a run out; two runs of one state of the code give the same, whatever the processes did."""
    own = suite.settings
    record: dict[str, Any] = {
        "form": FORM,
        "stillwatch": __version__,
        "suite": {
            "name": own.name,
            "version": own.version,
            "budget": own.budget,
            "fdr": own.fdr,
            "capacity_per_10000": own.capacity_per_10000,
        },
        "scenarios": [{"id": name, "title": suite.titles[name]} for name in suite.scenarios],
        "workloads": list(_workloads(gathered)),
        "detectors": [spec.id for spec in own.detectors],
        "metrics": [
            {
                "name": one.name,
                "goal": one.goal,
                "unit": one.unit,
                "bounds": list(one.bounds),
                "tolerance": own.tolerances.get(one.name, one.tolerance),
                "meaning": one.meaning,
            }
            for one in METRICS.values()
        ],
        "rows": [_row(key, suite, gathered, figures) for key in _keys(suite, figures)],
        "curves": [
            {"detector": name, "level": level, "points": [list(point) for point in points]}
            for (name, level), points in sorted(figures.curves.items())
        ],
    }
    return {**record, "digest": digest(record), "gate": gate_record(findings, baseline)}


def _workloads(gathered: Gathered) -> Iterator[Mapping[str, Any]]:
    for (scenario, seed), one in sorted(gathered.workloads.items()):
        labels = one.labels()
        harvests = labels["is_extraction"]
        yield {
            "scenario": scenario,
            "seed": seed,
            "digest": one.digest,
            "n_accounts": len(labels),
            "n_extraction": int(harvests.sum()),
            "n_campaigns": int(labels["campaign_id"][harvests].nunique()),
        }


def _keys(suite: Suite, figures: Figures) -> list[Key]:
    scopes = [*suite.scenarios, *([ALL] if len(suite.scenarios) > 1 else [])]
    rows = [(s, level, d.id) for s in scopes for level in suite.settings.levels for d in suite.settings.detectors]
    linkage = sorted({(one.scenario, one.level, LINKAGE) for one in figures.figures if one.detector == LINKAGE})
    return [*rows, *linkage]


def _row(key: Key, suite: Suite, gathered: Gathered, figures: Figures) -> Mapping[str, Any]:
    scenario, level, detector = key
    status, reason = _status(key, gathered, suite)
    named = [one for one in figures.figures if (one.scenario, one.level, one.detector) == key]
    prefix = "|".join((scenario, str(level), detector)) + "|"
    refused = {name[len(prefix) :].rstrip("|"): why for name, why in figures.refused.items() if name.startswith(prefix)}
    row = {"scenario": scenario, "level": level, "detector": detector, "status": status, "reason": reason}
    shown = {one.metric: _ends(one) for one in named if not one.cohort}
    cohorts = {one.cohort: _ends(one) for one in named if one.cohort}
    return {**row, "figures": shown, "refused": dict(sorted(refused.items())), "false_positives_by_cohort": cohorts}


def _ends(one: Figure) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n}


def _status(key: Key, gathered: Gathered, suite: Suite) -> tuple[str, str | None]:
    scenario, level, detector = key
    failed = {
        f"{s}, seed {seed}: {reason}"
        for (d, at, s, seed), reason in gathered.failures.items()
        if d == detector and at == level and scenario in (s, ALL)
    }
    if failed:
        return "failed", sorted(failed)[0] + (f" (and {len(failed) - 1} more)" if len(failed) > 1 else "")
    left_out = [suite.excluded(detector, s, level) for s in suite.scenarios if scenario in (s, ALL)]
    return ("excluded", left_out[0]) if left_out and all(left_out) else ("measured", None)


def json_lines(record: Mapping[str, Any]) -> str:
    """Write JSON that a difference can be read in."""
    return json.dumps(record, indent=1, allow_nan=False) + "\n"
