"""How long a harvest goes on before it is seen: a labelled log is scored again and again as it grows.

Profiles stay open: each look folds what came since the last one and judges everything so far. Nobody is stopped, so a
campaign's curve is what it would have taken; what a flag would have saved is what comes after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.control import find_threshold
from detector.detectors.base import Detector, extras_of
from detector.detectors.registry import make_detector
from detector.engines.embedded import EmbeddedEngine, Log
from detector.errors import ImpossibleRequestError, TruthError, UsageError
from detector.features.extras import slices_of
from detector.intervals import share_with_interval
from detector.logs.accounts import read_accounts
from detector.profiles.store import Profiles, columns_read
from detector.progress import Tell, silent
from detector.record import count_days
from detector.settings import ScoreSettings
from detector.subjects import describe, without_dilution
from simulations.benchmark.inputs import read_truth

_DAY_US = 86_400_000_000
#: A campaign counts as found when so many of its accounts are flagged. Chosen: one flag may be luck.
_FOUND = 2


@dataclass(frozen=True)
class Look:
    """What was known and flagged at one instant; accounts in the order in which they first came.

    Attributes
    ----------
    ends_us: Unix time of the look [us].
    n_requests: of each account so far, shape (n_accounts,).
    is_flagged: shape (n_accounts,).
    """

    ends_us: int
    n_requests: npt.NDArray[np.int64]
    is_flagged: npt.NDArray[np.bool_]


def _stretches(batches: Iterator[pa.RecordBatch], window_us: int) -> Iterator[tuple[int, list[pa.RecordBatch]]]:
    """Cut batches at the ends of windows.

    Raises
    ------
    UsageError
        A row comes after its window closed.
    """
    held: list[pa.RecordBatch] = []
    end: int | None = None
    for batch in batches:
        at_us = batch.column("occurred_at").cast(pa.int64()).to_numpy()
        begin = 0
        if end is None and len(at_us):
            end = (int(at_us.min()) // window_us + 1) * window_us
        while end is not None and (late := np.flatnonzero(at_us[begin:] >= end)).size:
            cut = begin + int(late[0])
            _check_order(at_us[cut:], end)
            yield end, [*held, batch.slice(begin, cut - begin)]
            held, begin, end = [], cut, (int(at_us[cut]) // window_us + 1) * window_us
        if end is not None:
            _check_order(at_us[begin:], end - window_us)
        held.append(batch.slice(begin))
    if end is not None:
        yield end, held


def _check_order(at_us: npt.NDArray[np.int64], begins_us: int) -> None:
    if (at_us < begins_us).any():
        raise UsageError("a request comes after later ones; looks need a log that is sorted by time")


def _look(
    ends_us: int, profiles: Profiles, known: pa.Table | None, detector: Detector, settings: ScoreSettings
) -> Look:
    so_far = profiles.take(np.arange(len(profiles)))
    if known is not None:
        so_far.enrich(known)
    subjects = without_dilution(describe(so_far, settings, extras=extras_of(detector)), detector)
    verdict = detector.judge(subjects.pooled, so_far.evidence_level)
    if verdict.reference is None:
        raise ImpossibleRequestError(f"detector {detector.name!r} has no reference scores; a budget needs them")
    control = find_threshold(
        verdict.reference, verdict.scores, settings.policy, case=subjects.cluster, n_days=count_days(so_far)
    )
    return Look(ends_us, so_far.states["volume"].n_requests, verdict.scores >= control.threshold)


def look_daily(
    log: Log,
    settings: ScoreSettings,
    *,
    detector: Detector | None = None,
    known: pa.Table | None = None,
    window_days: float = 1.0,
    tell: Tell = silent,
) -> tuple[list[str], list[Look]]:
    """Score a log at the end of every window.

    Parameters
    ----------
    log: rows in order of time.
    detector: instead of the one that the settings name.
    known: table of accounts, see `logs.accounts`.
    window_days: time between looks [days]; windows without a request are passed over.

    Returns
    -------
    The accounts in the order in which they first came, and the looks.

    Raises
    ------
    UsageError
        A request comes more than a window late.
    """
    detector = detector or make_detector(settings.detector)
    columns = columns_read(log.columns)
    profiles = Profiles(columns, threads=settings.input.n_threads, wanted=slices_of(extras_of(detector)))
    looks = []
    for ends_us, batches in _stretches(log.batches(columns), round(window_days * _DAY_US)):
        for batch in batches:
            profiles.fold(batch)
        looks.append(_look(ends_us, profiles, known, detector, settings))
        tell("looks", len(looks))
    return profiles.account_ids, looks


def delay(
    log: Sequence[str],
    truth: Path,
    settings: ScoreSettings,
    *,
    accounts: Path | None = None,
    window_days: float = 1.0,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Measure what each campaign takes before it is found, and whom looking so often would flag.

    Parameters
    ----------
    log: files in order of time, as `score` takes them.
    truth: with a campaign and, where accounts are mixed, the number of extracting requests of each account.

    Returns
    -------
    JSON-ready: `window_days`, `n_looks`; `campaigns`, by name: `n_accounts`, `n_exchanges` in all, and, null where it
    is never found, `days_to_first_flag` and `days_to_half` (of its accounts flagged) since its first look,
    `leaked_before_first_flag` and `leaked_before_half`, and `leaked_if_stopped`, the exchanges that are left when
    every account is stopped at its own first flag; `honest`, by persona: accounts flagged at any look, with an exact
    interval.

    Raises
    ------
    UsageError
        The log is not in order of time.
    TruthError
        The truth names no account of the log.
    """
    labels = read_truth(truth).set_index("account_id")
    with EmbeddedEngine(settings.input).open(log) as opened:
        known = read_accounts(accounts) if accounts else None
        names, looks = look_daily(opened, settings, known=known, window_days=window_days, tell=tell)
    rows = labels.reindex(names)
    if rows["is_extraction"].isna().all():
        raise TruthError(f"{truth}: names no account of the log; give the truth of this log")
    told = rows["is_extraction"].fillna(False).to_numpy(bool)
    ever = _grid([look.is_flagged for look in looks]).any(axis=0)
    return {
        "window_days": window_days,
        "n_looks": len(looks),
        "campaigns": by_campaign(rows, looks),
        "honest": _honest(rows["persona"].astype(str).to_numpy(object), ~told, ever),
    }


