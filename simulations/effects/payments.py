"""How many payment instruments the members of a campaign divide."""

import numpy as np

from simulations.attackers.fleet import FleetParameters
from simulations.attackers.framing import FramingParameters
from simulations.effects.checks import Check, occupied
from simulations.effects.gathered import Found
from simulations.population import Cast


class Payments:
    """Members pay with the declared number of instruments."""

    parameters = ("payments",)
    reads = ("payment",)
    silence = "payments are borrowed from victims, as the check of frames counts"

    def applies(self, cast: Cast) -> bool:
        """Fleets divide instruments of their own or have one each, unless they borrow them."""
        return isinstance(cast.parameters, FleetParameters) and not isinstance(cast.parameters, FramingParameters)

    def checks(self, found: Found) -> list[Check]:
        """Count the instruments in the rows of the watched accounts, each of which has drawn one."""
        n_accounts, declared = len(np.unique(found.rows.account)), found.cast.parameters.payments
        n_found = len(np.unique(found.rows.payment))
        if not declared:
            return [Check("payment instruments", n_accounts, n_found, n_accounts, n_accounts)]
        return [occupied("payment instruments", declared, n_accounts, n_found)]
