"""Addresses become networks, and a network's fingerprint gives its name back."""

import ipaddress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.profiles.batch import to_strings
from detector.profiles.clients import network_hashes, network_name


def hashes_of(addresses: list[str | None]) -> list[int]:
    """Hash the networks of addresses."""
    column = pa.array(addresses, pa.string())
    return network_hashes(column, to_strings(column)).tolist()


@given(st.ip_addresses(v=4))
def test_ipv4_networks_are_24_bits(address: ipaddress.IPv4Address) -> None:
    """The name is the /24 that the address lies in."""
    found = hashes_of([str(address)])[0]
    expected = ipaddress.ip_network((int(address) & 0xFFFFFF00, 24))
    assert network_name(found) == str(expected) if int(address) >= 256 else found == 0


@given(st.ip_addresses(v=6, network="2000::/3"))
def test_ipv6_networks_are_64_bits(address: ipaddress.IPv6Address) -> None:
    """The name is the /64 that the address lies in."""
    assert network_name(hashes_of([str(address)])[0]) == str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d", "1.2.3.4:80", "::zz", "1..2.3", None]
)
def test_what_is_no_address_has_no_network(text: str | None) -> None:
    """Nothing is guessed from text that is no address."""
    assert hashes_of([text]) == [0]


def test_neighbours_share_a_network() -> None:
    """Two hosts of a /24 meet, hosts of two do not."""
    a, b, c = hashes_of(["192.0.2.1", "192.0.2.254", "192.0.3.1"])
    assert a == b != c
    assert np.uint64(a) != 0
