"""Labelled logs to a model file, by the same path as scoring: same profiles, same clusters, same features.

Of each log shorter windows can be learned from as well: who scores a day has accounts of a day, with fewer requests, no
second weekend, and silences that end with the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.detectors.fitting import TrainingSet, fit_model
from detector.detectors.modelfile import from_json, to_json
from detector.engines.embedded import EmbeddedEngine
from detector.errors import InputUnreadableError, OutputNotEmptyError, TruthError, UsageError
from detector.logs.accounts import read_accounts
from detector.profiles.store import Profiles
from detector.progress import Tell, silent
from detector.reading import fold_log
from detector.settings import ScoreSettings
from detector.subjects import describe

#: Windows of one length that a log gives at most (chosen: some weekdays and a weekend, its beginning and its end).
_MOST_WINDOWS = 4
_DAY_US = 86_400_000_000
_FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def _read(path: Path) -> pd.DataFrame:
    """Read a file as it is: in CSV every cell is text, so that account 007 stays 007."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputUnreadableError(f"{path}: labels cannot be read; give Parquet or CSV") from error


def read_labels(path: Path) -> pd.DataFrame:
    """Read who was what.

    Returns
    -------
    Indexed by account: `is_extraction`, and `cohort`, its campaign or kind of customer where the file has one.

    Raises
    ------
    InputUnreadableError
        The file is missing or neither Parquet nor CSV.
    TruthError
        It lacks ``account_id`` or ``is_extraction``, names an account twice, or a label is neither true nor false.
    """
    labels = _read(path)
    missing = {"account_id", "is_extraction"} - set(labels)
    if missing:
        raise TruthError(f"{path}: no column {sorted(missing)[0]!r}; labels need account_id and is_extraction")
    if labels.account_id.duplicated().any():
        raise TruthError(f"{path}: an account_id stands in two rows; keep one row per account")
    told = labels.is_extraction.map(lambda value: _FLAGS.get(str(value).lower()))
    if told.isna().any():
        raise TruthError(f"{path}: is_extraction holds what is neither true nor false; give true or false")
    cohort = labels["persona"] if "persona" in labels else told.map({True: "extraction", False: "honest"})
    frame = pd.DataFrame({"is_extraction": told.astype(bool), "cohort": cohort.astype(str)})
    return frame.set_axis(pd.Index(labels.account_id.astype(str), name="account_id"))


def lengths_of(text: str) -> list[int]:
    """Read lengths of windows in days, as in "1,7"; an empty text is none.

    Raises
    ------
    UsageError
        One is not a whole number of days from 1 on.
    """
    lengths = [part.strip() for part in text.split(",") if part.strip()]
    if wrong := [part for part in lengths if not (part.isdecimal() and part.isascii() and int(part))]:
        raise UsageError(f"--windows {wrong[0]!r}: give whole days from 1 on, as in 1,7")
    return [int(part) for part in lengths]


