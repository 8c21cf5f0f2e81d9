"""What a process of a benchmark does: one log, read once for each evidence level, judged by every detector."""

import json
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from detector.control import find_threshold
from detector.detectors.base import Detector, Verdict, extras_of
from detector.engines.embedded import EmbeddedEngine, Log
from detector.errors import ImpossibleRequestError
from detector.features.extras import slices_of
from detector.logs.accounts import read_accounts
from detector.profiles.store import Profiles
from detector.reading import fold_log
from detector.record import count_days
from detector.settings import InputSettings, PolicySettings, ScoreSettings
from detector.subjects import Subjects, describe, without_dilution
from simulations.benchmark.candidates import broken_promises, check_scores, make_candidate
from simulations.benchmark.delay import by_campaign, look_daily
from simulations.benchmark.digests import detecting_code, detector_digest, digest
from simulations.benchmark.pool import reason_of
from simulations.benchmark.suite import DetectorSpec
from simulations.benchmark.workloads import Narrowed, Workload, hidden_at, is_made, make_workload
from simulations.settings import ScenarioSettings

#: Each process reads with one thread: processes are what runs beside each other.
_SETTINGS = ScoreSettings(input=InputSettings(threads=1))


@dataclass(frozen=True)
class Job:
    """A log and who judges it.

    Attributes
    ----------
    asked: evidence level and detector of each row.
    checks: whether detectors show first that they keep their promises.
    looks_days: between looks at the growing log [days]; None looks once.
    """

    scenario: str
    made_of: ScenarioSettings | Path
    seed: int
    asked: tuple[tuple[int, DetectorSpec], ...]
    cache: Path
    budget: float
    fdr: float
    timeout_s: float
    checks: bool = False
    looks_days: float | None = None


@dataclass(frozen=True)
class Made:
    """The log is there."""

    workload: Workload


@dataclass(frozen=True)
class Begins:
    """A detector is at work; what goes wrong from here on is its own."""

    level: int
    detector: str


@dataclass(frozen=True)
class Row:
    """What a detector said, as the file of its scores, or why it said nothing."""

    level: int
    detector: str
    scores: Path | None
    reason: str = ""


def work(job: Job) -> Iterator[Made | Begins | Row]:
    """Judge a log; what the cache has is not judged again."""
    workload = make_workload(job.scenario, job.made_of, job.seed, job.cache)
    yield Made(workload)
    for level in sorted({level for level, _ in job.asked}, reverse=True):
        specs = [spec for at, spec in job.asked if at == level]
        places = {spec.id: _place(job, workload, level, spec) for spec in specs}
        found = [spec for spec in specs if places[spec.id].is_file()]
        yield from (Row(level, spec.id, places[spec.id]) for spec in found)
        if len(found) < len(specs):
            missing = [spec for spec in specs if spec not in found]
            yield from _judge_all(job, workload, level, missing, places)


def is_kept(job: Job) -> bool:
    """Tell whether the cache has all that a job asks for."""
    if not is_made(job.scenario, job.made_of, job.seed, job.cache):
        return False
    workload = make_workload(job.scenario, job.made_of, job.seed, job.cache)
    return all(_place(job, workload, level, spec).is_file() for level, spec in job.asked)


def _place(job: Job, workload: Workload, level: int, spec: DetectorSpec) -> Path:
    parts = (workload.digest, level, detector_digest(spec), detecting_code(), job.budget, job.fdr, job.looks_days)
    return job.cache / "scores" / f"{digest(*parts, job.checks)[:32]}.parquet"


