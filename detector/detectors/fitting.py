"""Fit the additive model: hat functions on quantile knots, products within a family, logistic loss, ridge penalty.

Each feature's hats are centred over the training profiles, so that an average value adds nothing and an absent one,
which adds nothing, is treated as average. So are the places that pairs multiply. References: Eilers and Marx,
"Flexible smoothing with B-splines and penalties" (Statistical Science 1996), with first-degree splines and a plain
ridge; Lou, Caruana, Gehrke, Hooker, "Accurate intelligible models with pairwise interactions" (KDD 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Cohorts, Reference, Values
from detector.detectors.lookalikes import kinds_of
from detector.detectors.model import AdditiveModel, Curve, Level, Pairs, contribute
from detector.detectors.population import population_of
from detector.errors import TruthError
from detector.features.catalogue import FEATURES

#: Chosen on corpora held out in turn: more knots or a weaker ridge fit the corpora at hand and carry over less.
KNOTS = 8
RIDGE = 0.01
#: Of the weights of pairs, stronger than of curves. Chosen likewise: .001 to .002 raised recall in each of seven splits
#: that hold out corpora and clients; .01, over pairs of all families, lost harvests that keep a person's hours.
PAIR_RIDGE = 0.002
#: Families whose features are paired. Within a family, so that families stay independent evidence; identity is assumed
#: in the training logs, so how its features meet there tells how they were made.
PAIRED = ("rate", "content")
#: Shares of the weight of training profiles at which the places of a scale lie (chosen).
_PLACES = np.linspace(0.02, 0.98, 9)
#: Character classes tell corpora apart better than they tell harvests from work: held-out recall rose without them.
#: The last four moved no figure, on replays or in generated worlds; in lock-step links and the report they are used.
LEFT_OUT = frozenset(
    {
        "foreign_share",
        "digit_share",
        "newline_share",
        "punctuation_share",
        "word_length",
        "upper_share",
        "multiline_share",
        "open_end_share",
        "lock_step",
        "handover",
        "temperature",
        "choices",
    }
)
#: Chosen: share of accounts that extract, before any evidence.
BASE_RATE = 0.005
#: Smaller cohorts cannot show a rate (chosen).
LEAST_COHORT = 20
#: Honest scores that the reference keeps: ranks spaced evenly in the logarithm of the share above.
_KEPT = 300
_LEVELS = (0, 1, 2, 3)
#: Total weight of extraction against that of honest profiles.
_BALANCE = 0.25


@dataclass(frozen=True)
class TrainingSet:
    """Labelled profiles, one row per account, features of its cluster.

    Attributes
    ----------
    features: shape (n, n_features).
    is_extraction: shape (n,).
    cluster: any label that is the same for accounts of one cluster, shape (n,).
    cohort: kind of customer or campaign; each kind counts alike, shape (n,).
    log: number of the log that a row is from, shape (n,).
    length: days of the window of its log that the row is of, 0 for the whole log, shape (n,); None is all whole.
    window: number of that window among those of its log, 0 for the whole log, shape (n,); None is all whole.
    """

    features: pd.DataFrame
    is_extraction: npt.NDArray[np.bool_]
    cluster: npt.NDArray[np.object_]
    cohort: npt.NDArray[np.object_]
    log: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64] | None = None
    window: npt.NDArray[np.int64] | None = None

    @property
    def places(self) -> pd.DataFrame:
        """Give log, length and window of each row; shape (n, 3)."""
        none = np.zeros(len(self.log), np.int64)
        length, window = (none if x is None else x for x in (self.length, self.window))
        return pd.DataFrame({"log": self.log, "length": length, "window": window})

    @property
    def is_whole(self) -> npt.NDArray[np.bool_]:
        """Mark the rows of whole logs, one per account; shape (n,)."""
        return (self.places.length == 0).to_numpy()

    @property
    def repeats(self) -> Values:
        """Count the windows of a row's length in its log, between which its accounts repeat; shape (n,)."""
        return self.places.groupby(["log", "length"]).window.transform("nunique").to_numpy(np.float64)


def _weights(rows: TrainingSet) -> Values:
    """Weigh rows so that neither large clusters nor frequent kinds of customer nor short windows rule; shape (n,).

    Each length of window counts as much as the whole log, and all together as many rows as there are accounts: windows
    of one log are no further evidence, so the ridge holds as it does without them.
    """
    keys = rows.places.assign(cluster=rows.cluster, cohort=rows.cohort)
    here = ["log", "window"]
    weight = 1.0 / np.sqrt(keys.groupby([*here, "cluster"]).log.transform("size").to_numpy(np.float64))
    total = keys.assign(weight=weight).groupby([*here, "cohort"]).weight.transform("sum").to_numpy()
    weight = np.where(rows.is_extraction, weight / total, weight / np.sqrt(total)) / rows.repeats
    honest, extracting = weight[~rows.is_extraction].sum(), weight[rows.is_extraction].sum()
    weight[rows.is_extraction] *= _BALANCE * honest / extracting
    return np.asarray(weight * (rows.is_whole.sum() / weight.sum()))


