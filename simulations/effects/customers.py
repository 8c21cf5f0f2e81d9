"""Whether as many people stand behind an account as declared."""

import numpy as np
import pandas as pd

from simulations.effects.checks import Check, occupied_in_all
from simulations.effects.gathered import Found, n_pairs
from simulations.population import Cast


class Customers:
    """Relayed chat comes from the declared number of people, one in each conversation."""

    parameters = ("customers", "people")
    reads = ("owner",)
    silence = "no chat of customers was found"

    def applies(self, cast: Cast) -> bool:
        """Relays have customers, bots the people who ask them."""
        return bool(_declared(cast))

    def checks(self, found: Found) -> list[Check]:
        """Count who asks, account by account; a harvest asks as the campaign."""
        rows = found.rows
        chats = rows.owner != found.cast.crowd.group[0]
        talks = pd.DataFrame({"account": rows.account[chats], "session": rows.session[chats]}).drop_duplicates()
        if talks.empty:
            return []
        n_talks = np.unique(talks["account"], return_counts=True)[1]
        people = n_pairs(rows.account[chats], rows.owner[chats])
        return [occupied_in_all("customers behind accounts", _declared(found.cast), n_talks, people)]


def _declared(cast: Cast) -> int:
    return next((getattr(cast.parameters, name) for name in Customers.parameters if hasattr(cast.parameters, name)), 0)
