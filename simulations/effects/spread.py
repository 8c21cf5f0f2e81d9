"""Whether the accounts of a cohort differ in volume as much as declared."""

import math

import numpy as np
from scipy.special import ndtri
from scipy.stats import chi2

from simulations.actors import Volume
from simulations.effects.checks import P_BEYOND, Check
from simulations.effects.gathered import Found
from simulations.population import Cast

#: Accounts below which their spread tells nothing. Chosen.
LEAST_ACCOUNTS = 12
#: Places of the law's quantiles at which its moments are taken. Chosen.
N_QUANTILES = 1024
#: How much wider or narrower the spread may be besides chance: requests are whole, and some are lost. Chosen.
ROOM = 0.05


class Spread:
    """The logarithms of requests spread as declared."""

    parameters = ("spread",)
    reads: tuple[str, ...] = ()
    silence = f"fewer than {LEAST_ACCOUNTS} accounts"

    def applies(self, cast: Cast) -> bool:
        """Accounts with a log-normal volume do."""
        return isinstance(cast.parameters, Volume)

    def checks(self, found: Found) -> list[Check]:
        """Compare the standard deviation of the logarithm of the requests of the accounts that came.

        References
        ----------
        Box (1953), "Non-normality and tests on variances": the variance of a sample has the law of a chi-square with
        fewer degrees of freedom, as its kurtosis says.
        """
        actor, declared = found.cast.actor, found.cast.parameters
        came = found.n_requests[found.n_requests > 0]
        quantiles = ndtri((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)
        drawn = np.clip(declared.requests * np.exp(declared.spread * quantiles), actor.least, actor.most)
        law = np.log(np.floor(drawn))
        variance, fourth = (float(np.mean((law - law.mean()) ** power)) for power in (2, 4))
        if len(came) < LEAST_ACCOUNTS:
            return []
        spread = float(np.std(np.log(came), ddof=1))
        if variance < ROOM**2:
            return [Check("spread of requests", math.sqrt(variance), spread, 0.0, 2.0 * ROOM)]
        freedom = (len(came) - 1) * 2.0 * variance**2 / max(fourth - variance**2, variance**2)
        low, high = (math.sqrt(variance * chi2.ppf(p, freedom) / freedom) for p in (P_BEYOND, 1.0 - P_BEYOND))
        return [Check("spread of requests", math.sqrt(variance), spread, (1 - ROOM) * low, (1 + ROOM) * high)]
