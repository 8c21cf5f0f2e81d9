"""The order of things, known here only: log, profiles, links, clusters, features, scores, evidence, decisions."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector import __version__
from detector.detectors.base import Verdict
from detector.detectors.registry import make_detector
from detector.engines.embedded import EmbeddedEngine, Log, Restart
from detector.evidence import tabulate
from detector.excerpts import collect_excerpts
from detector.features.catalogue import FEATURES, compute_features
from detector.linkage.communities import find_clusters
from detector.linkage.links import Links, find_links
from detector.logs.accounts import read_accounts
from detector.policy import Decisions, decide
from detector.profiles.store import Profiles, columns_read
from detector.progress import Tell, silent
from detector.results import Results
from detector.settings import ScoreSettings
from detector.summaries import cluster_table, link_table, scored_table, timeline_table
from detector.tables import EXCERPTS

#: Features that need to know when accounts were opened, and where that is said.
_BY_SIGN_UP, _SIGN_UP = ("age", "sign_up_spread"), "created_at (--accounts)"
_LIBRARIES = ("duckdb", "numba", "numpy", "pandas", "pyarrow", "pyod", "scikit-learn")


@dataclass
class Clock:
    """Seconds that each stage took."""

    timings_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        began = time.perf_counter()
        yield
        self.timings_s[name] = round(time.perf_counter() - began, 3)


@dataclass(frozen=True)
class Subjects:
    """Accounts and the clusters they are scored as.

    Attributes
    ----------
    profiles: of the accounts.
    cluster: cluster number of each account, shape (n_accounts,).
    links: what accounts share.
    own: features of the accounts, shape (n_accounts, n_features).
    pooled: features of each account's cluster, in the order of the accounts, same shape.
    """

    profiles: Profiles
    cluster: npt.NDArray[np.int64]
    links: Links
    own: pd.DataFrame
    pooled: pd.DataFrame

    @property
    def cluster_size(self) -> npt.NDArray[np.int64]:
        """Accounts in the cluster of each account, shape (n_accounts,)."""
        return np.bincount(self.cluster)[self.cluster]


def read_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass batches through, reading the next one while the last is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        pending = reader.submit(next, batches, None)
        while (batch := pending.result()) is not None:
            pending = reader.submit(next, batches, None)
            yield batch


def fold_log(log: Log, *, threads: int, tell: Tell = silent) -> Profiles:
    """Read a log into profiles.

    Raises
    ------
    TooManyRejectsError, EmptyInputError
        See `Log.batches`.
    """
    columns = columns_read(log.columns)
    while True:
        profiles = Profiles(columns, threads=threads)
        n_rows = 0
        try:
            for batch in read_ahead(log.batches(columns)):
                profiles.fold(batch)
                n_rows += batch.num_rows
                tell("reading requests", n_rows)
        except Restart:
            continue
        break
    if profiles.n_late:
        tell("putting requests in order of time")
        profiles.refold_rhythm(log.ordered_times())
    return profiles.in_order()


def describe(profiles: Profiles, settings: ScoreSettings) -> Subjects:
    """Link accounts, pool clusters, compute features of both."""
    links = find_links(profiles.trimmed())
    cluster = find_clusters(links, len(profiles), settings.linkage)
    columns = profiles.filled_columns
    own = compute_features(profiles, columns)
    pooled = compute_features(profiles.pool(cluster, [str(c) for c in range(cluster.max() + 1)]), columns)
    by_account = pooled.iloc[cluster].set_axis(own.index)
    return Subjects(profiles, cluster, links, own, by_account)


def what_is_off(subjects: Subjects) -> list[dict[str, str]]:
    """Say which features the log cannot give, by family, and what is missing for them."""
    filled = set(subjects.profiles.filled_columns)
    lacking: dict[str, list[set[str]]] = {}
    for piece in FEATURES.values():
        if piece.name not in subjects.pooled or subjects.pooled[piece.name].isna().all():
            needed = set(piece.needs) - filled or ({_SIGN_UP} if piece.name in _BY_SIGN_UP else set())
            lacking.setdefault(piece.family, []).append(needed)
    return [
        {
            "what": f"{len(needs)} {family} feature" + ("s" if len(needs) > 1 else ""),
            "why": "the log has no " + (", ".join(sorted(set().union(*needs))) or "account with enough requests"),
        }
        for family, needs in lacking.items()
    ]


def _digest(settings: ScoreSettings) -> str:
    return hashlib.sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _period(profiles: Profiles) -> dict[str, str]:
    volume = profiles.trimmed()["volume"]
    first, last = np.datetime64(int(volume.first_at.min()), "us"), np.datetime64(int(volume.last_at.max()), "us")
    return {"from": f"{first}Z", "to": f"{last}Z"}


def _run_record(
    log: Log,
    subjects: Subjects,
    decisions: Decisions,
    settings: ScoreSettings,
    model: dict[str, str],
) -> dict[str, Any]:
    digests = log.digests()
    return {
        "stillwatch": __version__,
        "settings": settings.model_dump(mode="json"),
        "settings_digest": _digest(settings),
        "versions": {name: version(name) for name in _LIBRARIES},
        "inputs": [{"file": f.name, "sha256": digests[f.name], "n_bytes": f.n_bytes} for f in log.files],
        "format": {"name": log.format_name, "reason": log.format_reason},
        "evidence_level": subjects.profiles.evidence_level,
        "off": what_is_off(subjects),
        "counts": {
            **log.counts(),
            "n_accounts": len(subjects.profiles),
            "n_clusters": int((np.bincount(subjects.cluster) > 1).sum()),
            "n_flagged": int(decisions.is_flagged.sum()),
        },
        "model": model,
        "threshold": decisions.threshold,
        "budget": settings.policy.budget,
        "period": _period(subjects.profiles),
    }


def score(
    patterns: Sequence[str], settings: ScoreSettings, *, accounts: Path | None = None, tell: Tell = silent
) -> Results:
    """Score a log.

    Parameters
    ----------
    patterns: files, globs, folders, or ``-`` for standard input.
    accounts: file of what is known of accounts, see `logs.accounts`.
    tell: takes progress.

    Returns
    -------
    The tables of the run, most suspicious account first.

    Raises
    ------
    StillwatchError
        Something about the input or the settings is wrong; the text says what.
    """
    import os

    clock = Clock()
    detector = make_detector(settings.detector)
    known = read_accounts(accounts) if accounts else None
    threads = settings.input.threads or os.cpu_count() or 1
    with clock.stage("open"):
        log = EmbeddedEngine(settings.input).open(patterns)
    with log:
        with clock.stage("read_and_fold"):
            profiles = fold_log(log, threads=threads, tell=tell)
            if known is not None:
                profiles.enrich(known)
        tell("linking and scoring accounts")
        with clock.stage("link"):
            subjects = describe(profiles, settings)
        with clock.stage("score"):
            level = profiles.evidence_level
            verdict, own = detector.judge(subjects.pooled, level), detector.judge(subjects.own, level)
            n_events = profiles.trimmed()["volume"].n_requests
            may_revoke = level >= 2 and log.counts()["n_rejected"] == 0 and log.sampling_rate == 1.0
            decisions = decide(verdict, own, n_events, settings.policy, may_revoke=may_revoke)
        with clock.stage("tabulate"):
            model = {"name": detector.name, "sha256": getattr(getattr(detector, "model", None), "sha256", "")}
            run = _run_record(log, subjects, decisions, settings, model)
            rejected = log.rejected()
            excerpts = _excerpts(log, subjects, decisions, settings)
            results = _tables(subjects, verdict, decisions, settings, run=run, rejected=rejected, excerpts=excerpts)
        run["timings_s"] = clock.timings_s
    return results


def _excerpts(log: Log, subjects: Subjects, decisions: Decisions, settings: ScoreSettings) -> pa.Table:
    """Read a few prompts of flagged accounts, by a second pass over the log, when they are asked for."""
    if not (settings.report.include_excerpts and "prompt" in log.columns):
        return EXCERPTS.empty_table()
    flagged = np.array(subjects.profiles.account_ids, dtype=object)[decisions.is_flagged]
    return collect_excerpts(log.batches(["account_id", "prompt"]), flagged.tolist())


def _tables(
    subjects: Subjects,
    verdict: Verdict,
    decisions: Decisions,
    settings: ScoreSettings,
    *,
    run: dict[str, Any],
    rejected: pa.Table,
    excerpts: pa.Table,
) -> Results:
    is_clustered = subjects.cluster_size > 1
    scored = scored_table(subjects.profiles, subjects.cluster, verdict, decisions)
    shown = np.argsort(-verdict.scores, kind="stable")[: max(settings.report.accounts, 200)]
    return Results(
        scored=scored,
        clusters=cluster_table(scored, subjects.links, subjects.cluster),
        evidence=tabulate(subjects.profiles.account_ids, subjects.pooled, verdict, is_clustered=is_clustered),
        links=link_table(subjects.links, subjects.profiles),
        timeline=timeline_table(subjects.profiles, shown),
        rejected=rejected,
        excerpts=excerpts,
        run=run,
    )
