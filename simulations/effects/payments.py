"""How many payment instruments the members of a campaign divide."""

import numpy as np

from simulations.attackers.fleet import FleetParameters
from simulations.attackers.framing import FramingParameters
from simulations.effects.checks import Check, occupied
from simulations.effects.gathered import Found
from simulations.population import Cast


class Payments:
    """Members pay with the declared number of instruments."""

    reads_rows = True

    def applies(self, cast: Cast) -> bool:
        """Fleets divide instruments of their own, unless they borrow them."""
        is_fleet = isinstance(cast.parameters, FleetParameters) and not isinstance(cast.parameters, FramingParameters)
        return is_fleet and cast.parameters.payments > 0

    def checks(self, found: Found) -> list[Check]:
        """Count the instruments in the rows of the watched accounts, each of which has drawn one."""
        n_accounts = len(np.unique(found.rows.account))
        n_found = len(np.unique(found.rows.payment))
        return [occupied("payment instruments", found.cast.parameters.payments, n_accounts, n_found)]