def windows_of(n_days: int, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Lay windows over a log, spread evenly and apart from each other.

    Parameters
    ----------
    n_days: days that the log covers.
    lengths: of the windows [days]; those as long as the log or longer give none.

    Returns
    -------
    First day and length of each window.

    Examples
    --------
    >>> windows_of(14, [1, 7, 28])
    [(0, 1), (4, 1), (8, 1), (13, 1), (0, 7), (7, 7)]
    """
    shorter = sorted({length for length in lengths if length < n_days})
    begins = {n: np.linspace(0, n_days - n, min(n_days // n, _MOST_WINDOWS)).astype(int).tolist() for n in shorter}
    return [(begin, length) for length in shorter for begin in begins[length]]


@dataclass(frozen=True)
class _Labelled:
    """Number and labels of a log, and what is known of its accounts."""

    number: int
    labels: pd.DataFrame
    known: pa.Table | None

    def described(self, profiles: Profiles, settings: ScoreSettings, window: int, length: int) -> list[pd.DataFrame]:
        """Give features and labels of the labelled accounts."""
        if self.known is not None:
            profiles.enrich(self.known)
        subjects = describe(profiles, settings)
        rows = self.labels.reindex(subjects.pooled.index)
        cluster = [f"{self.number}/{window}/{c}" for c in subjects.cluster]
        rows = rows.assign(cluster=cluster, log=self.number, window=window, length=length)
        labelled = rows.is_extraction.notna().to_numpy()
        return [subjects.pooled[labelled], rows[labelled]]


def _one_log(
    number: int,
    log: str,
    truth: Path,
    accounts: Path | None,
    settings: ScoreSettings,
    *,
    lengths: Sequence[int],
    tell: Tell,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    labels, threads = read_labels(truth), settings.input.n_threads
    with EmbeddedEngine(settings.input).open([log]) as opened:
        labelled = _Labelled(number, labels, None if accounts is None else read_accounts(accounts))
        profiles = fold_log(opened, threads=threads, tell=tell)
        digests, volume = opened.digests(), profiles.trimmed()["volume"]
        midnight = int(volume.first_at.min()) // _DAY_US * _DAY_US
        n_days = (int(volume.last_at.max()) - midnight) // _DAY_US + 1
        parts = [labelled.described(profiles, settings, 0, 0)]
        if parts[0][1].empty:
            raise TruthError(f"{truth}: names no account of {log}")
        for window, (begin, length) in enumerate(windows_of(n_days, lengths), start=1):
            window_us = midnight + begin * _DAY_US, midnight + (begin + length) * _DAY_US
            profiles = fold_log(opened, threads=threads, tell=tell, window_us=window_us)
            if len(profiles):
                parts.append(labelled.described(profiles, settings, window, length))
    features, rows = (pd.concat(kind) for kind in zip(*parts, strict=True))
    return features, rows, {"sha256": sorted(digests.values()), "n_accounts": len(parts[0][1])}


def fit_logs(
    logs: Sequence[str],
    truths: Sequence[Path],
    accounts: Sequence[Path],
    settings: ScoreSettings,
    out: Path,
    *,
    windows: Sequence[int] = (),
    tell: Tell = silent,
) -> str:
    """Fit a model on labelled logs and write it.

    Parameters
    ----------
    logs, truths, accounts: as many truths as logs, in the same order; as many accounts files, or none.
    out: the file to make.
    windows: lengths of the windows that are learned from beside whole logs [days]; none is whole logs alone.

    Returns
    -------
    The model's digest.

    Raises
    ------
    UsageError
        The numbers of files do not match, or the folder of `out` is missing.
    OutputNotEmptyError
        `out` is there already.
    TruthError
        Labels do not fit the logs, or hold one class only.
    """
    if len(truths) != len(logs) or len(accounts) not in (0, len(logs)):
        raise UsageError(f"{len(logs)} logs, {len(truths)} --truth, {len(accounts)} --accounts: give one per log")
    if out.exists():
        raise OutputNotEmptyError(f"{out}: is there already; give another --out")
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {str(out.parent)!r}; make it, or give another --out")
    parts = [
        _one_log(i, log, truths[i], accounts[i] if accounts else None, settings, lengths=windows, tell=tell)
        for i, log in enumerate(logs)
    ]
    features = pd.concat([part[0] for part in parts])
    rows = pd.concat([part[1] for part in parts])
    training = TrainingSet(
        features,
        rows.is_extraction.to_numpy(bool),
        rows.cluster.to_numpy(object),
        rows.cohort.to_numpy(object),
        rows.log.to_numpy(np.int64),
        rows.length.to_numpy(np.int64),
        rows.window.to_numpy(np.int64),
    )
    tell("fitting")
    model = fit_model(training, fitted_on={"logs": [part[2] for part in parts], "windows_days": sorted(set(windows))})
    text = to_json(model)
    sha256 = from_json(text, where=str(out)).sha256
    staged = out.with_name(f".{out.name}.part")
    staged.write_text(text, encoding="utf-8")
    staged.rename(out)
    return sha256
