"""Every registered actor keeps the contract of actors."""

import numpy as np
import pytest

from simulations.actors import Actor
from simulations.crowd import Asked, Crowd, Horizon, Visits
from simulations.roster import ATTACKERS, PERSONAS
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic.kinds import IS_EXTRACTION, KINDS

ACTORS = {**PERSONAS, **ATTACKERS}


def crowd_of(actor: Actor, n: int) -> Crowd:
    """A crowd of n accounts, with lives and timetables."""
    group = np.array([key_of("group")], dtype=np.uint64)
    crowd = Crowd("crowd", member_keys("crowd", n), group, Streams(4), Horizon(1.7724096e9, 7.0))
    return actor.cast(crowd, actor.parameters())


def played(actor: Actor, crowd: Crowd, n_requests: "np.typing.NDArray[np.int64]") -> tuple[Visits, Asked]:
    """What a crowd does."""
    visits = actor.visits(crowd, actor.parameters(), n_requests)
    return visits, actor.ask(crowd, actor.parameters(), visits)


@pytest.mark.parametrize("name", ACTORS)
def test_actor_covers_its_crowd(name: str) -> None:
    """There is a row of identity per account, a campaign per account, and a known kind per visit."""
    actor = ACTORS[name]
    crowd = crowd_of(actor, 9)
    parameters = actor.parameters()
    visits, asked = played(actor, crowd, np.minimum(actor.count(crowd, parameters), 400))
    known = actor.identity(crowd, parameters)
    assert {9} == {len(column) for column in (known.payment, known.created_s, known.client, known.addresses)}
    assert len(visits) == len(asked.kind) == len(asked.owner) == len(asked.item) > 0
    assert asked.kind.min() >= 0 and asked.kind.max() < len(KINDS)
    assert 9 == len(actor.members(crowd, parameters)) == len(actor.campaigns(crowd, parameters))


@pytest.mark.parametrize("name", ACTORS)
def test_only_members_harvest(name: str) -> None:
    """An attacker's members harvest, and nobody else ever does."""
    actor = ACTORS[name]
    crowd = crowd_of(actor, 9)
    visits, asked = played(actor, crowd, np.full(9, 200))
    member = actor.members(crowd, actor.parameters())
    harvests = np.bincount(visits.member[IS_EXTRACTION[asked.kind]], minlength=9) > 0
    assert (name in ATTACKERS) == member.any()
    assert not harvests[~member].any()
    assert harvests[member].mean() > 0.6 if name in ATTACKERS else not harvests.any()


@pytest.mark.parametrize("name", ACTORS)
def test_neighbours_change_nothing(name: str) -> None:
    """Some accounts do the same, to the bit, whether others are played or not."""
    actor = ACTORS[name]
    crowd, n_requests = crowd_of(actor, 9), np.full(9, 60)
    whole, asked = played(actor, crowd, n_requests)
    part, part_asked = played(actor, crowd.part(3, 6), n_requests[3:6])
    rows = (whole.member >= 3) & (whole.member < 6)
    assert np.array_equal(whole.at_us[rows], part.at_us)
    for column in ("kind", "owner", "item"):
        assert np.array_equal(getattr(asked, column)[rows], getattr(part_asked, column))


@pytest.mark.parametrize("name", ACTORS)
def test_visits_lie_within_lives(name: str) -> None:
    """Nobody comes before the log or the account begins, or after either ends; every visit has a key of its own."""
    actor = ACTORS[name]
    crowd = crowd_of(actor, 9)
    visits, _ = played(actor, crowd, np.full(9, 60))
    at_s = visits.at_us / 1e6
    assert (at_s >= np.floor(crowd.begins_s[visits.member])).all() and (at_s < crowd.ends_s[visits.member] + 1).all()
    assert len(visits) == len(np.unique(visits.member * 1000 + visits.ordinal))


def test_names_are_either_honest_or_not() -> None:
    """No name is a persona and an attacker."""
    assert set() == set(PERSONAS) & set(ATTACKERS)
