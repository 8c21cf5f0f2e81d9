"""A fleet divides its work, shares few payments and exits, and hides as much as it is told."""

import numpy as np
import pytest

from simulations.attackers.fleet import Fleet, FleetParameters
from simulations.attackers.framing import Framing, FramingParameters
from simulations.attackers.hydra import Hydra, HydraParameters
from simulations.attackers.residential_fleet import ResidentialFleet, ResidentialFleetParameters
from simulations.crowd import DAY_S, Asked, Crowd, Horizon, Visits
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic import kinds
from simulations.traffic.kinds import IS_EXTRACTION


def crowd_of(n: int) -> Crowd:
    """A fleet of n accounts."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("fleet", member_keys("fleet", n), group, Streams(4), Horizon(1.7724096e9, 14.0))


def played(n: int, **values: object) -> tuple[Visits, Asked]:
    """What a fleet does."""
    crowd, parameters = crowd_of(n), FleetParameters.model_validate(values)
    visits = Fleet().visits(crowd, parameters, Fleet().count(crowd, parameters))
    return visits, Fleet().ask(crowd, parameters, visits)


@pytest.mark.parametrize("cover_share", [0.0, 0.5, 1.0])
def test_cover_share_holds(cover_share: float) -> None:
    """The share of requests that are cover is the one asked for."""
    _, asked = played(40, cover_share=cover_share)
    assert 1 - IS_EXTRACTION[asked.kind].mean() == pytest.approx(cover_share, abs=0.02)


def test_members_share_few_payments() -> None:
    """All members pay with the stated number of instruments."""
    assert len(np.unique(Fleet().identity(crowd_of(60), FleetParameters(payments=3)).payment)) == 3


def test_exits_are_few_networks() -> None:
    """The rented addresses of all members lie in the stated number of networks."""
    known = Fleet().identity(crowd_of(60), FleetParameters(exits=2, residential_share=0.0))
    assert len(np.unique(known.addresses[:, [0, 3]] >> np.uint32(8))) == 2


def test_residential_fleet_shares_nothing() -> None:
    """Members have payments and homes of their own."""
    known = ResidentialFleet().identity(crowd_of(60), ResidentialFleetParameters())
    assert len(np.unique(known.payment)) == len(np.unique(known.addresses[:, 0])) == 60


def test_prompts_are_dealt_out() -> None:
    """Members never ask the same harvest prompt: the shards are disjoint."""
    _, asked = played(10, cover_share=0.0)
    assert len(np.unique(asked.item)) == len(asked.item)
    assert len(np.unique(asked.owner)) == 1


def test_rate_is_per_account_and_day() -> None:
    """Members send the stated number of requests a day, on average."""
    assert len(played(800, per_day=25.6)[0]) / 800 / 14 == pytest.approx(25.6, rel=0.1)


def test_second_phase_narrows() -> None:
    """In the second phase, all harvest requests are of one kind, which the first phase has none of."""
    visits, asked = played(20, cover_share=0.0, phase_two="replayed", phase_two_from=0.5)
    late = visits.at_us > 7 * DAY_S * 1e6
    assert (asked.kind[late] == kinds.number("replayed")).all()
    assert (asked.kind[~late] != kinds.number("replayed")).all()


def test_hydra_grows_a_head_where_one_is_cut() -> None:
    """Each account of a line begins when the one before it ends, and the last lives on."""
    crowd = Hydra().cast(crowd_of(40), HydraParameters(heads=4, life_days=2.0))
    begins, ends = crowd.begins_s.reshape(10, 4), crowd.ends_s.reshape(10, 4)
    assert (begins[:, 0] == 0).all() and (ends[:, 3] == 14 * DAY_S).all()
    assert np.array_equal(begins[:, 1:], ends[:, :3])


def test_hydra_of_one_head_outlives_the_log() -> None:
    """A line of one account is never replaced."""
    crowd = Hydra().cast(crowd_of(5), HydraParameters(heads=1))
    assert (crowd.ends_s == 14 * DAY_S).all()


def test_framing_borrows_from_victims() -> None:
    """Members pay with victims' instruments; victims are no members and never harvest."""
    crowd, parameters = crowd_of(20), FramingParameters(victims=2, cover_share=0.0)
    known, member = Framing().identity(crowd, parameters), Framing().members(crowd, parameters)
    assert member.tolist() == [False] * 2 + [True] * 18
    assert set(known.payment[member]) == set(known.payment[~member])
    visits = Framing().visits(crowd, parameters, np.full(20, 30))
    asked = Framing().ask(crowd, parameters, visits)
    assert np.array_equal(IS_EXTRACTION[asked.kind], member[visits.member])
