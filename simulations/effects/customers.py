"""Whether as many people stand behind an account as declared."""

import numpy as np

from simulations.effects.checks import Check, occupied_in_all
from simulations.effects.gathered import Found, n_pairs
from simulations.population import Cast


class Customers:
    """Relayed chat comes from the declared number of people."""

    parameters = ("customers",)
    reads = ("owner",)
    silence = "no chat of customers was found"

    def applies(self, cast: Cast) -> bool:
        """Relays have customers."""
        return hasattr(cast.parameters, "customers")

    def checks(self, found: Found) -> list[Check]:
        """Count who asks, account by account; a harvest asks as the campaign."""
        rows = found.rows
        chats = rows.owner != found.cast.crowd.group[0]
        n_chats = np.unique(rows.account[chats], return_counts=True)[1]
        if not len(n_chats):
            return []
        people = n_pairs(rows.account[chats], rows.owner[chats])
        return [occupied_in_all("customers behind accounts", found.cast.parameters.customers, n_chats, people)]
