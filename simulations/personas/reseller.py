"""Resellers and relays: few accounts that carry the chat of many paying people, all day and in turn. No harvest."""

from typing import Literal

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.crowd import END_USER, Asked, Crowd, Visits
from simulations.streams import Counts, mix
from simulations.traffic import arrivals, identity, kinds


class ResellerParameters(Volume):
    """What a cohort of resellers may set; a relay pool of 6 accounts carried 53,655 requests."""

    requests: float = Field(3000.0, gt=0, le=1e7, description="median requests of an account over the log")
    customers: int = Field(60, ge=1, le=100_000, description="people behind an account")
    pool: int = Field(6, ge=1, le=1000, description="accounts of one reseller, on one payment and site")
    pace: Literal["conversations", "stream"] = Field(
        "conversations", description="customers who talk, or who send what comes up"
    )


#: Customers of a pool who send requests as they come up, all on.
STREAM = arrivals.Bursts(variation=1.3, variation_sigma=0.3, always_share=0.9, daily=4.0, weekend=0.5)


class Reseller(Actor):
    """Relays of paying people: conversations of many who come independently, at people's hours."""

    parameters = ResellerParameters
    least = 50
    pace = arrivals.PEOPLE
    #: Customers chat, or run tools that ask once and carry nothing along. Assumed.
    habits = Habits(talk_weights=(0.5, 0.5, 0.0))

    def pace_of(self, parameters: ResellerParameters) -> arrivals.Pace:
        """Pass conversations on, or single requests."""
        return STREAM if parameters.pace == "stream" else self.pace

    def identity(self, crowd: Crowd, parameters: ResellerParameters) -> identity.Identity:
        """Put a pool on one payment and site."""
        return identity.in_teams(crowd, identity.server(crowd), crowd.positions // parameters.pool, kind="cloud")

    def ask(self, crowd: Crowd, parameters: ResellerParameters, visits: Visits) -> Asked:
        """Let one of the customers ask; each talks like a person."""
        return relayed(crowd, visits, parameters.customers, self.kinds)

    def end_users(self, crowd: Crowd, parameters: ResellerParameters) -> Counts:
        """Tell the customers apart."""
        return np.full(len(crowd), parameters.customers)


def relayed(crowd: Crowd, visits: Visits, customers: int, pair: tuple[str, ...]) -> Asked:
    """Let one of the customers ask in each conversation; where requests stand alone, many follow up."""
    keys, alone = crowd.keys[visits.member], visits.session == visits.ordinal
    who = crowd.streams.integers(keys, END_USER, visits.session, below=customers).astype(np.uint64)
    goes_on = crowd.streams.chance(keys, "goes on", visits.ordinal, p=0.57)
    first, second = kinds.numbers(pair)
    later = np.where(alone, goes_on, visits.turn > 0)
    return Asked(np.where(later, second, first), mix(keys ^ (who + np.uint64(1))), visits.ordinal)
