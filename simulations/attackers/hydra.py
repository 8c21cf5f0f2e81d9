"""A reseller's accounts with a harvest among its customers' chat; a banned account is replaced at once."""

from dataclasses import replace

import numpy as np
from pydantic import Field

from simulations.attackers.fleet import Fleet, FleetParameters
from simulations.crowd import DAY_S, Asked, Crowd, Visits
from simulations.personas.reseller import relayed
from simulations.streams import Counts


class HydraParameters(FleetParameters):
    """What a hydra may set; a cohort is one network."""

    cover_share: float = Field(0.75, ge=0, le=1, description="share of requests that are customers' chat (.5 to .95)")
    customers: int = Field(30, ge=1, le=100_000, description="people behind an account")
    life_days: float = Field(10.0, gt=0, le=10_000, description="mean life of an account until it is banned [days]")
    heads: int = Field(4, ge=1, le=1000, description="accounts that replace each other, one after the other")


class Hydra(Fleet):
    """Accounts of a reseller that come back."""

    parameters = HydraParameters

    def cast(self, crowd: Crowd, parameters: HydraParameters) -> Crowd:
        """Let every account begin when the one before it is banned; the last head lives on."""
        draw, head = crowd.streams, crowd.positions % parameters.heads
        lives = DAY_S * parameters.life_days * -np.log(draw.uniform(crowd.keys, "life"))
        ends = np.array(lives)
        for place in range(1, parameters.heads):
            follows = np.flatnonzero(head == place)
            ends[follows] = ends[follows - 1] + lives[follows]
        begins = np.where(head > 0, np.roll(ends, 1), 0.0)
        last = (head == parameters.heads - 1) | (crowd.positions == len(crowd) - 1)
        length_s = crowd.horizon.length_s
        return replace(
            crowd,
            begins_s=np.minimum(begins, length_s),
            ends_s=np.where(last, length_s, np.minimum(ends, length_s)),
        )

    def count(self, crowd: Crowd, parameters: FleetParameters) -> Counts:
        """Give members requests for as long as they live."""
        share = (crowd.ends_s - crowd.begins_s) / crowd.horizon.length_s
        return np.ceil(super().count(crowd, parameters) * share).astype(np.int64)

    def volume(self, crowd: Crowd, parameters: FleetParameters) -> tuple[float, float]:
        """Declare as many requests as one account per line would send: its lives fill the log."""
        mean, variance = super().volume(crowd, parameters)
        heads = parameters.heads if isinstance(parameters, HydraParameters) else 1
        n_lines = -(-len(crowd) // heads)
        return mean * n_lines / len(crowd), variance * n_lines / len(crowd)

    def cover(self, crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Asked:
        """Carry the chat of customers."""
        customers = parameters.customers if isinstance(parameters, HydraParameters) else 1
        return relayed(crowd, visits, customers, self.kinds)

    def end_users(self, crowd: Crowd, parameters: FleetParameters) -> Counts:
        """Tell the customers apart, and hand the harvest out among them."""
        customers = parameters.customers if isinstance(parameters, HydraParameters) else 1
        return np.full(len(crowd), customers)
