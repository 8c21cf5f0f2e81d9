"""How many requests a cohort sends: by the law it declares, by what was drawn, and by account."""

import math

import numpy as np
from scipy.special import gammaincinv

from simulations.attackers.fleet import LEAST, VOLUME_SHAPE, FleetParameters
from simulations.attackers.hydra import HydraParameters
from simulations.effects.checks import ERRORS, P_BEYOND, Check, about
from simulations.effects.gathered import Found
from simulations.population import Cast

#: Share of the requests drawn that may fall outside an account's life or the log, besides one account's. Chosen:
#: on three seeds of every shipped scenario at most .002 did.
MOST_LOST = 0.02


class Volume:
    """The number of requests is the one declared."""

    parameters = ("requests", "per_day")
    reads: tuple[str, ...] = ()
    silence = "nothing to count"

    def applies(self, cast: Cast) -> bool:
        """Every cohort declares its volume."""
        return True

    def checks(self, found: Found) -> list[Check]:
        """Compare with the law, with the draws and, for fleets, account by account."""
        cast, n = found.cast, int(found.n_requests.sum())
        room = MOST_LOST * cast.n_expected + float(cast.n_requests.max(initial=0))
        kept = Check("requests drawn", cast.n_expected, n, max(cast.n_expected - room, 0.0), cast.n_expected)
        per_account = isinstance(cast.parameters, FleetParameters) and not isinstance(cast.parameters, HydraParameters)
        return [_by_law(found, n), kept, *(_by_account(found) if per_account else [])]


def _by_law(found: Found, n: int) -> Check:
    """Take the sum over accounts as log-normal: exact for one account of that law, normal for many.

    References
    ----------
    Fenton (1960), "The sum of log-normal probability distributions in scatter transmission systems".
    """
    cast = found.cast
    mean, variance = cast.actor.volume(cast.crowd, cast.parameters)
    sigma = math.sqrt(math.log1p(variance / mean**2))
    median, rounding = mean * math.exp(-(sigma**2) / 2.0), float(len(cast.crowd))
    low, high = (1.0 - MOST_LOST) * median * math.exp(-ERRORS * sigma), median * math.exp(ERRORS * sigma)
    return Check("requests", mean, n, max(low - rounding, 0.0), high + rounding)


def _by_account(found: Found) -> list[Check]:
    """Compare the daily requests of the accounts that came, and of the busiest: no rate may show a slow campaign."""
    cast, days = found.cast, found.cast.crowd.horizon.days
    came = found.n_requests[found.n_requests > 0]
    if not len(came):
        return [Check("requests per account and day", cast.parameters.per_day, 0.0, math.inf, math.inf)]
    mean, variance = (moment / len(cast.crowd) for moment in cast.actor.volume(cast.crowd, cast.parameters))
    room = ERRORS * math.sqrt(variance / len(came)) + 1.0 + MOST_LOST * mean
    scale = cast.parameters.per_day / VOLUME_SHAPE
    busiest = [
        scale * float(gammaincinv(VOLUME_SHAPE, p ** (1.0 / len(came)))) for p in (0.5, P_BEYOND, 1.0 - P_BEYOND)
    ]
    rounding = LEAST / days
    return [
        about("requests per account and day", mean / days, float(came.mean()) / days, room=room / days),
        Check(
            "requests per day of the busiest account",
            busiest[0],
            float(np.max(came)) / days,
            (1.0 - MOST_LOST) * busiest[1] - rounding,
            busiest[2] + rounding,
        ),
    ]
