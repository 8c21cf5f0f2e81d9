"""Additive models as data: per evidence level, a prior, one piecewise-linear curve per feature, and pairs of features.

How they are kept as files is in `detectors.modelfile`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.base import Reference, Values, Verdict
from detector.detectors.lookalikes import Kind
from detector.errors import ModelError
from detector.features.catalogue import FEATURES


@dataclass(frozen=True)
class Curve:
    """What a feature adds, in log-odds: straight lines between knots, flat beyond, 0 where the feature is absent."""

    knots: Values
    values: Values

    def at(self, x: Values) -> Values:
        """Evaluate; shape (n,)."""
        return np.where(np.isnan(x), 0.0, np.interp(x, self.knots, self.values))


@dataclass(frozen=True)
class Pairs:
    """What two features of one family add together: a weight times the product of their places.

    A long prompt is nothing much and neither is a long answer; long answers to long prompts are.
    Half of what a pair adds is told with either feature, so evidence stays one row a feature, and within its family.

    Attributes
    ----------
    scales: feature -> its place among the training profiles, -1 to 1, 0 on average and where it is absent.
    weights: log-odds of each pair of features in `scales`.
    """

    scales: dict[str, Curve] = field(default_factory=dict)
    weights: dict[tuple[str, str], float] = field(default_factory=dict)

    def products(self, features: pd.DataFrame) -> Iterator[Values]:
        """Multiply the places of each pair, in the order of `weights`; shape (n,) each, one at a time."""
        places = {name: _at(features, name, scale) for name, scale in self.scales.items()}
        return (places[a] * places[b] for a, b in self.weights)


def _at(features: pd.DataFrame, name: str, curve: Curve) -> Values:
    return curve.at(features[name].to_numpy(np.float64)) if name in features else np.zeros(len(features))


def contribute(features: pd.DataFrame, curves: dict[str, Curve], pairs: Pairs) -> dict[str, Values]:
    """Give the log-odds that each feature adds, its share of pairs included; shape (n,) each."""
    added = {name: _at(features, name, curve) for name, curve in curves.items()}
    for (pair, weight), product in zip(pairs.weights.items(), pairs.products(features), strict=True):
        for name in pair:
            added[name] = added[name] + weight / 2 * product
    return added


@dataclass(frozen=True)
class Level:
    """The model for logs of one evidence level."""

    prior: float
    curves: dict[str, Curve]
    reference: Reference
    pairs: Pairs = field(default_factory=Pairs)


@dataclass(frozen=True)
class AdditiveModel:
    """Curves per evidence level, with what they were fitted on.

    Attributes
    ----------
    levels: evidence level -> its curves.
    fitted_on: digests and counts of the training logs, for the record.
    population: quantiles of the features of the honest training accounts, see `detectors.population`.
    kinds: kinds of honest customers that it knows, see `detectors.lookalikes`.
    sha256: digest of the content, as the file states it.
    """

    levels: dict[int, Level]
    fitted_on: dict[str, Any]
    population: Mapping[str, Values] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    sha256: str = ""

    def usable_level(self, level: int) -> int:
        """Give the level whose curves a log is judged by: its own, or the next lower one that has any.

        Raises
        ------
        ModelError
            The model needs more than the log has.
        """
        usable = [known for known in self.levels if known <= level]
        if not usable:
            raise ModelError(f"the model starts at evidence level {min(self.levels)}, the log is of level {level}")
        return max(usable)

    def for_level(self, level: int) -> Level:
        """Give the curves for a log; see `usable_level`."""
        return self.levels[self.usable_level(level)]

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        chosen = self.for_level(level)
        contributions = pd.DataFrame(contribute(features, chosen.curves, chosen.pairs), index=features.index)
        families = {name: FEATURES[name].family for name in chosen.curves}
        return Verdict(chosen.prior, contributions, families, chosen.reference)
