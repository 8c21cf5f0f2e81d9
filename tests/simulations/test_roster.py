"""Every registered actor keeps the contract of actors."""

import numpy as np
import pytest

from simulations.crowd import Crowd, Horizon
from simulations.roster import ATTACKERS, PERSONAS
from simulations.streams import Streams, key_of, member_keys

ACTORS = {**PERSONAS, **ATTACKERS}


def crowd_of(n: int) -> Crowd:
    """A crowd of n accounts."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("crowd", member_keys("crowd", n), group, Streams(4), Horizon(1.7724096e9, 7.0))


@pytest.mark.parametrize("name", ACTORS)
def test_plan_covers_the_crowd(name: str) -> None:
    """A plan has a row of identity per account, a flag per visit, and campaigns for attackers only."""
    actor, crowd = ACTORS[name], crowd_of(9)
    plan = actor.plan(crowd, actor.parameters())
    assert len(plan.visits) == len(plan.is_extraction)
    known = plan.identity
    assert {9} == {len(column) for column in (known.payment, known.created_s, known.client, known.addresses)}
    assert (name in ATTACKERS) == plan.is_extraction.any()
    assert [name in ATTACKERS] * 9 == [campaign is not None for campaign in plan.campaigns]


@pytest.mark.parametrize("name", ACTORS)
def test_requests_do_not_depend_on_their_company(name: str) -> None:
    """Some visits are asked for the same whether others are asked for or not."""
    actor, crowd = ACTORS[name], crowd_of(9)
    parameters = actor.parameters()
    plan = actor.plan(crowd, parameters)
    whole = actor.ask(crowd, parameters, plan.visits, plan.is_extraction)
    some = np.arange(0, len(plan.visits), 7)
    part = actor.ask(crowd, parameters, plan.visits.take(some), plan.is_extraction[some])
    assert whole.prompt.take(some).equals(part.prompt)
    assert np.array_equal(whole.answer_tokens[some], part.answer_tokens)
    assert np.array_equal(whole.history_tokens[some], part.history_tokens)


def test_names_are_either_honest_or_not() -> None:
    """No name is a persona and an attacker."""
    assert set() == set(PERSONAS) & set(ATTACKERS)