def _hats(x: Values, knots: Values) -> Values:
    eye = np.eye(len(knots))
    return np.stack([np.interp(x, knots, eye[j]) for j in range(len(knots))], axis=1)


def _knots(x: Values) -> Values:
    """Give quantiles that stay apart in the six figures that a model file keeps."""
    quantiles = np.quantile(x, np.linspace(0.01, 0.99, KNOTS)) if len(x) else np.empty(0)
    return np.unique(np.array([float(f"{q:.6g}") for q in quantiles]))


def _scale(x: Values, weight: Values) -> Curve | None:
    """Give the place of a value among weighted training profiles, -1 to 1, 0 on average; None if it never varies."""
    present = ~np.isnan(x)
    if not present.any():
        return None
    quantiles = np.quantile(x[present], _PLACES, weights=weight[present], method="inverted_cdf")
    knots, at = np.unique([float(f"{q:.6g}") for q in quantiles], return_inverse=True)
    if len(knots) < 2:
        return None
    places = np.bincount(at, 2 * _PLACES - 1) / np.bincount(at)
    return Curve(knots, places - np.average(np.interp(x[present], knots, places), weights=weight[present]))


def _unweighted_pairs(features: pd.DataFrame, names: Sequence[str], weight: Values) -> Pairs:
    """Give the scales of features and every pair of two of one family, at weight 0."""
    found = {name: _scale(features[name].to_numpy(np.float64), weight) for name in names}
    scales = {name: scale for name, scale in found.items() if scale is not None}
    families = ([name for name in scales if FEATURES[name].family == family] for family in PAIRED)
    weights = dict.fromkeys((pair for members in families for pair in combinations(members, 2)), 0.0)
    used = {name for pair in weights for name in pair}
    return Pairs({name: scale for name, scale in scales.items() if name in used}, weights)


def fit_level(rows: TrainingSet, level: int, seed_rows: npt.NDArray[np.bool_]) -> tuple[float, dict[str, Curve], Pairs]:
    """Fit prior, curves and pairs for one evidence level on a subset of rows.

    Parameters
    ----------
    seed_rows: mask of the rows to fit on, shape (n,).
    """
    from sklearn.linear_model import LogisticRegression

    names = [n for n in rows.features if FEATURES[n].level <= level and n not in LEFT_OUT]
    y, weight = rows.is_extraction[seed_rows], _weights(rows)[seed_rows]
    blocks: list[Values] = []
    shapes: list[tuple[str, Values, Values]] = []
    for name in names:
        x = rows.features[name].to_numpy(np.float64)[seed_rows]
        present = ~np.isnan(x)
        knots = _knots(x[present])
        if len(knots) < 2:
            continue
        hats = np.zeros((len(x), len(knots)))
        hats[present] = _hats(x[present], knots)
        centre = np.average(hats[present], axis=0, weights=weight[present])
        hats[present] -= centre
        blocks.append(hats)
        shapes.append((name, knots, centre))
    base = float(np.log(BASE_RATE / (1 - BASE_RATE)))
    if not blocks:
        return base, {}, Pairs()
    pairs = _unweighted_pairs(rows.features[seed_rows], [name for name, _, _ in shapes], weight)
    scale = float(np.sqrt(PAIR_RIDGE / RIDGE))
    blocks.extend(scale * product[:, None] for product in pairs.products(rows.features[seed_rows]))
    model = LogisticRegression(C=RIDGE, max_iter=5000, tol=1e-6)
    model.fit(np.hstack(blocks), y, sample_weight=weight)
    curves: dict[str, Curve] = {}
    at = 0
    for name, knots, centre in shapes:
        values = model.coef_[0, at : at + len(knots)]
        curves[name] = Curve(knots, values - centre @ values)
        at += len(knots)
    weights = dict(zip(pairs.weights, (scale * model.coef_[0, at:]).tolist(), strict=True))
    odds_in_training = weight[y].sum() / weight[~y].sum()
    prior = float(model.intercept_[0] - np.log(odds_in_training) + base)
    return prior, curves, Pairs(pairs.scales, weights)


def _score(features: pd.DataFrame, prior: float, curves: dict[str, Curve], pairs: Pairs) -> Values:
    return prior + np.sum(list(contribute(features, curves, pairs).values()), axis=0)


def _held_out_scores(rows: TrainingSet, level: int) -> Values:
    """Score each log with a model that never saw it, where the others hold both kinds; shape (n,)."""
    scores = np.empty(len(rows.log))
    for log in np.unique(rows.log):
        mine = rows.log == log
        can_hold_out = len(np.unique(rows.is_extraction[~mine])) > 1
        fitted = fit_level(rows, level, ~mine if can_hold_out else np.ones_like(mine))
        scores[mine] = _score(rows.features[mine], *fitted)
    return scores


