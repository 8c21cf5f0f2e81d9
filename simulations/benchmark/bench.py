"""A benchmark from suite to folder: run, measured, held against a baseline, written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import UsageError, nearest
from detector.progress import Tell, silent
from detector.reports.atomic import check_free, new_folder
from simulations.benchmark.exports import bencher, junit, markdown
from simulations.benchmark.figures import measure
from simulations.benchmark.gate import (
    Baseline,
    Finding,
    baseline_of,
    baseline_text,
    check_fits,
    compare,
    has_failed,
    read_baseline,
)
from simulations.benchmark.leaderboard import leaderboard
from simulations.benchmark.record import json_lines, record_of, timings_of
from simulations.benchmark.run import default_workers, gather
from simulations.benchmark.suite import ALL, read_suite

#: Where work is kept, seen from the working folder.
CACHE = Path(".stillwatch-cache")


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found.

    Attributes
    ----------
    record: what `benchmark.json` holds.
    findings: of the gate, what fails first.
    baseline: what later runs may be compared with.
    """

    record: dict[str, Any]
    timings: dict[str, Any]
    findings: list[Finding]
    baseline: Baseline

    @property
    def has_failed(self) -> bool:
        """Whether the gate fails."""
        return has_failed(self.findings)

    @property
    def against(self) -> list[str]:
        """What fails the gate, in words; nothing where it passes."""
        return [_told(one) for one in self.findings if one.fails]

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
    gathered = gather(read, cache, workers=default_workers() if workers is None else workers, tell=tell)
    tell("measuring")
    figures = measure(read, gathered)
    findings = compare(read, gathered, figures, before)
    record = record_of(read, gathered, figures, findings, before)
    return Outcome(record, timings_of(gathered), findings, baseline_of(read, gathered, figures))


def accept(found: Baseline, path: Path) -> None:
    """Write a baseline; an earlier one is replaced.

    Raises
    ------
    UsageError
        No file can be written there.
    """
    staged = path.with_name(f".{path.name}.part")
    try:
        staged.write_text(baseline_text(found), encoding="utf-8")
        staged.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); give another --baseline") from error


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
        "summary.md": markdown(outcome.record),
        "bencher.json": bencher(outcome.record),
        "leaderboard.html": leaderboard(outcome.record),
    }
    with new_folder(out) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")


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
    return [*told, *(f"{'FAILS' if one.fails else 'note '} {_told(one)}" for one in outcome.findings)]


def _told(one: Finding) -> str:
    place = "" if one.row is None else f"{one.row[0]}, level {one.row[1]}, {one.row[2]}: "
    return f"{one.kind:<9}{place}{one.text}"


def _cell(figure: dict[str, float] | None) -> str:
    return "-" if figure is None else f"{figure['value']:.3g} [{figure['low']:.3g}, {figure['high']:.3g}]"
