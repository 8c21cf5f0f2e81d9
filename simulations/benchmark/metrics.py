"""The figures of a benchmark. Each declares name, goal, unit, bounds and tolerance, and computes itself on weights.

With every account weighing one it is the figure; with resampled weights its spread. What a population cannot support is
refused with a reason, never estimated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """What one detector said of a labelled population; every array of shape (n_accounts,).

    Attributes
    ----------
    score: log-odds; -inf where an account has none.
    is_flagged: at the suite's budget.
    is_discovered: flagged at the suite's false discovery rate; None where the detector cannot promise one.
    n_same, n_found, n_true: of a campaign's account: others of its campaign in its cluster, all others in its cluster,
        all others of its campaign.
    n_members: others in its cluster that are any campaign's.
    leaked: share of its campaign's exchanges taken before the first flag, at one account of each campaign, else NaN.
    days: until that flag [days], likewise.
    """

    score: Reals
    is_extraction: Flags
    is_flagged: Flags
    is_discovered: Flags | None
    n_same: Reals
    n_found: Reals
    n_true: Reals
    n_members: Reals
    leaked: Reals
    days: Reals
    budget: float
    fdr: float
    capacity: float


Compute = Callable[[Sample, Reals], Reals]


@dataclass(frozen=True)
class Metric:
    """A figure.

    Attributes
    ----------
    tolerance: by which it may be worse than a baseline's, in its unit.
    compute: a sample and weights of shape (n_draws, n_accounts) to values of shape (n_draws,), NaN where undefined.
    refuse: a sample to the reason why it cannot show the figure, "" where it can.
    is_of_linkage: clusters alone decide it, so it is the same for every detector.
    is_of_honest: honest accounts are what is counted.
    found: of a share of campaigns' accounts, which accounts it counts, shape (n_accounts,); None of other figures.
    """

    name: str
    goal: Literal["high", "low"]
    unit: str
    bounds: tuple[float, float | None]
    tolerance: float
    meaning: str
    compute: Compute
    refuse: Callable[[Sample], str] = field(default=lambda sample: "")
    is_of_linkage: bool = False
    is_of_honest: bool = False
    found: Callable[[Sample], Flags] | None = None

    def count(self, sample: Sample) -> int:
        """Count the accounts that the figure is a share or a mean of."""
        return int((sample.is_extraction != self.is_of_honest).sum())


def _share(hits: Reals, weights: Reals) -> Reals:
    """Average values by weight; shape (n_draws,)."""
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ hits) / total, np.float64)


def recall_at(rate: float, sample: Sample, weights: Reals) -> Reals:
    """Give the share of campaigns' accounts above the score that at most a share `rate` of honest ones exceeds.

    The score is that of `evaluate.threshold_at`.
    """
    honest, harvest = ~sample.is_extraction, sample.is_extraction
    order = np.argsort(-sample.score[honest], kind="stable")
    ranked, drawn = sample.score[honest][order], weights[:, honest][:, order]
    room = rate * (drawn.sum(axis=1, keepdims=True) - 1.0) * (1 + 1e-12)
    place = np.minimum((np.cumsum(drawn, axis=1) <= room).sum(axis=1), len(ranked) - 1)
    own, scores = weights[:, harvest], sample.score[harvest]
    with np.errstate(invalid="ignore"):
        return np.asarray((own * (scores > ranked[place][:, None])).sum(axis=1) / own.sum(axis=1), np.float64)


def _found_at(rate: float, sample: Sample) -> Flags:
    """Mark the accounts that `recall_at` counts where every account weighs one."""
    ranked = np.sort(sample.score[~sample.is_extraction])[::-1]
    place = min(int(rate * (len(ranked) - 1.0) * (1 + 1e-12)), len(ranked) - 1)
    return np.asarray(sample.is_extraction & (sample.score > ranked[place]))


def _found_flagged(sample: Sample) -> Flags:
    return np.asarray(sample.is_extraction & sample.is_flagged)


def _precision(sample: Sample, weights: Reals) -> Reals:
    """Give the share of campaigns' accounts among the highest scores that reviewers have room for."""
    # Equal scores: honest accounts first, so that a detector gains nothing by ties.
    order = np.lexsort([sample.is_extraction, -sample.score])
    drawn, is_right = weights[:, order], sample.is_extraction[order]
    room = sample.capacity * drawn.sum(axis=1, keepdims=True)
    before = np.cumsum(drawn, axis=1) - drawn
    taken = np.clip(room - before, 0.0, drawn)
    return np.asarray((taken * is_right).sum(axis=1) / taken.sum(axis=1), np.float64)


def _wrong_flags(sample: Sample, weights: Reals) -> Reals:
    return 1e4 * _share(sample.is_flagged[~sample.is_extraction].astype(np.float64), weights[:, ~sample.is_extraction])


def _over_budget(sample: Sample, weights: Reals) -> Reals:
    return _wrong_flags(sample, weights) / 1e4 / sample.budget


