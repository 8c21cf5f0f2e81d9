"""Whether the declared share of requests moves to a new model after its release, and none before."""

import math

from simulations.effects.checks import ERRORS, Check, about
from simulations.effects.gathered import BEFORE, FIRST_DAY, LATER, Found
from simulations.population import Cast

#: Requests of a stretch below which its share tells nothing. Chosen.
LEAST_REQUESTS = 500


class ModelPivot:
    """Traffic moves as soon and as much as declared."""

    parameters = ("p_pivot",)
    reads: tuple[str, ...] = ()
    silence = "no model comes out, or too few requests after it"

    def applies(self, cast: Cast) -> bool:
        """Everybody may move, after a release."""
        return math.isfinite(cast.crowd.horizon.release_s)

    def checks(self, found: Found) -> list[Check]:
        """Compare on the first day after a release, and later."""
        checks = [Check("new model before its release", 0, found.moved[:, BEFORE, 2].sum(), 0, 0)]
        for name, stretch in (("on the first day", FIRST_DAY), ("later", LATER)):
            n, expected, moved = found.moved[:, stretch].T
            total = float(n.sum())
            if total < LEAST_REQUESTS:
                continue
            # An account moves as a whole: its requests of a stretch stand and fall together.
            p = found.cast.actor.habits.p_pivot
            has_moved = expected / (p * n).clip(1e-12)
            variance = float((n * p * (1.0 - p) + (n * p) ** 2 * has_moved * (1.0 - has_moved)).sum())
            room = ERRORS * math.sqrt(variance) / total
            declared, share = float(expected.sum()) / total, float(moved.sum()) / total
            checks.append(about(f"share on the new model {name}", declared, share, room=room))
        return checks
