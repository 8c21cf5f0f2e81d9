"""What a manipulation check says: the value declared, the value found, and what chance allows between them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulations.streams import Counts

#: Standard errors that a found value may be off. Chosen: wrong by chance once in some 16,000 checks.
ERRORS = 4.0
#: The same as the chance of a value further out, on one side.
P_BEYOND = 0.5 * math.erfc(ERRORS / math.sqrt(2.0))


@dataclass(frozen=True)
class Check:
    """One declared effect of one cohort, and whether the log has it."""

    effect: str
    declared: float
    found: float
    low: float
    high: float
    """With `low`, the tolerance: the values at which the effect counts as there, both included."""

    @property
    def is_there(self) -> bool:
        """Tell whether the found value is within the tolerance."""
        return bool(self.low <= self.found <= self.high)

    def row(self, cohort: str) -> dict[str, Any]:
        """Write the check for a report."""
        return {
            "cohort": cohort,
            "effect": self.effect,
            "declared": round(float(self.declared), 5),
            "found": round(float(self.found), 5),
            "tolerance": [round(float(self.low), 5), round(float(self.high), 5)],
            "is_there": self.is_there,
        }


def about(effect: str, declared: float, found: float, *, room: float) -> Check:
    """Allow as much above the declared value as below it."""
    return Check(effect, declared, found, declared - room, declared + room)


def share(effect: str, declared: float, found: float, *, n: float) -> Check:
    """Allow what a share of n independent draws may be off."""
    return about(effect, declared, found, room=ERRORS * math.sqrt(declared * (1.0 - declared) / n))


def counted(effect: str, p: float, found: float, *, n: float) -> Check:
    """Allow the share that n independent draws of chance p may give, however few they are: exact, unlike `share`.

    Examples
    --------
    >>> check = counted("cover share", 0.03, 1.0, n=1)
    >>> check.is_there, check.high
    (True, 1.0)
    """
    from scipy.stats import binom

    draws = max(math.floor(n), 1)
    low, high = binom.ppf(P_BEYOND, draws, p) / draws, binom.isf(P_BEYOND, draws, p) / draws
    return Check(effect, p, found, max(float(low), 0.0), float(high))


def occupied(effect: str, n_places: int, n_draws: int, found: int) -> Check:
    """Compare how many of some places are taken, when each of n draws takes any place with the same chance.

    Examples
    --------
    >>> check = occupied("payment instruments", 4, 60, found=4)
    >>> check.is_there, check.high
    (True, 4)

    References
    ----------
    Johnson, Kotz (1977), "Urn Models and Their Application": mean and variance of the number of occupied urns.
    """
    return occupied_in_all(effect, n_places, np.array([n_draws]), found)


def occupied_in_all(effect: str, n_places: int, n_draws: Counts, found: int) -> Check:
    """Compare the sum over several sets of as many places, each with draws of its own."""
    empty = (1.0 - 1.0 / n_places) ** n_draws
    both_empty = max(1.0 - 2.0 / n_places, 0.0) ** n_draws
    expected = float((n_places * (1.0 - empty)).sum())
    variance = n_places * empty + n_places * (n_places - 1) * both_empty - (n_places * empty) ** 2
    room = ERRORS * math.sqrt(max(float(variance.sum()), 0.0))
    most = n_places * len(n_draws)
    return Check(effect, most, found, math.floor(expected - room), min(most, math.ceil(expected + room)))
