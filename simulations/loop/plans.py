"""Who will send what: the plans of accounts, drawn for some days at a time. A changed mind voids what was planned.

The first plan of every account is the open loop's, so nothing changes for whom nothing happened. A later plan draws its
times anew and numbers its requests past all earlier ones, so no request, prompt or id comes twice.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simulations.actors import MOST_REQUESTS
from simulations.crowd import FIRST_TRIES
from simulations.loop.keys import DAY_US
from simulations.population import Cast
from simulations.spill import RECORD, Records, joined
from simulations.streams import Counts, Streams, key_of, mix
from simulations.traffic.kinds import IS_EXTRACTION
from simulations.world import World, records_of

#: Days that a later plan covers; plans end together, so that accounts on one scheduler stay on one. Chosen.
PLAN_DAYS = 7
#: Most requests of a later plan: with so many plans, ordinals stay below those of later tries.
PLAN_REQUESTS = 1 << 16
MOST_PLANS = (FIRST_TRIES - MOST_REQUESTS) // PLAN_REQUESTS - 1
#: The plan of an account that sends nothing.
NONE = 255


@dataclass(frozen=True)
class Manner:
    """How a campaign asks at the moment."""

    changes: tuple[tuple[str, Any], ...] = ()
    """Parameters that differ from the cohort's; those that an actor does not have are left out."""
    pace: float = 1.0
    """Factor of the requests of every account."""
    wording: int = 0
    """Number of the prompt set; 0 is the first."""

    def parameters(self, cast: Cast) -> Any:
        """Give the parameters of a cast in this manner."""
        known = {name: value for name, value in self.changes if name in type(cast.parameters).model_fields}
        return cast.parameters.model_copy(update=known)


@dataclass
class Plans:
    """The current plan of every account, and the requests of later plans, step by step."""

    world: World
    volumes: tuple[Counts, ...]
    """Of each cast, requests that its accounts would send in the whole log."""
    step_us: int
    plan: Any = field(init=False)
    """Shape (n_accounts,): number of the plan; requests of any other are void."""
    ends_us: Counts = field(init=False)
    """Shape (n_accounts,): when the current plan ends, since the log began [us]."""
    latest: Any = field(init=False)
    """Shape (n_accounts,): the highest number that a plan has had."""
    _waiting: dict[int, list[Records]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give the accounts of the open loop their first plan."""
        n = len(self.world.population)
        self.plan, self.latest = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
        self.ends_us = np.full(n, self._length_us, np.int64)

    @property
    def _length_us(self) -> int:
        return round(self.world.scenario.days * DAY_US)

    def is_valid(self, records: Records) -> Any:
        """Tell which requests are still meant."""
        return records["plan"] == self.plan[records["account"]]

    def drop(self, accounts: Counts) -> None:
        """Let accounts send nothing more."""
        self.plan[accounts] = NONE

    def begin(self, place: int, accounts: Counts, from_us: int, manner: Manner) -> None:
        """Plan the next days of some accounts of one cast anew.

        Parameters
        ----------
        place: of the cast.
        accounts: their numbers, ascending; those that have had too many plans send nothing more.
        from_us: since the log began [us].
        """
        spent = self.latest[accounts] >= MOST_PLANS
        self.drop(accounts[spent])
        accounts = accounts[~spent]
        self.latest[accounts] += 1
        self.plan[accounts] = self.latest[accounts]
        end_us = min((from_us // (PLAN_DAYS * DAY_US) + 1) * PLAN_DAYS * DAY_US, self._length_us)
        self.ends_us[accounts] = end_us
        if len(accounts) and from_us < end_us:
            self._hold(self._records(place, accounts, from_us, end_us, manner), from_us)

    def take(self, step: int) -> Records:
        """Give the requests of later plans that fall into a step, void ones among them, in no order."""
        return joined([np.empty(0, RECORD), *self._waiting.pop(step, [])])

    def _hold(self, records: Records, from_us: int) -> None:
        records = records[records["at_us"] >= from_us]
        step = records["at_us"] // self.step_us
        order = np.argsort(step, kind="stable")
        steps, begins = np.unique(step[order], return_index=True)
        for number, rows in zip(steps.tolist(), np.split(order, begins[1:]), strict=True) if len(steps) else ():
            self._waiting.setdefault(number, []).append(records[rows])

    def _records(self, place: int, accounts: Counts, from_us: int, end_us: int, manner: Manner) -> Records:
        cast, first = self.world.casts[place], int(self.world.population.firsts[place])
        low, high = int(accounts.min()) - first, int(accounts.max()) - first + 1
        crowd, members = cast.crowd.part(low, high), accounts - first - low
        parameters = manner.parameters(cast)
        begins_s = np.maximum(crowd.begins_s, from_us / 1e6)
        ends_s = np.minimum(crowd.ends_s, end_us / 1e6)
        share = np.maximum(ends_s - begins_s, 0.0) / crowd.horizon.length_s
        wanted = np.ceil(self.volumes[place][low:high] * share * manner.pace).astype(np.int64)
        n_requests = np.zeros(len(crowd), np.int64)
        n_requests[members] = np.minimum(wanted[members], PLAN_REQUESTS - 1)
        timed = replace(
            crowd,
            begins_s=begins_s,
            ends_s=np.maximum(ends_s, begins_s),
            streams=Streams(key_of("plan", crowd.streams.seed, end_us) >> 1),
        )
        visits = cast.actor.visits(timed, parameters, n_requests)
        past = MOST_REQUESTS + self.latest[first + low : first + high].astype(np.int64) * PLAN_REQUESTS
        visits = replace(
            visits, ordinal=visits.ordinal + past[visits.member], session=visits.session + past[visits.member]
        )
        asking = replace(timed, streams=crowd.streams)
        records = records_of(cast.actor, parameters, asking, visits, first=first + low)
        _reword(records, manner.wording)
        records["plan"] = self.plan[records["account"]]
        return records


def _reword(records: Records, number: int) -> None:
    """Let harvest requests come from another prompt set, whoever owns theirs; those that shared one share it still."""
    if number:
        harvest = IS_EXTRACTION[records["kind"]]
        records["owner"][harvest] = mix(records["owner"][harvest] ^ np.uint64(key_of("wording", number)))
