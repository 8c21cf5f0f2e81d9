"""Whether a hydra grows heads where accounts are banned, one after the other."""

import math

import numpy as np
from scipy.special import pdtr

from simulations.attackers.hydra import HydraParameters
from simulations.crowd import DAY_S
from simulations.effects.checks import ERRORS, Check, about
from simulations.effects.gathered import Found
from simulations.population import Cast


class Hydra:
    """Each account of a line lives until it is banned; the next one begins then and not before."""

    parameters = ("heads", "life_days")
    reads: tuple[str, ...] = ()
    silence = "nothing to count"

    def applies(self, cast: Cast) -> bool:
        """Hydras have lines."""
        return isinstance(cast.parameters, HydraParameters)

    def checks(self, found: Found) -> list[Check]:
        """Count the accounts that came after another, lives that overlap, and requests outside a life."""
        cast = found.cast
        horizon, heads = cast.crowd.horizon, cast.parameters.heads
        came = found.n_events > 0
        line = np.arange(len(came)) // heads
        n_followers = int(came.sum()) - len(np.unique(line[came]))
        mean, variance = _followers(np.bincount(line), horizon.length_s / DAY_S / cast.parameters.life_days)
        room = ERRORS * math.sqrt(variance) + 1.0
        seen = np.flatnonzero(came)
        follows = np.diff(line[seen]) == 0
        overlaps = (found.first_us[seen][1:] < found.last_us[seen][:-1]) & follows
        first_s, last_s = (instants[seen] / 1e6 - horizon.begins_s for instants in (found.first_us, found.last_us))
        strays = (first_s < np.floor(cast.crowd.begins_s[seen])) | (last_s > np.ceil(cast.crowd.ends_s[seen]))
        return [
            about("accounts that follow a banned one", mean, n_followers, room=room),
            Check("lives that overlap", 0, int(overlaps.sum()), 0, 0),
            Check("accounts with requests outside their life", 0, int(strays.sum()), 0, 0),
        ]


def _followers(lengths: "np.typing.NDArray[np.int64]", bans: float) -> tuple[float, float]:
    """Give mean and variance of the accounts that follow another: bans are a Poisson process that a line's end cuts."""
    mean, variance = 0.0, 0.0
    for length, n_lines in zip(*np.unique(lengths, return_counts=True), strict=True):
        numbers = np.arange(length)
        p = np.diff(np.append(pdtr(numbers[:-1], bans), 1.0), prepend=0.0)
        mean += float(n_lines * (p @ numbers))
        variance += float(n_lines * (p @ numbers**2 - (p @ numbers) ** 2))
    return mean, variance
