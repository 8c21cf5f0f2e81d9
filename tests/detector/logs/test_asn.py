"""Operators of networks come from the user's database; a bad one is one clear error; nothing else of it is read."""

import sys
from pathlib import Path

import numpy as np
import pytest

from detector.errors import AsnDatabaseError
from detector.logs.asn import AsnDatabase
from tests.detector.logs.databases import MARKER, write_mmdb

NETWORKS = {
    "192.0.2.0/24": {"autonomous_system_number": 64500, "country": "XX"},
    "198.51.100.0/24": {"asn": "AS64501"},
    "2001:db8::/48": {"autonomous_system_number": 64502},
    "203.0.113.0/24": {"name": "nobody's"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of four networks."""
    pytest.importorskip("maxminddb")
    return write_mmdb(tmp_path / "asn.mmdb", NETWORKS)


def test_numbers_are_looked_up(path: Path) -> None:
    """Both spellings, both versions of addresses; 0 for what is unknown, unnamed or no address."""
    asked = ["192.0.2.9", "198.51.100.255", "2001:db8::1", "203.0.113.1", "10.0.0.1", "::1", "<script>", ""]
    with AsnDatabase(path) as database:
        assert database.look_up(asked).tolist() == [64500, 64501, 64502, 0, 0, 0, 0, 0]
        assert sorted(database.record()) == ["file", "sha256"]


def test_an_address_of_another_version_is_unknown(path: Path, tmp_path: Path) -> None:
    """A database of version 4 addresses alone knows none of version 6."""
    four = write_mmdb(tmp_path / "four.mmdb", {"192.0.2.0/24": {"asn": 64500}}, ip_version=4)
    with AsnDatabase(four) as database:
        assert database.look_up(["192.0.2.1", "2001:db8::1"]).tolist() == [64500, 0]


@pytest.mark.parametrize("given", ["AS", "AS-1", "AS١", "9" * 28, 0, {"a": 1}, [1]])
def test_a_record_that_holds_no_number_tells_nothing(tmp_path: Path, path: Path, given: object) -> None:
    """What is no number of 32 bits is as unknown as an address that is not there."""
    odd = write_mmdb(tmp_path / "odd.mmdb", {"192.0.2.0/24": {"asn": given}})
    with AsnDatabase(odd) as database:
        assert database.look_up(["192.0.2.1"]).tolist() == [0]


@pytest.mark.parametrize("content", [b"", b"asn,network\n", MARKER, MARKER + b"\xff" * 40, b"\0" * 4096])
def test_what_is_no_database_is_refused(path: Path, content: bytes) -> None:
    """Empty, text, a marker with nothing or nonsense behind it: the file is named, and what to do."""
    path.write_bytes(content)
    with pytest.raises(AsnDatabaseError, match=r"asn\.mmdb: cannot be read \(it is damaged.*leave out --asn"):
        AsnDatabase(path)


def test_a_missing_file_is_refused(tmp_path: Path, path: Path) -> None:
    """The system's own reason is told."""
    with pytest.raises(AsnDatabaseError, match=r"none\.mmdb: cannot be read \(No such file"):
        AsnDatabase(tmp_path / "none.mmdb")


def test_a_database_of_something_else_is_refused(path: Path) -> None:
    """One of countries tells no operators, and is said to."""
    write_mmdb(path, {"192.0.2.0/24": {"country": "XX"}})
    with pytest.raises(AsnDatabaseError, match="tells no operators"):
        AsnDatabase(path)


def test_damage_is_one_error_or_another_number(path: Path) -> None:
    """Whatever byte is changed, and wherever the file is cut, there is an answer of 32 bits or the one error."""
    whole, rng, n_refused = path.read_bytes(), np.random.default_rng(5), 0
    for turn in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged if turn % 3 else damaged[: rng.integers(len(whole))])
        try:
            with AsnDatabase(path) as database:
                found = database.look_up(["192.0.2.9", "198.51.100.1", "2001:db8::1", "10.0.0.1"])
                assert ((found >= 0) & (found < 2**32)).all()
        except AsnDatabaseError:
            n_refused += 1
    assert n_refused > 100


def test_a_missing_reader_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the optional library the error says what to install."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(AsnDatabaseError, match=r"install stillwatch\[asn\]"):
        AsnDatabase(tmp_path / "asn.mmdb")
