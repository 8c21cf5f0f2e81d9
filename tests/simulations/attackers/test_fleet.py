"""A fleet divides its work, shares few payments and exits, and hides as much as it is told."""

import numpy as np
import pytest

from simulations.attackers.fleet import Fleet, FleetParameters
from simulations.crowd import Crowd, Horizon
from simulations.streams import Streams, key_of, member_keys


def crowd_of(n: int) -> Crowd:
    """A fleet of n accounts."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("fleet", member_keys("fleet", n), group, Streams(4), Horizon(1.7724096e9, 14.0))


@pytest.mark.parametrize("cover_share", [0.0, 0.5, 1.0])
def test_cover_share_holds(cover_share: float) -> None:
    """The share of requests that are cover is the one asked for."""
    plan = Fleet().plan(crowd_of(40), FleetParameters(cover_share=cover_share))
    assert 1 - plan.is_extraction.mean() == pytest.approx(cover_share, abs=0.02)


def test_members_share_few_payments() -> None:
    """All members pay with the stated number of instruments."""
    plan = Fleet().plan(crowd_of(60), FleetParameters(payments=3))
    assert len(np.unique(plan.identity.payment)) == 3


def test_exits_are_few_networks() -> None:
    """The rented addresses of all members lie in the stated number of networks."""
    plan = Fleet().plan(crowd_of(60), FleetParameters(exits=2, residential_share=0.0))
    assert len(np.unique(plan.identity.addresses[:, [0, 3, 4]] >> np.uint32(8))) == 2


def test_prompts_are_dealt_out() -> None:
    """Members hardly ever ask the same harvest prompt: the shards are disjoint."""
    crowd, parameters = crowd_of(10), FleetParameters(cover_share=0.0)
    plan = Fleet().plan(crowd, parameters)
    asked = Fleet().ask(crowd, parameters, plan.visits, plan.is_extraction).prompt
    assert len(asked.unique()) / len(asked) > 0.97


def test_rate_is_per_account_and_day() -> None:
    """Members send the stated number of requests a day, on average."""
    plan = Fleet().plan(crowd_of(800), FleetParameters(per_day=25.6))
    assert len(plan.visits) / 800 / 14 == pytest.approx(25.6, rel=0.1)