def _flagged(sample: Sample, weights: Reals) -> Reals:
    return _share(sample.is_flagged[sample.is_extraction].astype(np.float64), weights[:, sample.is_extraction])


def _false_discoveries(sample: Sample, weights: Reals) -> Reals:
    discovered = np.zeros(len(sample.score), bool) if sample.is_discovered is None else sample.is_discovered
    found = weights[:, discovered]
    wrong = found[:, ~sample.is_extraction[discovered]].sum(axis=1)
    return np.asarray(wrong / np.maximum(found.sum(axis=1), 1.0), np.float64)


def _pairs(sample: Sample, weights: Reals) -> tuple[Reals, Reals, Reals, Reals]:
    values = (sample.n_same, sample.n_found, sample.n_true, sample.n_members)
    same, found, true, members = (weights @ np.where(sample.is_extraction, value, 0.0) for value in values)
    return same, found, true, members


def _pair_f1(sample: Sample, weights: Reals) -> Reals:
    same, found, true, _ = _pairs(sample, weights)
    return np.asarray(2 * same / np.maximum(found + true, 1e-12), np.float64)


def _adjusted_rand(sample: Sample, weights: Reals) -> Reals:
    """Hubert, Arabie (1985), "Comparing partitions", over the accounts of campaigns; twice the pairs cancels out."""
    same, _, true, members = _pairs(sample, weights)
    n = (weights * sample.is_extraction).sum(axis=1)
    expected = true * members / np.maximum(n * (n - 1), 1.0)
    most = (true + members) / 2
    return np.asarray((same - expected) / np.where(most > expected, most - expected, np.nan), np.float64)


def _mean_of(name: Literal["leaked", "days"], sample: Sample, weights: Reals) -> Reals:
    values: Reals = getattr(sample, name)
    known = ~np.isnan(values)
    return _share(values[known], weights[:, known])


def _no_harvest(sample: Sample) -> str:
    return "" if sample.is_extraction.any() else "no campaign is in it"


def _too_few(rate: float, sample: Sample) -> str:
    n = int((~sample.is_extraction).sum())
    if n * rate < 1.0 - 1e-9:
        return f"{n} honest accounts cannot show a false-positive rate of {rate:g}"
    return _no_harvest(sample)


def _no_honest(sample: Sample) -> str:
    return "no honest account is in it" if sample.is_extraction.all() else ""


def _no_rate(sample: Sample) -> str:
    return "the detector has no honest reference that could promise a rate" if sample.is_discovered is None else ""


def _no_pairs(sample: Sample) -> str:
    return "" if (sample.n_true > 0).any() else "no campaign has two accounts"


def _no_looks(sample: Sample) -> str:
    return "" if (~np.isnan(sample.leaked)).any() else "it is not looked at as it grows"


def _metrics() -> tuple[Metric, ...]:
    share = (0.0, 1.0)
    recalls = [
        Metric(
            f"recall_at_fpr_{rate:g}", "high", "share", share, 0.01,
            f"campaigns' accounts above all but a share {rate:g} of honest ones",
            partial(recall_at, rate), partial(_too_few, rate), found=partial(_found_at, rate),
        )
        for rate in (1e-3, 1e-4)
    ]  # fmt: skip
    return (
        *recalls,
        Metric("recall_flagged", "high", "share", share, 0.01, "campaigns' accounts flagged at the budget",
               _flagged, _no_harvest, found=_found_flagged),
        Metric("precision_at_capacity", "high", "share", share, 0.02, "campaigns' accounts among those opened first",
               _precision, _no_harvest),
        Metric("false_positives_per_10000", "low", "accounts of 10,000", (0.0, 1e4), 2.0,
               "honest accounts flagged at the budget", _wrong_flags, _no_honest, is_of_honest=True),
        Metric("fpr_over_budget", "low", "times", (0.0, None), 0.5, "achieved false-positive rate over the stated one",
               _over_budget, _no_honest, is_of_honest=True),
        Metric("false_discovery_share", "low", "share", share, 0.02, "honest ones among those flagged at the stated "
               "false discovery rate", _false_discoveries, _no_rate, is_of_honest=True),
        Metric("leaked_before_flag", "low", "share of exchanges", share, 0.02,
               "taken before two accounts of a campaign are flagged", partial(_mean_of, "leaked"), _no_looks),
        Metric("days_to_flag", "low", "days", (0.0, None), 0.5, "until two accounts of a campaign are flagged, or the "
               "log ends", partial(_mean_of, "days"), _no_looks),
        Metric("pair_f1", "high", "share", share, 0.02, "pairs of a campaign in one cluster, against all pairs of "
               "clusters with a campaign", _pair_f1, _no_pairs, is_of_linkage=True),
        Metric("adjusted_rand", "high", "index", (-1.0, 1.0), 0.02, "clusters against campaigns, beyond chance",
               _adjusted_rand, _no_pairs, is_of_linkage=True),
    )  # fmt: skip


#: Tolerances are chosen: below them a difference changes no decision of a team.
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _metrics()}
