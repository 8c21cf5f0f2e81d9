"""What a detector loses that was trained on other logs: models fitted on labelled logs, judged side by side on others.

Trained once on generated logs and once on replays of real data, the difference is the generator's own score. Features
that any log lacks are left out for all, so that no model is judged on less than it learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from detector.detectors.fitting import fit_model
from detector.detectors.model import AdditiveModel
from detector.errors import InputUnreadableError, UsageError
from detector.settings import ScoreSettings
from detector.training import Labelled, Source, take_in, training_set
from simulations.benchmark.evaluate import auc, threshold_at

RATE = 1e-3


def read_labelled(folder: Path) -> Labelled:
    """Take in the log of a folder as `generate` writes it, or a replay.

    Parameters
    ----------
    folder: holds `events` and `truth.parquet` and, where sign-ups are known, `accounts`.

    Raises
    ------
    InputUnreadableError
        The folder lacks the log or its truth.
    TruthError
        The truth names no account of the log.
    """
    events, truth = found_in(folder, "events"), found_in(folder, "truth")
    if events is None or truth is None:
        raise InputUnreadableError(f"{folder}: holds no events or no truth; give a folder that 'generate' wrote")
    return take_in(Source(str(events), truth, found_in(folder, "accounts")), ScoreSettings())


def found_in(folder: Path, stem: str) -> Path | None:
    """Give the table of a folder by its stem, whatever its format; None where there is none."""
    places = [folder / f"{stem}.{ending}" for ending in ("parquet", "csv", "jsonl")]
    return next((place for place in places if place.exists()), None)


def transfer(
    training: Mapping[str, Sequence[Labelled]], judged: Sequence[Labelled], *, rate: float = RATE
) -> dict[str, Any]:
    """Fit one model on each set of logs and judge all of them on the same logs.

    Parameters
    ----------
    training: logs to train on, by the name of the model.
    judged: logs to judge on; none of them may be trained on.
    rate: false-positive rate at which recall is read.

    Returns
    -------
    JSON-ready: `rate`, `n_features`, and `cohorts`: for each campaign, `n_accounts` over all judged logs and, by model,
    `recall`, its `low` and `high` over the logs, and `auc` against all honest accounts, each a mean over the logs that
    have the campaign; `all` stands for every extracting account.

    Raises
    ------
    UsageError
        Nothing is there to train or to judge on, or a judged log has too few honest accounts for the rate.
    TruthError
        The logs of a model hold one class only.
    """
    if not judged or not training or not all(training.values()):
        raise UsageError("a transfer needs logs to judge on and, for every model, logs to train on; give some of each")
    every = [log for logs in (*training.values(), judged) for log in logs]
    names = [name for name in every[0].features if all(name in log.features for log in every)]
    level = min(log.level for log in every)
    models = {name: _fitted(logs, names, level) for name, logs in training.items()}
    rows = [row for log in judged for row in _rows(log, models, names, level, rate)]
    return {"rate": rate, "n_features": len(names), "cohorts": _means(pd.DataFrame(rows))}


def _fitted(logs: Sequence[Labelled], names: list[str], level: int) -> AdditiveModel:
    narrowed = [replace(log, features=log.features[names]) for log in logs]
    return fit_model(training_set(narrowed), fitted_on={}, levels=(level,))


def _rows(
    log: Labelled, models: Mapping[str, AdditiveModel], names: list[str], level: int, rate: float
) -> list[dict[str, Any]]:
    told, cohort = log.rows["is_extraction"].to_numpy(bool), log.rows["cohort"].to_numpy(object)
    n_honest = int((~told).sum())
    if n_honest * rate < 1.0:
        raise UsageError(f"{n_honest} honest accounts cannot show a false-positive rate of {rate:g}; give a larger log")
    rows = []
    for model, fitted in models.items():
        scores = fitted.judge(log.features[names], level).scores
        above = scores > threshold_at(scores[~told], rate)
        for name, who in {"all": told, **{str(kind): told & (cohort == kind) for kind in set(cohort[told])}}.items():
            recall = float(above[who].mean()) if who.any() else float("nan")
            found = {"recall": recall, "auc": auc(scores[who], scores[~told])}
            rows.append({"cohort": name, "model": model, "n_accounts": int(who.sum()), **found})
    return rows


def _means(rows: pd.DataFrame) -> dict[str, Any]:
    cohorts: dict[str, Any] = {}
    for (cohort, model), some in rows[rows["n_accounts"] > 0].groupby(["cohort", "model"], sort=True):
        found = cohorts.setdefault(str(cohort), {"n_accounts": int(some["n_accounts"].sum()), "models": {}})
        recall = some["recall"]
        found["models"][str(model)] = {
            "recall": round(float(recall.mean()), 3),
            "low": round(float(recall.min()), 3),
            "high": round(float(recall.max()), 3),
            "auc": round(float(some["auc"].astype(float).mean()), 4),
        }
    return cohorts


def lines(found: Mapping[str, Any]) -> list[str]:
    """Lay a transfer out as text: a line per campaign, recall and AUC of each model side by side."""
    models = sorted({name for cohort in found["cohorts"].values() for name in cohort["models"]})
    title = f"recall at fpr {found['rate']:g} (least to most over logs), auc"
    written = [f"{title:<48}" + "".join(f"{name:>32}" for name in models)]
    for cohort, row in found["cohorts"].items():
        cells = [row["models"][name] for name in models]
        shown = [f"{c['recall']:.2f} ({c['low']:.2f} to {c['high']:.2f}), {c['auc']:.4f}" for c in cells]
        written.append(f"{cohort:<40}{row['n_accounts']:>8}" + "".join(f"{text:>32}" for text in shown))
    return written
