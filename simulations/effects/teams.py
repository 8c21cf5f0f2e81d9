"""Whether accounts share payments in groups of the declared size, and as many of them as declared."""

import numpy as np

from simulations.effects.checks import Check, counted
from simulations.effects.gathered import Found, n_pairs
from simulations.population import Cast

#: Names of the parameter that says how many accounts share a payment.
SIZES = ("team_size", "size", "keys_per_customer", "pool")


class Teams:
    """Neighbours in a cohort share one payment."""

    parameters = ("team_share", *SIZES)
    reads: tuple[str, ...] = ()
    silence = "no account of a team came"

    def applies(self, cast: Cast) -> bool:
        """Cohorts with a size of teams do."""
        return any(hasattr(cast.parameters, name) for name in SIZES)

    def checks(self, found: Found) -> list[Check]:
        """Count payments of the accounts that belong to an organisation, and the teams."""
        declared = found.cast.parameters
        size = next(getattr(declared, name) for name in SIZES if hasattr(declared, name))
        team, came = found.cast.crowd.positions // size, found.n_events > 0
        member = came & (found.known.organisation != 0)
        checks = []
        if hasattr(declared, "team_share"):
            n_teams = len(np.unique(team[came]))
            found_teams = len(np.unique(team[member]))
            checks = (
                [counted("share of teams", declared.team_share, found_teams / n_teams, n=n_teams)] if n_teams else []
            )
        if not member.any():
            return checks
        n_teams, n_payments = len(np.unique(team[member])), len(np.unique(found.known.payment[member]))
        pairs = n_pairs(team[member], found.known.payment[member])
        return [
            *checks,
            Check("payments of teams", n_teams, n_payments, n_teams, n_teams),
            Check("pairs of team and payment", n_teams, pairs, n_teams, n_teams),
        ]
