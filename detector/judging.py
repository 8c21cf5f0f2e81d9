"""From profiles to the tables of a run: links, clusters, features, scores, decisions, evidence."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detector import __version__
from detector.clock import Clock
from detector.detectors.base import Detector, Reference, Values, Verdict, extras_of
from detector.detectors.model import AdditiveModel
from detector.detectors.population import outside
from detector.engines.embedded import Log
from detector.evidence import tabulate
from detector.excerpts import collect_excerpts
from detector.features.catalogue import FEATURES, compute_features
from detector.features.extras import Extra, compute_extras
from detector.linkage.clusters import link_accounts
from detector.linkage.links import Links
from detector.linkage.resemblance import resembles
from detector.linkage.siblings import Reals, styles
from detector.policy import Decisions, decide, firm_threshold
from detector.profiles.store import Profiles
from detector.results import Results
from detector.sequential import EProcess
from detector.settings import PolicySettings, ScoreSettings
from detector.summaries import cluster_table, link_table, lookalike_table, scored_table, timeline_table
from detector.tables import EXCERPTS, HISTORY, LOOKALIKES

#: Features that need to know when accounts were opened, and where that is said.
_BY_SIGN_UP, _SIGN_UP = ("age", "sign_up_spread"), "created_at (--accounts)"
_DAY_US = 86_400_000_000
_LIBRARIES = ("duckdb", "numba", "numpy", "pandas", "pyarrow", "pyod", "scikit-learn")


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
    style: how each account asks, see `linkage.siblings.styles`; shape (n_accounts, n_dimensions).
    extras: statistics that the detector brings along; those that the log can give are columns of both.
    """

    profiles: Profiles
    cluster: npt.NDArray[np.int64]
    links: Links
    own: pd.DataFrame
    pooled: pd.DataFrame
    style: Reals
    extras: tuple[Extra, ...] = ()

    @property
    def cluster_size(self) -> npt.NDArray[np.int64]:
        """Accounts in the cluster of each account, shape (n_accounts,)."""
        return np.bincount(self.cluster)[self.cluster]


def _described(profiles: Profiles, everyone: Profiles, columns: Sequence[str], extras: Sequence[Extra]) -> pd.DataFrame:
    features = compute_features(profiles, columns)
    return features.join(compute_extras(extras, profiles, everyone, columns)) if extras else features


def describe(profiles: Profiles, settings: ScoreSettings, *, extras: tuple[Extra, ...] = ()) -> Subjects:
    """Link accounts, pool clusters, compute features of both, and the statistics that a detector brings along."""
    columns = profiles.filled_columns
    own = _described(profiles, profiles, columns, extras)
    style = styles(profiles, own)
    links, cluster = link_accounts(profiles, style, settings.linkage, threads=settings.input.n_threads)
    pooled = own.copy()
    rows = np.flatnonzero(np.bincount(cluster)[cluster] > 1)
    if len(rows):
        shared, groups = np.unique(cluster[rows], return_inverse=True)
        merged = profiles.take(rows).pool(groups, [str(number) for number in shared])
        pooled.iloc[rows] = _described(merged, profiles, columns, extras).iloc[groups].to_numpy()
    return Subjects(profiles, cluster, links, own, pooled, style, extras)


def what_is_off(subjects: Subjects) -> list[dict[str, str]]:
    """Say which features the log cannot give, by family, and which of the detector's own statistics, and why."""
    filled = set(subjects.profiles.filled_columns)
    lacking: dict[str, list[set[str]]] = {}
    for piece in FEATURES.values():
        if piece.name not in subjects.pooled or subjects.pooled[piece.name].isna().all():
            needed = set(piece.needs) - filled or ({_SIGN_UP} if piece.name in _BY_SIGN_UP else set())
            lacking.setdefault(piece.family, []).append(needed)
    off = [
        {"what": f"{len(needs)} {family} feature" + ("s" if len(needs) > 1 else ""), "why": _lacks(needs)}
        for family, needs in lacking.items()
    ]
    absent = (e for e in subjects.extras if e.name not in subjects.pooled or subjects.pooled[e.name].isna().all())
    return off + [
        {"what": f"{e.name}, which the detector asks for", "why": _lacks([set(e.needs) - filled])} for e in absent
    ]


def _lacks(needs: Sequence[set[str]]) -> str:
    return "the log has no " + (", ".join(sorted(set().union(*needs))) or "account with enough requests")


def _digest(settings: ScoreSettings) -> str:
    return hashlib.sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _period(profiles: Profiles) -> dict[str, str]:
    volume = profiles.trimmed()["volume"]
    first, last = np.datetime64(int(volume.first_at.min()), "us"), np.datetime64(int(volume.last_at.max()), "us")
    return {"from": f"{first}Z", "to": f"{last}Z"}


def count_days(profiles: Profiles) -> int:
    """Count the days that the log covers, to the nearest, at least 1."""
    volume = profiles.trimmed()["volume"]
    return max(1, round(int(volume.last_at.max() - volume.first_at.min()) / _DAY_US))


def _model(detector: Detector) -> AdditiveModel | None:
    """Give the model behind a detector; most have none."""
    model = getattr(detector, "model", None)
    return model if isinstance(model, AdditiveModel) else None


def _population(detector: Detector) -> Mapping[str, Values]:
    """Give quantiles of honest accounts, where the detector's model keeps them."""
    model = _model(detector)
    return model.population if model else {}


