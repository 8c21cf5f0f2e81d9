"""Identities are shared where they should be and nowhere else."""

import numpy as np
import pytest
from scipy import stats

from simulations.crowd import Crowd, Horizon
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic import identity
from simulations.traffic.identity import person


def crowd_of(n: int, name: str = "crowd") -> Crowd:
    """A crowd of n accounts."""
    group = np.array([key_of("group", name)], dtype=np.uint64)
    return Crowd(name, member_keys(name, n), group, Streams(11), Horizon(1.77e9, 14.0))


def test_strangers_share_nothing_but_carriers_and_offices() -> None:
    """Payments and homes are one's own; carrier and office addresses are shared over cohorts."""
    one, other = person(crowd_of(2000)), person(crowd_of(2000, "others"))
    assert len(np.union1d(one.payment, other.payment)) == 4000
    assert np.intersect1d(one.addresses[:, 0], other.addresses[:, 0]).size < 5
    carriers = np.concatenate(
        [some.addresses[some.addresses[:, 1] != some.addresses[:, 0], 1] for some in (one, other)]
    )
    assert identity.N_SHARED["carrier"] == len(np.unique(carriers))


def test_accounts_differ_in_how_many_places_they_have() -> None:
    """Some keep to one address, some use several; nobody's first place changes."""
    n_places = [len(set(row[:5])) for row in person(crowd_of(2000)).addresses]
    assert [min(n_places), max(n_places)] == [1, 5]
    assert 0.1 < np.mean(np.array(n_places) == 1) < 0.4


def test_team_shares_payment_site_and_organisation() -> None:
    """Members of a team share all three; the rest of the crowd is as it was."""
    crowd = crowd_of(10)
    alone = person(crowd)
    teams = np.array([0, 0, 0, -1, -1, 2, 2, -1, -1, -1])
    found = identity.in_teams(crowd, alone, teams, kind="office")
    assert 1 == len(set(found.payment[:3])) == len(set(found.organisation[:3])) == len(set(found.addresses[:3, 0]))
    assert found.payment[0] != found.payment[5]
    strangers = teams < 0
    assert np.array_equal(found.payment[strangers], alone.payment[strangers])
    assert np.array_equal(found.addresses[strangers], alone.addresses[strangers])
    assert (found.organisation[strangers] == 0).all()


def test_site_in_the_cloud_shares_hosts_and_client() -> None:
    """Most keys of one customer call from the same hosts with the same program; other customers have others."""
    size, crowd = 4, crowd_of(4000)
    teams = crowd.positions // size
    found = identity.in_teams(crowd, identity.server(crowd), teams, kind="cloud")
    hosts = found.addresses[:, 0].reshape(-1, size)
    most_used = np.array([np.unique(some, return_counts=True)[1].max() for some in hosts])
    p = 1.0 - identity.P_APART
    expected = sum(max(k, 1) * stats.binom.pmf(k, size, p) for k in range(size + 1))
    assert most_used.mean() == pytest.approx(expected, abs=0.1)
    assert {1, size} <= set(most_used)
    same = found.addresses[1:, 0] == found.addresses[:-1, 0]
    assert not same[size - 1 :: size].any()
    assert np.array_equal(found.addresses[1:][same], found.addresses[:-1][same])
    assert np.array_equal(found.client[1:][same], found.client[:-1][same])


def test_keys_that_run_apart_share_the_bill_only() -> None:
    """A key on hosts of its own has the hosts and the client that it had alone, and its customer's payment."""
    crowd = crowd_of(400)
    alone = identity.server(crowd)
    found = identity.in_teams(crowd, alone, crowd.positions // 4, kind="cloud")
    apart = found.addresses[:, 0] == alone.addresses[:, 0]
    assert np.mean(apart) == pytest.approx(identity.P_APART, abs=4 * np.sqrt(0.21 / 400))
    assert np.array_equal(found.addresses[apart], alone.addresses[apart])
    assert np.array_equal(found.client[apart], alone.client[apart])
    assert len(np.unique(found.payment)) == 100


def test_network_has_its_octet() -> None:
    """No two networks share a first octet or a number, so an address tells its network."""
    assert len(identity.NETWORKS) == len(set(identity.FIRST_OCTETS)) == len(set(identity.ASNS))
