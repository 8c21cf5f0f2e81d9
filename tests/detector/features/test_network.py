"""Network by hand: addresses, clients, models, and how a cluster spreads over them."""

import numpy as np
import pytest

from tests.detector.features.small_logs import feature, features_of, log_of, pooled_features


def test_networks_are_prefixes() -> None:
    """Four addresses in two IPv4 /24 and two addresses in one IPv6 /64: three networks, six addresses."""
    ips = ["192.0.2.1", "192.0.2.9", "198.51.100.1", "198.51.100.2", "2001:db8::1", "2001:db8::2"]
    log = log_of(list(range(6)), ip=ips)
    assert feature(log, "networks") == pytest.approx(np.log2(3))
    assert feature(log, "addresses") == pytest.approx(np.log2(6))
    assert feature(log, "network_top_share") == pytest.approx(1 / 3)


def test_clients_and_models() -> None:
    """Two clients are one doubling; three of four requests to one model are .75."""
    log = log_of([1, 2, 3, 4], user_agent=["a", "a", "b", "b"], model=["big", "big", "big", "small"])
    assert feature(log, "clients") == 1.0
    assert feature(log, "model_top_share") == 0.75


def test_a_cluster_is_counted_over_its_accounts() -> None:
    """Eight accounts on two networks and one client: a quarter of a network, an eighth of a client each."""
    log = log_of(
        list(range(8)),
        account_id=[f"a{i}" for i in range(8)],
        ip=["192.0.2.1", "198.51.100.1"] * 4,
        user_agent="python",
    )
    found = pooled_features(log).iloc[0]
    assert found[["networks_per_account", "clients_per_account", "cluster_size"]].tolist() == [-2.0, -3.0, 3.0]
    assert features_of(log).cluster_size.tolist() == [0.0] * 8


@pytest.mark.parametrize("name", ["networks", "networks_per_account", "network_top_share", "addresses"])
def test_an_account_without_address_has_no_network(name: str) -> None:
    """Null addresses give NaN, never 0."""
    log = log_of([1, 2], account_id=["a", "b"], ip=np.array(["192.0.2.1", None], dtype=object))
    assert features_of(log)[name].isna().tolist() == [False, True]


def test_what_is_no_address_has_no_network() -> None:
    """Text that is no address counts as an address, but names no network."""
    found = features_of(log_of([1, 2], ip="not an address"))
    assert np.isnan(found.networks.iloc[0])
    assert found.addresses.iloc[0] == 0.0