def by_campaign(rows: pd.DataFrame, looks: Sequence[Look]) -> dict[str, dict[str, Any]]:
    """Follow every campaign over looks; see `delay`.

    Parameters
    ----------
    rows: truth of the accounts, in the order in which they first came.
    """
    told = rows["is_extraction"].fillna(False).to_numpy(bool)
    taken, flagged = _grid([look.n_requests for look in looks]), _grid([look.is_flagged for look in looks])
    taken = taken * _harvest_share(rows)
    campaign = rows["campaign_id" if "campaign_id" in rows else "persona"].astype(str).to_numpy(object)
    ends = np.array([look.ends_us for look in looks]) / _DAY_US
    return {
        str(name): _campaign(taken[:, told & (campaign == name)], flagged[:, told & (campaign == name)] > 0, ends)
        for name in sorted(set(campaign[told]))
    }


def _grid(values: list[npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """Lay values of more and more accounts out, shape (n_looks, n_accounts); 0 before an account came."""
    grid = np.zeros((len(values), len(values[-1])))
    for row, some in zip(grid, values, strict=True):
        row[: len(some)] = some
    return grid


def _harvest_share(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    if "n_extraction_events" not in rows:
        return np.ones(len(rows))
    return (rows["n_extraction_events"] / rows["n_events"]).fillna(0.0).to_numpy(np.float64)


def _campaign(taken: npt.NDArray[np.float64], flagged: npt.NDArray[np.bool_], ends: Any) -> dict[str, Any]:
    """Follow one campaign; `taken` counts exchanges so far, shape (n_looks, n_members)."""
    total, n_flagged = taken.sum(axis=1), np.maximum.accumulate(flagged, axis=0).sum(axis=1)
    begins = int(np.argmax(total > 0))
    at_first, at_half = (
        _reached(n_flagged, min(least, taken.shape[1])) for least in (_FOUND, max(_FOUND, -(-taken.shape[1] // 2)))
    )
    first = np.where(flagged.any(axis=0), flagged.argmax(axis=0), len(taken) - 1)
    return {
        "n_accounts": taken.shape[1],
        "n_exchanges": round(float(total[-1])),
        "n_flagged_at_last": int(flagged[-1].sum()),
        "days_to_first_flag": None if at_first is None else float(ends[at_first] - ends[begins]) + 1.0,
        "days_to_half": None if at_half is None else float(ends[at_half] - ends[begins]) + 1.0,
        "leaked_before_first_flag": None if at_first is None else round(float(total[at_first])),
        "leaked_before_half": None if at_half is None else round(float(total[at_half])),
        "leaked_if_stopped": round(float(taken[first, np.arange(taken.shape[1])].sum())),
    }


def _reached(counts: npt.NDArray[np.int64], least: int) -> int | None:
    return int(np.argmax(counts >= least)) if (counts >= least).any() else None


def _honest(persona: Any, honest: Any, ever: Any) -> dict[str, Any]:
    names = sorted(set(persona[honest]))
    return {
        name: share_with_interval(int(ever[honest & (persona == name)].sum()), int((honest & (persona == name)).sum()))
        for name in names
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Lay delays out as text: a line per campaign, then the honest accounts flagged at any look."""
    shown = [
        f"{'campaign':<28}{'accounts':>9}{'exchanges':>11}{'days':>7}{'leaked':>9}{'to half':>9}{'if stopped':>12}"
    ]
    for name, row in found["campaigns"].items():
        share = [
            "never" if row[key] is None else f"{row[key] / max(row['n_exchanges'], 1):.1%}"
            for key in ("leaked_before_first_flag", "leaked_before_half", "leaked_if_stopped")
        ]
        days = "-" if row["days_to_first_flag"] is None else f"{row['days_to_first_flag']:g}"
        shown.append(
            f"{name[:27]:<28}{row['n_accounts']:>9}{row['n_exchanges']:>11}{days:>7}"
            f"{share[0]:>9}{share[1]:>9}{share[2]:>12}"
        )
    worst = max(found["honest"].items(), key=lambda item: item[1]["share"] or 0.0, default=None)
    if worst is not None:
        n_ever = sum(row["hits"] for row in found["honest"].values())
        shown.append(
            f"flagged at any of {found['n_looks']} looks: {n_ever} honest accounts, "
            f"worst {worst[0]} {worst[1]['share']:.2%} of {worst[1]['n']}"
        )
    return shown
