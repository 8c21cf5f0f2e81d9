"""What every detector offers: features in, a prior and contributions in log-odds out. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.features.extras import Extra

Values = npt.NDArray[np.float64]


#: A cohort of honest customers may be flagged at most so many times more often than all of them together (chosen).
COHORT_FACTOR = 10.0


@dataclass(frozen=True)
class Cohorts:
    """Which kind of honest customer scores highest, per kept score of a reference.

    Attributes
    ----------
    sizes: cohort -> honest accounts in it.
    worst: name of the cohort with the largest share at least so high, shape (n_kept,).
    n_above: accounts of that cohort that score at least so high, shape (n_kept,).
    """

    sizes: Mapping[str, int]
    worst: tuple[str, ...]
    n_above: npt.NDArray[np.int64]

    @property
    def shares(self) -> Values:
        """Share of the worst cohort that scores at least so high, one account added to it; shape (n_kept,)."""
        sizes = np.array([self.sizes[name] for name in self.worst], np.float64)
        return (self.n_above + 1.0) / (sizes + 1.0)


@dataclass(frozen=True)
class Reference:
    """Scores of honest accounts, against which a score's p-value is read. Frozen: no account of a log enters it.

    Attributes
    ----------
    n: honest accounts behind it.
    scores: some of their scores, ascending, shape (n_kept,).
    p_values: bound on the share of honest accounts that score at least so high, descending, shape (n_kept,).
    floor: p-value above all kept scores; 0 stands for 1 / (n + 1).
    n_above: accounts behind it that score at least so high, shape (n_kept,); None where it was not kept.
    cohorts: None where they were not kept.
    is_of_log: the log that is scored is its own reference, so it holds dishonest accounts as well.

    Notes
    -----
    A p-value is valid, P(p <= t) <= t for every t, where an honest account of the log is exchangeable with the honest
    accounts of one of the reference's logs: the share is (1 + accounts at least so high) / (1 + accounts), that of the
    worst log (Vovk, Gammerman, Shafer, "Algorithmic learning in a random world", 2005). It says nothing of customers
    unlike any in the reference; the drift alarm of `detectors.population` is there for them.
    """

    n: int
    scores: Values
    p_values: Values
    floor: float = 0.0
    n_above: npt.NDArray[np.int64] | None = None
    cohorts: Cohorts | None = None
    is_of_log: bool = False

    @property
    def least(self) -> float:
        """The least p-value that it can give."""
        return self.floor or 1.0 / (self.n + 1)

    def p_value(self, scores: Values) -> Values:
        """Bound the share of honest accounts that score at least so high; shape (n,).

        Between two kept scores it is that of the lower one, so that it never flatters.
        """
        kept, first = np.unique(self.scores, return_index=True)
        steps = np.concatenate([[1.0], self.p_values[first]])
        found = steps[np.searchsorted(kept, scores, side="right")]
        return np.where(scores > kept[-1], self.least, found)

    def threshold(self, budget: float) -> float:
        """Give the least score from which on p-values are within a budget, and the worst cohort's within its own.

        A cohort too small to show a share so low is kept by going above every score that is known.
        """
        kept, first = np.unique(self.scores, return_index=True)
        fits = self.p_values[first] <= budget
        if self.cohorts is not None:
            fits &= self.cohorts.shares[first] <= COHORT_FACTOR * budget
        places = np.flatnonzero(fits)
        return float(kept[places[0]] if len(places) else np.nextafter(kept[-1], np.inf))


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
    """Turns features into a verdict. It must not care for the order or the names of the rows.

    A detector that needs more than the catalogue has says so in an attribute `extras`, a sequence of
    `features.extras.Extra`: their columns then stand beside the features, where the log can give them.
    """

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


def extras_of(detector: Detector) -> tuple[Extra, ...]:
    """Give the statistics that a detector brings along; most bring none."""
    return tuple(getattr(detector, "extras", ()))


def within_log_reference(scores: Values) -> Reference:
    """Take the log itself as reference, for detectors that have no other.

    Most accounts are honest, so the share of all accounts that score higher bounds the share of honest ones up to
    the share of dishonest ones.
    """
    ordered = np.sort(scores)
    n = len(ordered)
    return Reference(n, ordered, (n - np.arange(n)) / (n + 1.0), is_of_log=True)
