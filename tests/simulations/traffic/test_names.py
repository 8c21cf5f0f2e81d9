"""Ids and addresses are spelled as promised."""

import numpy as np

from simulations.streams import member_keys
from simulations.traffic.names import account_ids, id_texts, ip_texts


def test_addresses_are_written_dotted() -> None:
    """An address is four octets in the usual order, without leading zeros."""
    addresses = np.array([0x01020304, 0xFF0A6400], dtype=np.uint32)
    assert ip_texts(addresses).to_pylist() == ["1.2.3.4", "255.10.100.0"]


def test_zero_is_no_id() -> None:
    """The number 0 is absent, not an id of zeros; digits come lowest first."""
    assert id_texts("x_", np.array([0x21, 0], dtype=np.uint64), digits=4).to_pylist() == ["x_1200", None]


def test_no_ids_at_all() -> None:
    """Nothing gives nothing."""
    assert id_texts("x_", np.array([], dtype=np.uint64), digits=4).to_pylist() == []


def test_account_ids_differ() -> None:
    """Accounts have names of their own, and another seed gives other names."""
    keys = member_keys("crowd", 5000)
    assert len(account_ids(keys, 1).unique()) == 5000
    assert account_ids(keys, 1) != account_ids(keys, 2)
