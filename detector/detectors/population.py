"""The population that a model was fitted on, and how far a log lies from it. It says so; it changes no score.

A reference is frozen, so nobody can shift what is normal from within a log. The price is that a log of other
customers is measured with a foreign yardstick: here that is noticed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.detectors.base import Values

#: Quantiles kept per feature: 0, 5, ..., 100 %. Chosen: the distance below is exact to a twentieth.
QUANTILES = 21
#: Distance borne beside chance. Chosen: six logs of the training logs' corpora and clients stayed below .24, six of
#: other corpora and clients reached .57 to .66; a campaign of less than three in ten accounts cannot raise it alone.
MOST_DISTANCE = 0.3
#: Smirnov's asymptotic 1 % point of the one-sample distance, times the root of the number of accounts.
CHANCE = 1.63
#: Fewer accounts with a value tell nothing of a distribution (chosen).
LEAST_ACCOUNTS = 50
#: Values that differ by less, relatively, are the same: a model file keeps six figures.
_SAME = 1e-5


@dataclass(frozen=True)
class Shift:
    """A feature on which a log lies outside the population.

    Attributes
    ----------
    distance: largest difference between the distribution functions, 0 to 1, a lower bound.
    median: of the log, in the feature's unit.
    low, high: 10 % and 90 % quantile of the population.
    """

    feature: str
    distance: float
    median: float
    low: float
    high: float


def population_of(features: pd.DataFrame) -> dict[str, Values]:
    """Take the quantiles of every feature over honest accounts, each account counted once, as logs hold them.

    Parameters
    ----------
    features: shape (n_accounts, n_features); NaN where absent.
    """
    shares = np.linspace(0.0, 1.0, QUANTILES)
    known = {str(name): column.dropna().to_numpy(np.float64) for name, column in features.items()}
    return {name: np.quantile(x, shares) for name, x in known.items() if len(x) >= LEAST_ACCOUNTS}


def distance(quantiles: Values, x: Values) -> float:
    """Bound the Kolmogorov-Smirnov distance between a population and a sample from below, to within 1 / 20.

    Parameters
    ----------
    quantiles: evenly spaced from the least to the greatest value, ascending.
    x: sample, shape (n,), no NaN.
    """
    ordered, last = np.sort(x), len(quantiles) - 1
    at = np.unique(quantiles)
    most_below = np.searchsorted(quantiles, at, side="left") / last
    least_upto = (np.searchsorted(quantiles, at, side="right") - 1) / last
    slack = _SAME * np.abs(at)
    below = np.searchsorted(ordered, at - slack, side="left") / len(x)
    upto = np.searchsorted(ordered, at + slack, side="right") / len(x)
    return float(max(np.max(below - most_below), np.max(least_upto - upto), 1.0 - upto[-1], 0.0))


def outside(population: Mapping[str, Values], features: pd.DataFrame, used: Collection[str]) -> list[Shift]:
    """Find the features on which most accounts of a log differ from the population, furthest first.

    Parameters
    ----------
    features: of the log's accounts, as `Detector.judge` takes them.
    used: features that the model uses for this log; others change no score.
    """
    found = []
    for name in sorted(set(used) & set(population) & set(features)):
        x = features[name].dropna().to_numpy(np.float64)
        if len(x) < LEAST_ACCOUNTS:
            continue
        far = distance(population[name], x)
        if far > MOST_DISTANCE + CHANCE / np.sqrt(len(x)):
            low, high = np.quantile(population[name], [0.1, 0.9])
            found.append(Shift(name, far, float(np.median(x)), float(low), float(high)))
    return sorted(found, key=lambda shift: -shift.distance)
