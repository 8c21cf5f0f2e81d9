"""Manipulation checks: what a cohort declares is measured in the written log and compared.

A check has a declared value, a found value and bounds that allow for chance; where there are too few accounts or
requests to tell, the bounds are wide.
"""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.crowd import DAY_S
from simulations.population import Cast
from simulations.spill import Records
from simulations.traffic.kinds import IS_EXTRACTION
from simulations.world import World

#: Standard errors that a found share or mean may be off. Chosen: wrong by chance once in some 10,000 checks.
ERRORS = 4.0
#: Time after a release from which on those who move have moved [s].
SETTLED_S = 1.5 * DAY_S
NEW_MODEL = "stone-next"


class Effects:
    """Collects counts per cohort, chunk by chunk."""

    def __init__(self, world: World) -> None:
        """Begin the checks of a log."""
        n = len(world.casts)
        self._world = world
        self._events, self._harvest = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self._late, self._moved, self._early = (np.zeros(n, np.int64) for _ in range(3))

    @property
    def n_extraction(self) -> int:
        """Count the requests that serve a harvest."""
        return int(self._harvest.sum())

    def add(self, records: Records, events: pa.Table) -> None:
        """Take in the next rows of the log."""
        firsts = self._world.population.firsts
        cohort = np.searchsorted(firsts, records["account"], side="right") - 1
        n = len(self._events)
        self._events += np.bincount(cohort, minlength=n)
        self._harvest += np.bincount(cohort[IS_EXTRACTION[records["kind"]]], minlength=n)
        release_s = self._world.scene.horizon.release_s
        if math.isfinite(release_s):
            new = pc.equal(events["model"].cast(pa.string()), NEW_MODEL).to_numpy()
            late = records["at_us"] / 1e6 > release_s + SETTLED_S
            self._late += np.bincount(cohort[late], minlength=n)
            self._moved += np.bincount(cohort[late & new], minlength=n)
            self._early += np.bincount(cohort[(records["at_us"] / 1e6 <= release_s) & new], minlength=n)

    def report(self) -> list[dict[str, Any]]:
        """Compare what was declared with what was found, cohort by cohort."""
        checks = []
        for place, cast in enumerate(self._world.casts):
            found = [self._volume(place, cast), *self._cover(place, cast), *_payments(cast), *self._pivot(place, cast)]
            checks += [{"cohort": cast.settings.name, **check} for check in found]
        return checks

    def _volume(self, place: int, cast: Cast) -> dict[str, Any]:
        """Compare with the number drawn: what is lost is what falls outside an account's life or the log."""
        expected, found = cast.n_expected, int(self._events[place])
        return _check("requests", expected, found, 0.5 * expected, 1.0 * expected)

    def _cover(self, place: int, cast: Cast) -> list[dict[str, Any]]:
        share = getattr(cast.parameters, "cover_share", None if cast.settings.attacker is None else 0.0)
        n = int(self._events[place])
        if share is None or cast.settings.attacker is None or not n or not cast.is_member.all():
            return []
        found = 1.0 - int(self._harvest[place]) / n
        room = ERRORS * math.sqrt(max(share * (1.0 - share), 1e-12) / n)
        return [_check("cover share", share, found, share - room, share + room)]

    def _pivot(self, place: int, cast: Cast) -> list[dict[str, Any]]:
        n = int(self._late[place])
        if n < 500:
            return []
        share = cast.actor.habits.p_pivot
        room = ERRORS * math.sqrt(share * (1.0 - share) / n) + 0.1 * share
        checks = [_check("share on the new model", share, self._moved[place] / n, share - room, share + room)]
        return [*checks, _check("new model before its release", 0, int(self._early[place]), 0, 0)]


def _payments(cast: Cast) -> list[dict[str, Any]]:
    declared = getattr(cast.parameters, "payments", 0)
    if not declared or not cast.is_member.all():
        return []
    found = len(np.unique(cast.identity.payment))
    n = len(cast.crowd)
    expected = declared * (1.0 - (1.0 - 1.0 / declared) ** n)
    return [_check("payment instruments", declared, found, math.floor(expected * 0.8 - 2), declared)]


def _check(name: str, declared: float, found: float, low: float, high: float) -> dict[str, Any]:
    return {
        "effect": name,
        "declared": declared,
        "found": round(float(found), 5),
        "is_there": bool(low <= found <= high),
    }
