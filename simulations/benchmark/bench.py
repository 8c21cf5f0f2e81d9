"""A benchmark from suite to folder: run, measured, held against a baseline, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.errors import UsageError, nearest
from detector.hidden import part_of
from detector.progress import Tell, silent
from detector.reports.atomic import check_free, new_folder
from detector.reports.safe import safe_text
from simulations.benchmark.exports import bencher, junit, markdown
from simulations.benchmark.figures import measure
from simulations.benchmark.gate import (
    Baseline,
    Finding,
    baseline_of,
    baseline_text,
    check_fits,
    compare,
    gate_record,
    has_failed,
    read_baseline,
)
from simulations.benchmark.leaderboard import leaderboard
from simulations.benchmark.record import json_lines, record_of
from simulations.benchmark.run import default_workers, gather
from simulations.benchmark.suite import ALL, read_suite
from simulations.benchmark.timings import compare_costs, read_timings, timings_of, timings_path

#: Where work is kept, seen from the working folder.
CACHE = Path(".stillwatch-cache")


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found.

    Attributes
    ----------
    record: what `benchmark.json` holds.
    timings: what `timings.json` holds.
    findings: of the gate, what fails first.
    baseline: what later runs may be compared with.
    costs: findings about timings, where the suite asks for them; `record` knows nothing of them.
    gates_timings: whether the suite asks for them.
    """

    record: dict[str, Any]
    timings: dict[str, Any]
    findings: list[Finding]
    baseline: Baseline
    costs: list[Finding] = field(default_factory=list)
    gates_timings: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether the gate fails."""
        return has_failed(self.findings + self.costs)

    @property
    def against(self) -> list[str]:
        """What fails the gate, in words; nothing where it passes."""
        return [_told(one) for one in self.findings + self.costs if one.fails]

    def figure(self, detector: str, metric: str, *, scenario: str = ALL, level: int = 3) -> float:
        """Give the value of a figure.

        Raises
        ------
        UsageError
            The run has no such figure.
        """
        for row in self.record["rows"]:
            if (row["scenario"], row["level"], row["detector"]) == (scenario, level, detector):
                if metric in row["figures"]:
                    return float(row["figures"][metric]["value"])
                reason = row["reason"] or row["refused"].get(metric) or nearest(metric, row["figures"])
                raise UsageError(f"{detector} has no {metric!r} for {scenario} at level {level}: {reason}")
        raise UsageError(f"no row of {detector!r} for {scenario!r} at level {level}; see benchmark.json")


def benchmark(
    suite: Path,
    *,
    baseline: Path | None = None,
    cache: Path = CACHE,
    workers: int | None = None,
    detectors: Sequence[str] = (),
    assignments: Sequence[str] = (),
    tell: Tell = silent,
) -> Outcome:
    """Run a suite and hold it against a baseline.

    Parameters
    ----------
    suite: file, or the name of a suite of ours.
    baseline: file of an earlier run; none compares with nothing.
    cache: folder of what is kept between runs.
    workers: processes; None is one per processor, 0 none beside this one.
    detectors: that take part besides those of the suite, by name or as module:Class.

    Raises
    ------
    ConfigError
        The suite is wrong, or the baseline is of another one.
    InputUnreadableError
        The baseline or a log cannot be read.
    """
    read = read_suite(suite, assignments=assignments, detectors=detectors)
    before = read_baseline(baseline) if baseline is not None else None
    if before is not None and baseline is not None:
        check_fits(before, read, baseline)
    timed = read_timings(timings_path(baseline)) if baseline is not None and read.settings.gate.timings else None
    n_workers = default_workers() if workers is None else workers
    gathered = gather(read, cache, workers=n_workers, tell=tell)
    tell("measuring")
    figures = measure(read, gathered)
    findings = compare(read, gathered, figures, before)
    record = record_of(read, gathered, figures, findings, before)
    timings = timings_of(read, gathered, workers=n_workers)
    costs = compare_costs(read, timings, timed) if before is not None else []
    timings["findings"] = gate_record(costs, before)["findings"]
    return Outcome(record, timings, findings, baseline_of(read, gathered, figures), costs, read.settings.gate.timings)


def accept(found: Baseline, path: Path, *, timings: Mapping[str, Any] | None = None) -> None:
    """Write a baseline; an earlier one is replaced.

    Parameters
    ----------
    timings: written beside it, see `timings.timings_path`; none leaves what is there.

    Raises
    ------
    UsageError
        No file can be written there.
    """
    texts = {path: baseline_text(found)} | ({timings_path(path): json_lines(timings)} if timings else {})
    for place, text in texts.items():
        staged = part_of(place)
        try:
            staged.write_text(text, encoding="utf-8")
            staged.replace(place)
        except OSError as error:
            raise UsageError(f"{place}: cannot be written ({error.strerror}); give another --baseline") from error


def write(outcome: Outcome, out: Path) -> None:
    """Write all outputs, whole or not at all.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something.
    """
    check_free(out)
    texts = {
        "benchmark.json": json_lines(outcome.record),
        "timings.json": json_lines(outcome.timings),
        "baseline.json": baseline_text(outcome.baseline),
        "junit.xml": junit(outcome.record),
        "summary.md": markdown(outcome.record) + costs_text(outcome.costs),
        "bencher.json": bencher(outcome.record),
        "leaderboard.html": leaderboard(outcome.record),
    }
    with new_folder(out) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")


def costs_text(costs: Sequence[Finding]) -> str:
    """Write what is held against timings as Markdown; nothing where nothing is."""
    told = [f"- {safe_text(_told(one))}" for one in costs]
    return "\n".join(["", "### Timings", "", *told, ""]) if told else ""


def lines(outcome: Outcome) -> list[str]:
    """Say in a few lines what was found: the leading rows, then the gate."""
    shown = [row for row in outcome.record["rows"] if row["scenario"] == ALL] or outcome.record["rows"]
    told = [f"{'detector':<28}{'level':>6}  {'recall at fpr 1e-3':<24}{'false positives per 10,000':<28}"]
    for row in shown:
        if row["detector"] == "linkage":
            continue
        cells = [_cell(row["figures"].get(name)) for name in ("recall_at_fpr_0.001", "false_positives_per_10000")]
        what = f"{cells[0]:<24}{cells[1]:<28}" if row["status"] == "measured" else f"{row['status']}: {row['reason']}"
        told.append(f"{row['detector']:<28}{row['level']:>6}  {what}".rstrip())
    return [*told, *(f"{'FAILS' if one.fails else 'note '} {_told(one)}" for one in outcome.findings + outcome.costs)]


def _told(one: Finding) -> str:
    place = "" if one.row is None else f"{one.row[0]}, level {one.row[1]}, {one.row[2]}: "
    return f"{one.kind:<9}{place}{one.text}"


def _cell(figure: dict[str, float] | None) -> str:
    return "-" if figure is None else f"{figure['value']:.3g} [{figure['low']:.3g}, {figure['high']:.3g}]"
