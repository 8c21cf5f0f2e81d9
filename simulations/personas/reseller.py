"""Resellers and relays: few accounts that carry the chat of many paying people, all day and in turn. No harvest."""

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Volume
from simulations.crowd import END_USER, Asked, Crowd, Visits
from simulations.streams import Counts, mix
from simulations.traffic import arrivals, identity, kinds


class ResellerParameters(Volume):
    """What a cohort of resellers may set; a relay pool of 6 accounts carried 53,655 requests."""

    requests: float = Field(3000.0, gt=0, le=1e7, description="median requests of an account over the log")
    customers: int = Field(60, ge=1, le=100_000, description="people behind an account")
    pool: int = Field(6, ge=1, le=1000, description="accounts of one reseller, on one payment and site")


class Reseller(Actor):
    """Relays of paying people: requests of many who come nearly independently, at people's hours."""

    parameters = ResellerParameters
    least = 50
    pace = arrivals.Bursts(variation=1.3, variation_sigma=0.3, always_share=0.9, daily=4.0, weekend=0.5)

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
    """Let one of an account's customers ask in each visit."""
    keys = crowd.keys[visits.member]
    who = crowd.streams.integers(keys, END_USER, visits.ordinal, below=customers).astype(np.uint64)
    later = crowd.streams.chance(keys, "goes on", visits.ordinal, p=0.57)
    first, second = kinds.numbers(pair)
    return Asked(np.where(later, second, first), mix(keys ^ (who + np.uint64(1))), visits.ordinal)
