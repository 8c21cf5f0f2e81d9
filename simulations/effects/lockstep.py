"""Whether the members of a fleet on one scheduler act in the same seconds."""

import math
from itertools import pairwise

import numpy as np

from simulations.effects.checks import ERRORS, Check, about
from simulations.effects.gathered import Found
from simulations.population import Cast
from simulations.streams import Counts, Reals
from simulations.traffic.arrivals import Harvest

#: Times the fleet is shifted apart to learn what chance gives.
N_SHIFTS = 8
#: How far the share may be off besides chance: the rounds of a backlog lie closer than others. Chosen.
ROOM = 0.05


class Lockstep:
    """Members meet in common rounds, far more often than the same members at other times."""

    parameters = ("pace",)
    reads = ("session",)
    silence = "fewer than two accounts on the scheduler are watched"

    def applies(self, cast: Cast) -> bool:
        """Fleets on one scheduler do."""
        pace = cast.actor.pace_of(cast.parameters)
        return bool(cast.is_member.any()) and isinstance(pace, Harvest) and pace.is_common

    def checks(self, found: Found) -> list[Check]:
        """Compare the share of rounds in which a neighbour acts within the mean delay, above what chance gives.

        Both are late exponentially, so the difference follows a Laplace law: within its scale lies 1 - 1/e of it.
        """
        pace, rows = found.cast.actor.pace_of(found.cast.parameters), found.rows
        order = np.lexsort((rows.at_us, rows.account))
        begins = np.flatnonzero(np.diff(rows.account[order], prepend=-1))
        times = np.split(rows.at_us[order], begins)[1:]
        if not isinstance(pace, Harvest) or len(times) < 2:
            return []
        within_us, span_us = pace.late_s * 1e6, found.cast.crowd.horizon.length_s * 1e6
        met, n = _share_met(times, within_us)
        by_chance = float(
            np.mean([_share_met(_shifted(times, span_us, turn), within_us)[0] for turn in range(N_SHIFTS)])
        )
        excess = (met - by_chance) / (1.0 - by_chance) if by_chance < 1.0 else 0.0
        declared = 1.0 - math.exp(-1.0)
        room = ROOM + ERRORS * math.sqrt(declared * (1.0 - declared) / n)
        return [about("share of rounds in step", declared, excess, room=room)]


def _shifted(times: list[Counts], span_us: float, turn: int) -> list[Counts]:
    """Shift every account by a time of its own around the log: its own rhythm stays, common instants go."""
    first = min(int(some[0]) for some in times)
    shifts: Reals = np.random.default_rng(turn).uniform(0.0, span_us, len(times))
    return [np.sort((some - first + int(shift)) % int(span_us)) for some, shift in zip(times, shifts, strict=True)]


def _share_met(times: list[Counts], within_us: float) -> tuple[float, int]:
    """Give the share of requests of the less active of two neighbours that the other has one near, and their number."""
    n_met, n = 0, 0
    for one, other in pairwise(times):
        few, many = sorted((one, other), key=len)
        place = np.clip(np.searchsorted(many, few), 1, max(len(many) - 1, 1))
        before, after = np.abs(few - many[place - 1]), np.abs(many[np.minimum(place, len(many) - 1)] - few)
        n_met += int((np.minimum(before, after) <= within_us).sum())
        n += len(few)
    return n_met / n, n
