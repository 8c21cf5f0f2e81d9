"""Whether a harvest narrows to one stage when it declares to."""

from simulations.effects.checks import Check
from simulations.effects.gathered import Found
from simulations.effects.stages import harvest_of, shares
from simulations.population import Cast
from simulations.traffic.kinds import versions


class Phases:
    """In the second phase, all of the harvest is of the declared kind; before it, it is not."""

    parameters = ("phase_two", "phase_two_from")
    reads: tuple[str, ...] = ()
    silence = "no second phase is declared, or one of the phases has no harvest"

    def applies(self, cast: Cast) -> bool:
        """Harvests with a second phase do."""
        return getattr(cast.parameters, "phase_two", None) is not None

    def checks(self, found: Found) -> list[Check]:
        """Count the requests of other kinds after it begins, and where only it has its kind, those before."""
        kind = found.cast.parameters.phase_two
        same = versions(kind)
        before, after = harvest_of(found)
        if not before.sum() or not after.sum():
            return []
        others = int(after.sum() - after[same].sum())
        checks = [Check("requests of the first phase in the second", 0, others, 0, 0)]
        if kind not in shares(found.cast.parameters):
            checks.append(Check("requests of the second phase in the first", 0, int(before[same].sum()), 0, 0))
        return checks
