"""What every detector offers: features in, a prior and contributions in log-odds out. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """Scores of honest accounts, against which a score's p-value is read.

    Attributes
    ----------
    n: honest accounts behind it.
    scores: ascending, shape (n_kept,).
    p_values: share of honest accounts that score at least so high, descending, shape (n_kept,).
    """

    n: int
    scores: Values
    p_values: Values

    def p_value(self, scores: Values) -> Values:
        """Give the share of honest accounts that score at least so high; shape (n,), never below 1 / (n + 1).

        Between kept scores the logarithm of the share is interpolated; beyond them it ends at the edge.
        """
        kept, p_values = self._steps()
        return np.maximum(np.exp(np.interp(scores, kept, np.log(p_values))), 1.0 / (self.n + 1))

    def threshold(self, budget: float) -> float:
        """Give the least score whose p-value is within a budget."""
        kept, p_values = self._steps()
        return float(np.interp(-np.log(budget), -np.log(p_values), kept))

    def _steps(self) -> tuple[Values, Values]:
        """Give each score once with its largest share: accounts of one cluster score alike, and all of them count."""
        kept, first = np.unique(self.scores, return_index=True)
        return kept, self.p_values[first]


@dataclass(frozen=True)
class Verdict:
    """Scores of profiles, taken apart.

    Attributes
    ----------
    prior: log-odds before any evidence.
    contributions: log-odds that each piece of evidence adds, shape (n, n_pieces); 0 where a feature is absent.
        `prior` plus the sum of a row is the score of that row, exactly.
    families: piece -> evidence family, or "" for a piece that cannot be told apart by family.
    reference: honest scores to compare with, or None when the detector has only the log at hand.
    """

    prior: float
    contributions: pd.DataFrame
    families: Mapping[str, str]
    reference: Reference | None = None

    @property
    def scores(self) -> Values:
        """Log-odds, shape (n,); higher is more suspicious."""
        return self.prior + self.contributions.to_numpy().sum(axis=1)

    def by_family(self, family: str) -> Values:
        """Give the log-odds that one family adds, shape (n,)."""
        pieces = [piece for piece in self.contributions if self.families[piece] == family]
        return self.contributions[pieces].to_numpy().sum(axis=1)


class Detector(Protocol):
    """Turns features into a verdict. It must not care for the order or the names of the rows."""

    @property
    def name(self) -> str:
        """Name as the command line takes it."""
        ...

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles.

        Parameters
        ----------
        features: one row per profile, one float column per feature of `features.catalogue`; NaN where absent.
        level: evidence level of the log, 0 to 4.
        """
        ...


def within_log_reference(scores: Values) -> Reference:
    """Take the log itself as reference, for detectors that have no other.

    Most accounts are honest, so the share of all accounts that score higher bounds the share of honest ones up to
    the share of dishonest ones.
    """
    ordered = np.sort(scores)
    n = len(ordered)
    return Reference(n, ordered, (n - np.arange(n)) / (n + 1.0))
