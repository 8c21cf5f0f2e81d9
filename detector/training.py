"""Labelled logs to a model file, by the same path as scoring: same profiles, same clusters, same features."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.fitting import TrainingSet, fit_model
from detector.detectors.model import from_json, to_json
from detector.engines.embedded import EmbeddedEngine
from detector.errors import InputUnreadableError, OutputNotEmptyError, TruthError, UsageError
from detector.judging import describe
from detector.logs.accounts import read_accounts
from detector.progress import Tell, silent
from detector.reading import fold_log
from detector.settings import ScoreSettings

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


def _one_log(
    number: int, log: str, truth: Path, accounts: Path | None, settings: ScoreSettings, tell: Tell
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    labels = read_labels(truth)
    with EmbeddedEngine(settings.input).open([log]) as opened:
        profiles = fold_log(opened, threads=settings.input.threads or os.cpu_count() or 1, tell=tell)
        digests = opened.digests()
    if accounts is not None:
        profiles.enrich(read_accounts(accounts))
    subjects = describe(profiles, settings)
    known = labels.reindex(subjects.pooled.index)
    if known.is_extraction.isna().all():
        raise TruthError(f"{truth}: names no account of {log}")
    rows = known.assign(cluster=[f"{number}/{c}" for c in subjects.cluster], log=number)
    labelled = known.is_extraction.notna().to_numpy()
    record = {"sha256": sorted(digests.values()), "n_accounts": int(labelled.sum())}
    return subjects.pooled[labelled], rows[labelled], record


def fit_logs(
    logs: Sequence[str],
    truths: Sequence[Path],
    accounts: Sequence[Path],
    settings: ScoreSettings,
    out: Path,
    *,
    tell: Tell = silent,
) -> str:
    """Fit a model on labelled logs and write it.

    Parameters
    ----------
    logs, truths, accounts: as many truths as logs, in the same order; as many accounts files, or none.
    out: the file to make.

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
        _one_log(i, log, truths[i], accounts[i] if accounts else None, settings, tell) for i, log in enumerate(logs)
    ]
    features = pd.concat([part[0] for part in parts])
    rows = pd.concat([part[1] for part in parts])
    training = TrainingSet(
        features,
        rows.is_extraction.to_numpy(bool),
        rows.cluster.to_numpy(object),
        rows.cohort.to_numpy(object),
        rows.log.to_numpy(np.int64),
    )
    tell("fitting")
    model = fit_model(training, fitted_on={"logs": [part[2] for part in parts]})
    text = to_json(model)
    sha256 = from_json(text, where=str(out)).sha256
    staged = out.with_name(f".{out.name}.part")
    staged.write_text(text, encoding="utf-8")
    staged.rename(out)
    return sha256