def _stretch(rows: TrainingSet, scores: Values) -> tuple[float, float]:
    """Fit slope and shift that make held-out scores log-odds at the base rate: the ridge has shrunk them.

    Reference: Platt, "Probabilistic outputs for support vector machines" (Advances in Large Margin Classifiers, 1999).
    """
    from sklearn.linear_model import LogisticRegression

    if np.ptp(scores) == 0:
        return 1.0, 0.0
    weight, y = _weights(rows), rows.is_extraction
    model = LogisticRegression(C=1.0, max_iter=1000).fit(scores[:, None], y, sample_weight=weight)
    odds_in_training = weight[y].sum() / weight[~y].sum()
    shift = float(model.intercept_[0] - np.log(odds_in_training) + np.log(BASE_RATE / (1 - BASE_RATE)))
    return max(float(model.coef_[0, 0]), 1.0), shift


def _count_above(scores: Values, at: Values) -> npt.NDArray[np.int64]:
    """Count the scores that are at least so high; shape of `at`."""
    return np.asarray(len(scores) - np.searchsorted(np.sort(scores), at), np.int64)


def _cohorts(honest: Values, cohort: npt.NDArray[np.object_], kept: Values) -> Cohorts | None:
    names, sizes = np.unique(cohort, return_counts=True)
    shown = {str(name): int(size) for name, size in zip(names, sizes, strict=True) if size >= LEAST_COHORT}
    if not shown:
        return None
    counts = np.stack([_count_above(honest[cohort == name], kept) for name in shown])
    shares = (counts + 1.0) / (np.array(list(shown.values()))[:, None] + 1.0)
    worst = shares.argmax(axis=0)
    return Cohorts(shown, tuple(list(shown)[w] for w in worst), counts[worst, np.arange(len(kept))])


def _reference(scores: Values, rows: TrainingSet) -> Reference:
    """Keep scores of whole logs, and above each the share of all, of the worst log or length, whichever is most.

    Counts, cohorts and their exact bounds are of whole logs, where an account stands once. A share among windows of one
    length is that of their mean window over all logs, so it counts no account twice either.
    """
    honest = ~rows.is_extraction
    whole, places = honest & rows.is_whole, rows.places
    n = int(whole.sum())
    ordered = np.sort(scores[whole])
    ranks = np.unique(np.geomspace(1, n, _KEPT).round().astype(int))
    kept = np.unique(ordered[n - ranks])
    above = _count_above(ordered, kept)
    parts = [whole & (rows.log == number) for number in np.unique(rows.log[whole])]
    parts += [honest & (places.length == days).to_numpy() for days in np.unique(places.length[honest])]
    sizes = [float((1.0 / rows.repeats[part]).sum()) for part in parts]
    shares = [
        (_count_above(scores[part], kept) * size / part.sum() + 1.0) / (size + 1.0)
        for part, size in zip(parts, sizes, strict=True)
    ]
    floor = 1.0 / (min(sizes) + 1)
    cohorts = _cohorts(scores[whole], rows.cohort[whole], kept)
    return Reference(n, kept, np.minimum(np.max(shares, axis=0), 1.0), floor, above, cohorts)


def _fit_calibrated(rows: TrainingSet, level: int) -> Level:
    held_out = _held_out_scores(rows, level)
    slope, shift = _stretch(rows, held_out)
    prior, curves, pairs = fit_level(rows, level, np.ones(len(rows.log), dtype=bool))
    stretched = {name: Curve(curve.knots, slope * curve.values) for name, curve in curves.items()}
    stretched_pairs = Pairs(pairs.scales, {pair: slope * weight for pair, weight in pairs.weights.items()})
    reference = _reference(slope * held_out + shift, rows)
    return Level(slope * prior + shift, stretched, reference, stretched_pairs)


def fit_model(rows: TrainingSet, *, fitted_on: dict[str, object], levels: Sequence[int] = _LEVELS) -> AdditiveModel:
    """Fit curves and pairs for every evidence level.

    Raises
    ------
    TruthError
        The labels name no extraction or no honest account.
    """
    if rows.is_extraction.all() or not rows.is_extraction.any():
        raise TruthError("the labels hold one class only; both honest and extracting accounts are needed")
    fitted = {level: _fit_calibrated(rows, level) for level in levels}
    honest = rows.is_whole & ~rows.is_extraction
    used = {level: set(part.curves) for level, part in fitted.items()}
    kinds = kinds_of(rows.features[honest], rows.cohort[honest], used)
    return AdditiveModel(fitted, dict(fitted_on), population_of(rows.features[honest]), kinds)
