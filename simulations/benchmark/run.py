"""A suite is run: jobs go to processes, what comes back is gathered. Figures are made elsewhere, from what is here."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from detector.progress import Tell, silent
from simulations.benchmark.candidates import check_names
from simulations.benchmark.pool import Broken, run
from simulations.benchmark.suite import DetectorSpec, Suite
from simulations.benchmark.work import Begins, Job, Made, Row, is_kept, read_scores, work
from simulations.benchmark.workloads import Workload

#: What a log may take besides a detector: processes start, and it is generated and read.
_START_S = 120.0


@dataclass
class Gathered:
    """What came back.

    Attributes
    ----------
    workloads: by scenario and seed.
    scores: file of each row, by detector, level, scenario and seed.
    failures: reason of each row that failed, likewise.
    excluded: reason of what is not measured, by detector, level and scenario.
    """

    workloads: dict[tuple[str, int], Workload] = field(default_factory=dict)
    scores: dict[tuple[str, int, str, int], Path] = field(default_factory=dict)
    failures: dict[tuple[str, int, str, int], str] = field(default_factory=dict)
    excluded: dict[tuple[str, int, str], str] = field(default_factory=dict)


def jobs_of(suite: Suite, cache: Path, gathered: Gathered) -> list[Job]:
    """Make a job for each log; what is excluded is noted with its reason."""
    own, jobs, checked = suite.settings, [], set[str]()
    for seed in own.seeds:
        for scenario, made_of in suite.scenarios.items():
            asked: list[tuple[int, DetectorSpec]] = []
            for level in own.levels:
                for spec in own.detectors:
                    if reason := suite.excluded(spec.id, scenario, level):
                        gathered.excluded[spec.id, level, scenario] = reason
                    else:
                        asked.append((level, spec))
            checks = not {spec.id for _, spec in asked} <= checked
            checked |= {spec.id for _, spec in asked}
            looks = own.looks_days if scenario in own.looked_at else None
            if asked and not (isinstance(made_of, Path) and seed != own.seeds[0]):
                jobs.append(
                    Job(scenario, made_of, seed, tuple(asked), cache, own.budget, own.fdr, own.timeout_s, checks, looks)
                )
    return jobs


def gather(suite: Suite, cache: Path, *, workers: int, tell: Tell = silent) -> Gathered:
    """Run a suite.

    Parameters
    ----------
    cache: folder of what is kept between runs; a run that was cut off goes on from it.
    workers: processes; 0 does everything here, and a detector that crashes takes all with it.

    Raises
    ------
    UnknownDetectorError, ConfigError
        A detector cannot be made.
    """
    here = str(Path.cwd())
    if here not in sys.path and any(spec.object for spec in suite.settings.detectors):
        sys.path.insert(0, here)
    check_names(suite.settings.detectors)
    prepare_cache(cache)
    gathered = Gathered()
    jobs = jobs_of(suite, cache, gathered)
    _run(jobs, gathered, workers=workers, timeout_s=suite.settings.timeout_s, tell=tell)
    _spread_broken_promises(gathered)
    return gathered


def prepare_cache(cache: Path) -> None:
    """Make the folder, and keep it out of version control."""
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n", encoding="utf-8")


def _run(jobs: Sequence[Job], gathered: Gathered, *, workers: int, timeout_s: float, tell: Tell) -> None:
    total, begun = sum(len(job.asked) for job in jobs), dict[tuple[str, int], Begins]()

    def rest(job: Job) -> Job | None:
        """Leave out what is done or broken; a log that breaks before any detector is at work breaks all of them."""
        left = tuple((level, spec) for level, spec in job.asked if not _is_done(job, level, spec.id, gathered))
        return replace(job, asked=left) if left else None

    def patience_s(last: object) -> float:
        return timeout_s if isinstance(last, Begins) else timeout_s + _START_S

    kept = [job for job in jobs if is_kept(job)]
    new = [job for job in jobs if job not in kept]
    for event in chain(
        run(work, kept, workers=0, patience_s=patience_s, rest=rest),
        run(work, new, workers=workers, patience_s=patience_s, rest=rest),
    ):
        job: Job = event.job
        place = (job.scenario, job.seed)
        if isinstance(event, Broken):
            guilty = begun.pop(place, None)
            blamed = [(guilty.level, guilty.detector)] if guilty else [(lvl, s.id) for lvl, s in job.asked]
            for level, name in blamed:
                if not _is_done(job, level, name, gathered):
                    gathered.failures[name, level, *place] = event.reason
        elif isinstance(event.value, Made):
            gathered.workloads[place] = event.value.workload
        elif isinstance(event.value, Begins):
            begun[place] = event.value
        elif isinstance(event.value, Row):
            row = event.value
            begun.pop(place, None)
            key = (row.detector, row.level, *place)
            if row.scores is None:
                gathered.failures[key] = row.reason
            else:
                gathered.scores[key] = row.scores
        tell("rows", len(gathered.scores) + len(gathered.failures), total)


def _is_done(job: Job, level: int, name: str, gathered: Gathered) -> bool:
    key = (name, level, job.scenario, job.seed)
    return key in gathered.scores or key in gathered.failures


def _spread_broken_promises(gathered: Gathered) -> None:
    """Fail every row of a detector that does not keep its promises: its scores would mean nothing."""
    broken: dict[tuple[str, int], str] = {}
    for key, place in sorted(gathered.scores.items()):
        if found := read_scores(place)[1]["broken"]:
            broken.setdefault(key[:2], f"it does not keep a promise: {found[0]}")
    for key in [key for key in gathered.scores if key[:2] in broken]:
        gathered.failures[key] = broken[key[:2]]
        del gathered.scores[key]


def default_workers() -> int:
    """Give one process per processor."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
