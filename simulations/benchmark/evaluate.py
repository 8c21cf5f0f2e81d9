"""Figures of scored accounts against the truth: ranking, recall at a false-positive rate, flags and actions.

A figure that the number of accounts cannot support is refused with a reason, never estimated. Error rates are given
per honest cohort, because a pooled rate hides who pays for it.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from detector.errors import UsageError, nearest
from detector.intervals import share_with_interval
from detector.pseudonyms import ACCOUNT, Pseudonyms
from simulations.benchmark.inputs import joined, read_scored, read_truth
from simulations.benchmark.sheet import write_json
from simulations.streams import Flags, Reals

#: Honest personas that call from programs: of this package, then of replays of real traces.
MACHINES = (
    "product_backend", "writing_product", "release_chaser", "labelling", "extraction_jobs", "translation", "evaluation",
    "licensed_data", "nightly_etl", "load_test", "reseller", "coding_agent", "agent_team", "chat_bot",
    "bulk_work", "app_backend", "developer", "relay", "key_swarm", "writer_app",
)  # fmt: skip
RATES = (1e-4, 1e-3, 1e-2)


def evaluate(
    scored: Path,
    truth: Path,
    *,
    out: Path | None = None,
    machines: Iterable[str] = (),
    pseudonyms: Pseudonyms | None = None,
) -> dict[str, Any]:
    """Measure scored accounts and write the figures.

    Parameters
    ----------
    scored: output folder of `score`, or its accounts as Parquet or CSV.
    truth: truth of the scored log.
    out: JSON file to write; none writes nothing.
    machines: honest personas that count as machines besides `MACHINES`.
    pseudonyms: under which the log was scored; the truth holds names. None where both are alike already.

    Raises
    ------
    TruthError
        The truth lacks a column or shares no account with the scores.
    NotScoredError
        `scored` holds no scored accounts.
    UsageError
        A machine is no persona of the truth.
    """
    told = read_truth(truth)
    if pseudonyms is not None:
        told = told.assign(account_id=[pseudonyms.name(ACCOUNT, name) for name in told["account_id"]])
    table, machines = joined(read_scored(scored), told), tuple(machines)
    known = sorted(table["persona"].astype(str).unique())
    for name in machines:
        if name not in known:
            raise UsageError(f"--machine {name!r}: the truth has no such persona; {nearest(name, known)}")
    figures = judge(table, machines=machines)
    if out is not None:
        write_json(figures, out)
    return figures


def judge(table: pd.DataFrame, *, machines: Iterable[str] = ()) -> dict[str, Any]:
    """Compute all figures.

    Parameters
    ----------
    table: one row per account of the truth with `persona`, `is_extraction`, `score` and, where scored so,
        `is_flagged` and `action`. A missing score counts as the lowest of all.

    Returns
    -------
    JSON-ready figures; null where a class is empty.
    """
    missing = table["score"].isna().to_numpy(dtype=bool)
    scores = np.where(missing, -np.inf, table["score"].to_numpy(dtype=float, na_value=np.nan))
    honest = ~table["is_extraction"].to_numpy(dtype=bool)
    persona = table["persona"].astype(str).to_numpy(dtype=object)
    machine = honest & np.isin(persona, [*MACHINES, *machines])
    return {
        "n_accounts": len(table),
        "n_honest": int(honest.sum()),
        "n_missing": int(missing.sum()),
        "auc_all": auc(scores[~honest], scores[honest]),
        "auc_vs_people": auc(scores[~honest], scores[honest & ~machine]),
        "auc_vs_machines": auc(scores[~honest], scores[machine]),
        "average_precision": average_precision(scores, ~honest),
        **_at_rates(scores, honest, persona),
        **_flags(table, honest, persona),
        **_actions(table, honest, persona),
    }


def auc(positive: Reals, negative: Reals) -> float | None:
    """Give the chance that a positive outscores a negative, ties counted half."""
    n, m = len(positive), len(negative)
    if not n or not m:
        return None
    ranks = rankdata(np.concatenate([positive, negative]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def average_precision(scores: Reals, positive: Flags) -> float | None:
    """Sum precision over the steps in recall; equal scores are one step."""
    if not positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits, ends = (
        np.cumsum(positive[order]),
        np.append(np.flatnonzero(np.diff(rankdata(scores)[order])), len(scores) - 1),
    )
    recall_steps = np.diff(np.concatenate([[0], hits[ends]])) / hits[-1]
    return float((recall_steps * hits[ends] / (ends + 1)).sum())


def threshold_at(scores: Reals, rate: float) -> float:
    """Find the score that at most a share `rate` of the given accounts exceeds."""
    return float(np.sort(scores)[math.ceil((len(scores) - 1) * (1 - rate))])


def _at_rates(scores: Reals, honest: Flags, persona: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {"refused": {}, "recall_intervals": {}}
    n_honest = int(honest.sum())
    for rate in RATES:
        if n_honest * rate < 1.0 - 1e-9:
            figures["refused"][f"fpr_{rate:g}"] = (
                f"{n_honest} honest accounts cannot show a false-positive rate of {rate:g}; "
                f"at least {math.ceil(1 / rate - 1e-6)} are needed"
            )
            continue
        above = scores > threshold_at(scores[honest], rate)
        recalls = _by_persona(above, persona, ~honest)
        figures["recall_intervals"][f"{rate:g}"] = recalls
        figures[f"recall_at_fpr_{rate:g}"] = {name: _rounded(found["share"], 3) for name, found in recalls.items()}
        figures[f"false_positives_at_fpr_{rate:g}"] = _counts(persona[honest & above])
    return figures


def _flags(table: pd.DataFrame, honest: Flags, persona: Any) -> dict[str, Any]:
    if "is_flagged" not in table:
        return {}
    flagged = table["is_flagged"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    everyone = np.ones(len(table), dtype=bool)
    shares = _by_persona(flagged, persona, everyone)
    right, wrong = int((flagged & ~honest).sum()), int((flagged & honest).sum())
    return {
        "flagged": int(flagged.sum()),
        "honest_flagged": share_with_interval(wrong, int(honest.sum())),
        "false_discovery_proportion": share_with_interval(wrong, right + wrong),
        "precision_of_flags": right / max(1, int(flagged.sum())),
        "precision_interval": share_with_interval(right, int(flagged.sum())),
        "flagged_share": {name: _rounded(found["share"], 4) for name, found in shares.items()},
        "flagged_intervals": shares,
        "false_positives_flagged": _counts(persona[honest & flagged]),
    }


def _actions(table: pd.DataFrame, honest: Flags, persona: Any) -> dict[str, Any]:
    if "action" not in table:
        return {}
    taken = table["action"].astype(object)
    pairs = [f"{who}/{what}" for who, what in zip(persona, taken, strict=True) if not pd.isna(what)]
    revoked = (taken == "revoke").to_numpy(dtype=bool)
    return {
        "actions": _counts(np.array(pairs, dtype=object)),
        "wrongful_revocations_per_10000": _by_persona(revoked, persona, honest, per=1e4),
    }


def _by_persona(hit: Flags, persona: Any, among: Flags, *, per: float = 1.0) -> dict[str, dict[str, Any]]:
    members = {str(name): among & (persona == name) for name in sorted(set(persona[among]))}
    return {name: share_with_interval(int(hit[who].sum()), int(who.sum()), per=per) for name, who in members.items()}


def _counts(names: Any) -> dict[str, int]:
    found, n = np.unique(names.astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(found, n, strict=True)}


def _rounded(share: float | None, digits: int) -> float | None:
    return None if share is None else round(share, digits)
