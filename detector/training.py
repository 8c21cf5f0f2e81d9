"""Labelled logs to a model file, by the same path as scoring: same profiles, same clusters, same features.

Of each log shorter windows can be learned from as well: who scores a day has accounts of a day, with fewer requests, no
second weekend, and silences that end with the log.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.claims import claim
from detector.detectors.fitting import TrainingSet, fit_model
from detector.detectors.modelfile import from_json, to_json
from detector.engines.embedded import EmbeddedEngine
from detector.errors import TruthError, UsageError, nearest
from detector.files import check_absent, new_file
from detector.labels import read_labels
from detector.logs.accounts import read_accounts
from detector.profiles.store import Profiles
from detector.progress import Tell, silent
from detector.reading import fold_log
from detector.settings import ScoreSettings
from detector.subjects import describe
from detector.windows import bounds_of


@dataclass(frozen=True)
class Source:
    """The files of a labelled log.

    Attributes
    ----------
    log: file, glob or folder, as scoring takes it.
    truth: who was what, see `labels.read_labels`.
    accounts: what is known of accounts besides their requests, where that is a file.
    """

    log: str
    truth: Path
    accounts: Path | None = None


@dataclass(frozen=True)
class Labelled:
    """A labelled log taken in.

    Attributes
    ----------
    features: of each labelled account's cluster, shape (n_rows, n_features); an account has a row for the whole log
        and one for each window in which it asked.
    rows: `is_extraction`, `cohort`, `cluster`, `window` and `length` of each, as in `fitting.TrainingSet`.
    level: evidence level of the log.
    digests: of its files.
    """

    features: pd.DataFrame
    rows: pd.DataFrame
    level: int
    digests: tuple[str, ...] = ()


def take_in(source: Source, settings: ScoreSettings, *, lengths: Sequence[int] = (), tell: Tell = silent) -> Labelled:
    """Fold a labelled log, whole and in windows, and compute the features of its labelled accounts.

    Parameters
    ----------
    lengths: of the windows [days].

    Raises
    ------
    TruthError
        The labels name no account of the log.
    """
    labels, threads = read_labels(source.truth), settings.input.n_threads
    known = None if source.accounts is None else read_accounts(source.accounts)

    def described(profiles: Profiles, window: int, length: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        if known is not None:
            profiles.enrich(known)
        subjects = describe(profiles, settings)
        rows = labels.reindex(subjects.pooled.index).assign(cluster=subjects.cluster, window=window, length=length)
        is_labelled = rows.is_extraction.notna().to_numpy()
        return subjects.pooled[is_labelled], rows[is_labelled].astype({"is_extraction": bool})

    with EmbeddedEngine(settings.input).open([source.log]) as log:
        whole = fold_log(log, threads=threads, tell=tell)
        parts = [described(whole, 0, 0)]
        if parts[0][1].empty:
            raise TruthError(f"{source.truth}: names no account of {source.log}")
        for window, (length, window_us) in enumerate(bounds_of(whole, lengths), start=1):
            profiles = fold_log(log, threads=threads, tell=tell, window_us=window_us)
            if len(profiles):
                parts.append(described(profiles, window, length))
        digests = tuple(sorted(log.digests().values()))
    features, rows = (pd.concat(kind) for kind in zip(*parts, strict=True))
    return Labelled(features, rows, whole.evidence_level, digests)


def training_set(logs: Sequence[Labelled]) -> TrainingSet:
    """Put labelled logs together; a feature that one lacks is absent for its accounts."""
    rows = pd.concat([log.rows.assign(log=number) for number, log in enumerate(logs)])
    cluster = [f"{log}/{window}/{c}" for log, window, c in zip(rows.log, rows.window, rows.cluster, strict=True)]
    return TrainingSet(
        pd.concat([log.features for log in logs]),
        rows.is_extraction.to_numpy(bool),
        np.array(cluster, dtype=object),
        rows.cohort.to_numpy(object),
        rows.log.to_numpy(np.int64),
        rows.length.to_numpy(np.int64),
        rows.window.to_numpy(np.int64),
    )


def without(logs: Sequence[Labelled], cohorts: Collection[str]) -> list[Labelled]:
    """Leave the accounts of some cohorts out of what is learned from; what they share with others still links those.

    Raises
    ------
    UsageError
        No label names such a cohort.
    """
    named = {cohort for log in logs for cohort in log.rows.cohort}
    if missing := sorted(set(cohorts) - named):
        raise UsageError(f"--leave-out {missing[0]!r}: no label names this cohort; {nearest(missing[0], named)}")
    kept = [~log.rows.cohort.isin(list(cohorts)).to_numpy() for log in logs]
    return [replace(log, features=log.features[k], rows=log.rows[k]) for log, k in zip(logs, kept, strict=True)]


def sources_of(logs: Sequence[str], truths: Sequence[Path], accounts: Sequence[Path]) -> list[Source]:
    """Put files together that were given in the same order.

    Raises
    ------
    UsageError
        There are not as many truths as logs, or neither as many accounts files nor none.
    """
    if len(truths) != len(logs) or len(accounts) not in (0, len(logs)):
        raise UsageError(f"{len(logs)} logs, {len(truths)} --truth, {len(accounts)} --accounts: give one per log")
    known: Sequence[Path | None] = accounts or [None] * len(logs)
    return [Source(*files) for files in zip(logs, truths, known, strict=True)]


def fit_logs(
    sources: Sequence[Source],
    settings: ScoreSettings,
    out: Path,
    *,
    windows: Sequence[int] = (),
    leave_out: Collection[str] = (),
    tell: Tell = silent,
) -> str:
    """Fit a model on labelled logs and write it.

    Parameters
    ----------
    out: the file to make.
    windows: lengths of the windows that are learned from beside whole logs [days]; none is whole logs alone.
    leave_out: cohorts whose accounts are not learned from, such as customers under contract.

    Returns
    -------
    The model's digest.

    Raises
    ------
    UsageError
        The folder of `out` is missing, or no label names a cohort that is left out.
    OutputNotEmptyError
        `out` is there already.
    TruthError
        Labels do not fit the logs, or hold one class only.
    """
    check_absent(out)
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {str(out.parent)!r}; make it, or give another --out")
    taken = [take_in(source, settings, lengths=windows, tell=tell) for source in sources]
    logs = without(taken, leave_out)
    tell("fitting")
    counted = {"logs": _counts(logs), "windows_days": sorted(set(windows)), "left_out": sorted(set(leave_out))}
    model = fit_model(training_set(logs), fitted_on=counted)
    text = to_json(model)
    sha256 = from_json(text, where=str(out)).sha256
    with claim(out), new_file(out, mode=0o644) as staging:
        staging.write_text(text, encoding="utf-8")
    return sha256


def _counts(logs: Sequence[Labelled]) -> list[dict[str, Any]]:
    return [{"sha256": list(log.digests), "n_accounts": int((log.rows.window == 0).sum())} for log in logs]
