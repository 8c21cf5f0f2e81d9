"""Whether the members of a campaign signed up within the declared time of each other."""

from scipy.stats import gamma

from simulations.crowd import DAY_S
from simulations.effects.checks import P_BEYOND, Check
from simulations.effects.gathered import Found
from simulations.population import Cast


class Joins:
    """Sign-ups spread as far as declared."""

    parameters = ("joins_days",)
    reads: tuple[str, ...] = ()
    silence = "fewer than two members signed up before the log begins and came at its beginning"

    def applies(self, cast: Cast) -> bool:
        """Fleets sign up together."""
        return hasattr(cast.parameters, "joins_days")

    def checks(self, found: Found) -> list[Check]:
        """Compare the mean distance to the first sign-up: members were exponentially late, and all came by the log.

        References
        ----------
        Cox (1953), "Some simple approximate tests for Poisson variates": the time that n exponential waits took, of
        which some were cut off, over their mean has about the law of a gamma whose shape is the number that ended.
        """
        cast, begins_s = found.cast, found.cast.crowd.horizon.begins_s
        counts = (found.n_events > 0) & cast.is_member & (cast.crowd.begins_s <= 0.0)
        created_s = found.known.created_s[counts]
        n_ended = int((created_s < begins_s).sum()) - 1
        if n_ended < 1:
            return []
        declared = cast.parameters.joins_days
        mean = float((created_s - created_s.min()).sum()) / DAY_S / n_ended
        low = float(gamma.ppf(P_BEYOND, n_ended)) * declared / n_ended
        high = float(gamma.isf(P_BEYOND, n_ended + 1)) * declared / n_ended
        return [Check("days between sign-ups", declared, mean, low, high)]