def _judge_all(
    job: Job, workload: Workload, level: int, specs: list[DetectorSpec], places: dict[str, Path]
) -> Iterator[Begins | Row]:
    began, cpu = time.perf_counter(), _cpu_s()
    candidates = {spec.id: make_candidate(spec, timeout_s=job.timeout_s) for spec in specs}
    wanted = tuple(extra for one in candidates.values() for extra in extras_of(one))
    known = read_accounts(workload.accounts) if workload.accounts and level >= 2 else None
    with EmbeddedEngine(_SETTINGS.input).open([workload.events]) as opened:
        log = cast(Log, Narrowed(opened, hidden_at(level)))
        profiles = fold_log(log, threads=1, wanted=slices_of(wanted))
        if known is not None:
            profiles.enrich(known)
        read_s, described = time.perf_counter() - began, dict[tuple[str, ...], Subjects]()
        cpu = _cpu_s() - cpu
        for name, candidate in candidates.items():
            yield Begins(level, name)
            try:
                table, record = _judge(job, profiles, candidate, described)
                if job.looks_days is not None:
                    record["campaigns"] = _grown(log, known, candidate, workload, job)
            except Exception as error:
                yield Row(level, name, None, reason_of(error))
                continue
            rate = {"read_s": read_s, "n_rows": int(table["n_events"].sum()), "cpu_s": cpu + record["cpu_s"]}
            _write(table, record | rate | {"peak_mib": _peak_mib()}, places[name])
            yield Row(level, name, places[name])


def _judge(
    job: Job, profiles: Profiles, candidate: Detector, described: dict[tuple[str, ...], Subjects]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Judge accounts; detectors that want the same features share them, each as a copy."""
    began, cpu, extras = time.perf_counter(), _cpu_s(), extras_of(candidate)
    names = tuple(extra.name for extra in extras)
    if names not in described:
        described[names] = describe(profiles, _SETTINGS, extras=extras)
    whole = described[names]
    whole = replace(whole, own=whole.own.copy(), pooled=whole.pooled.copy())
    subjects = without_dilution(whole, candidate)
    verdict = candidate.judge(subjects.pooled, profiles.evidence_level)
    check_scores(verdict.scores)
    policy = PolicySettings(budget=job.budget)
    record: dict[str, Any] = {"judge_s": time.perf_counter() - began, "cpu_s": _cpu_s() - cpu, "broken": []}
    if job.checks:
        record["broken"] = broken_promises(candidate, whole.own, profiles.evidence_level)
    flagged = _flagged(verdict, policy, subjects.cluster, profiles)
    try:
        discovered = _flagged(verdict, PolicySettings(fdr=job.fdr), subjects.cluster, profiles)
    except ImpossibleRequestError:
        discovered = np.zeros(len(flagged), bool)
        record["no_rate"] = True
    table = pd.DataFrame(
        {
            "score": verdict.scores,
            "is_flagged": flagged,
            "is_discovered": discovered,
            "cluster": whole.cluster,
            "n_events": profiles.trimmed()["volume"].n_requests,
        },
        index=pd.Index(profiles.account_ids, name="account_id"),
    )
    return table, record


def _flagged(verdict: Verdict, policy: PolicySettings, case: Any, profiles: Profiles) -> Any:
    if verdict.reference is None:
        raise ImpossibleRequestError("the detector has no reference scores; a budget needs them")
    days = count_days(profiles)
    return verdict.scores >= find_threshold(verdict.reference, verdict.scores, policy, case=case, n_days=days).threshold


def _grown(log: Log, known: pa.Table | None, candidate: Detector, workload: Workload, job: Job) -> dict[str, Any]:
    """Tell how long each campaign went on before two of its accounts were flagged, and its share taken by then."""
    settings = _SETTINGS.model_copy(update={"policy": PolicySettings(budget=job.budget)})
    names, looks = look_daily(log, settings, detector=candidate, known=known, window_days=job.looks_days or 1.0)
    length = (looks[-1].ends_us - looks[0].ends_us) / 86_400_000_000 + 1.0
    found = by_campaign(workload.labels().reindex(names), looks)
    return {
        name: {
            "leaked": 1.0
            if row["leaked_before_first_flag"] is None
            else row["leaked_before_first_flag"] / max(row["n_exchanges"], 1),
            "days": length if row["days_to_first_flag"] is None else row["days_to_first_flag"],
        }
        for name, row in found.items()
    }


def _cpu_s() -> float:
    """Processor time of this process and of those that it has waited for, such as a detector's command."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write(table: pd.DataFrame, record: dict[str, Any], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = pa.Table.from_pandas(table).replace_schema_metadata({"record": json.dumps(record)})
    staged = place.with_name(f".{place.name}")
    pq.write_table(rows, staged)
    staged.rename(place)


def read_scores(place: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read what `work` has kept: a row per account, and the record of the run."""
    rows = pq.read_table(place)
    return rows.to_pandas().set_index("account_id"), json.loads(rows.schema.metadata[b"record"])