def _model_record(detector: Detector, level: int) -> dict[str, Any]:
    """Say which model judged, and whether it weighs features together, so that reports can say how to read evidence."""
    model = _model(detector)
    has_pairs = bool(model and model.for_level(level).pairs.weights)
    return {"name": detector.name, "sha256": model.sha256 if model else "", "has_pairs": has_pairs}


def _lookalikes(subjects: Subjects, verdict: Verdict, detector: Detector, rows: npt.NDArray[np.int64]) -> pa.Table:
    """Compare accounts, given by number, with the kinds of honest customers that the detector's model knows."""
    model = _model(detector)
    if model is None:
        return LOOKALIKES.empty_table()
    level = model.usable_level(subjects.profiles.evidence_level)
    return lookalike_table(subjects.pooled.iloc[rows], model.kinds, level=level, used=list(verdict.contributions))


def _drift(subjects: Subjects, verdict: Verdict, detector: Detector) -> list[dict[str, Any]]:
    """Say on which of the features in use the log lies outside the population behind the model."""
    shifts = outside(_population(detector), subjects.pooled, list(verdict.contributions))
    return [asdict(shift) | {"meaning": FEATURES[shift.feature].meaning} for shift in shifts]


def _look(
    history: pa.Table | None, reference: Reference | None, scored: pa.Table, settings: PolicySettings
) -> pa.Table:
    """Add this look to the history; a first look begins one."""
    least = reference.least if reference else 1.0
    process = EProcess(settings.looks, least, settings.history_budget)
    if history is not None:
        process.check_budget()
    before = HISTORY.empty_table() if history is None else history
    return process.advance(before, scored["account_id"], scored["p_value"])


def _look_record(history: pa.Table, settings: PolicySettings) -> dict[str, Any]:
    return {
        "look": history["n_looks"][0].as_py() if len(history) else 0,
        "looks": settings.looks,
        "budget": settings.history_budget,
        "n_alarms": int(pc.sum(history["is_alarm"]).as_py() or 0),
    }


def _run_record(
    log: Log,
    subjects: Subjects,
    decisions: Decisions,
    settings: ScoreSettings,
    model: dict[str, Any],
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
        "budget": decisions.control["budget"],
        "error_control": decisions.control,
        "period": _period(subjects.profiles),
    }


def judge(
    log: Log,
    profiles: Profiles,
    detector: Detector,
    settings: ScoreSettings,
    clock: Clock,
    *,
    allowed: Collection[str] = (),
    history: pa.Table | None = None,
) -> Results:
    """Score what was folded.

    Parameters
    ----------
    log: read to its end.
    allowed: accounts under contract, on which nothing is recommended.
    history: of earlier looks, columns of `tables.HISTORY`; none when this is the first.
    clock: takes how long each stage took.
    """
    with clock.stage("link"):
        subjects = describe(profiles, settings, extras=extras_of(detector))
    with clock.stage("score"):
        level = profiles.evidence_level
        verdict, own = detector.judge(subjects.pooled, level), detector.judge(subjects.own, level)
        n_events = profiles.trimmed()["volume"].n_requests
        is_sound = level >= 2 and log.counts()["n_rejected"] == 0 and log.sampling_rate == 1.0
        is_stranger = verdict.scores < firm_threshold(verdict)
        is_allowed = np.array([account in allowed for account in profiles.account_ids], dtype=bool)
        decisions = decide(
            verdict,
            own,
            n_events,
            settings.policy,
            may_revoke=is_sound,
            asks_alike=resembles(subjects.style, subjects.cluster, is_stranger=is_stranger),
            is_allowed=is_allowed,
            cluster=subjects.cluster,
            n_days=count_days(profiles),
        )
    with clock.stage("tabulate"):
        run = _run_record(log, subjects, decisions, settings, _model_record(detector, level))
        run["counts"]["n_allowed"] = int(is_allowed.sum())
        run["drift"] = _drift(subjects, verdict, detector)
        rejected = log.rejected()
        excerpts = _excerpts(log, subjects, decisions, settings)
        return _tables(
            subjects,
            verdict,
            decisions,
            settings,
            detector=detector,
            run=run,
            rejected=rejected,
            excerpts=excerpts,
            history=history,
        )


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
    detector: Detector,
    run: dict[str, Any],
    rejected: pa.Table,
    excerpts: pa.Table,
    history: pa.Table | None,
) -> Results:
    is_clustered = subjects.cluster_size > 1
    scored = scored_table(subjects.profiles, subjects.cluster, verdict, decisions)
    gathered = _look(history, verdict.reference, scored, settings.policy)
    run["history"] = _look_record(gathered, settings.policy)
    shown = np.argsort(-verdict.scores, kind="stable")[: max(settings.report.accounts, 200)]
    return Results(
        scored=scored,
        clusters=cluster_table(scored, subjects.links, subjects.cluster),
        evidence=tabulate(
            subjects.profiles.account_ids,
            subjects.pooled,
            verdict,
            is_clustered=is_clustered,
            own=subjects.own,
            population=_population(detector),
            extras=subjects.extras,
        ),
        links=link_table(subjects.links, subjects.profiles),
        timeline=timeline_table(subjects.profiles, shown),
        rejected=rejected,
        excerpts=excerpts,
        run=run,
        history=gathered,
        lookalikes=_lookalikes(subjects, verdict, detector, np.union1d(shown, np.flatnonzero(decisions.is_flagged))),
    )
