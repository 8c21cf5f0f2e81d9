"""How much of a campaign's traffic is cover."""

from simulations.effects.checks import Check, share
from simulations.effects.gathered import Found
from simulations.population import Cast


class Cover:
    """The declared share of a campaign's requests is ordinary traffic."""

    parameters = ("cover_share",)
    reads: tuple[str, ...] = ()
    silence = "no member came"

    def applies(self, cast: Cast) -> bool:
        """Every campaign declares its cover, none where it has no such parameter."""
        return bool(cast.is_member.any())

    def checks(self, found: Found) -> list[Check]:
        """Compare over the requests of members."""
        cast = found.cast
        n = int(found.n_events[cast.is_member].sum())
        if not n:
            return []
        covers = 1.0 - int(found.n_harvest[cast.is_member].sum()) / n
        return [share("cover share", getattr(cast.parameters, "cover_share", 0.0), covers, n=n)]
