"""Unread bytes of streams and of compressed files."""

import gzip
import os
from pathlib import Path

import pytest

from detector.errors import InputChangedError
from detector.watching.supply import StreamSupply, UnfoldedSupply
from detector.watching.tails import Tail

_DATA = b"".join(b"line %d of the stream\n" % number for number in range(5000))


def _stream(data: bytes, most: int = 1 << 20) -> StreamSupply:
    read, write = os.pipe()
    supply = StreamSupply(read, most)
    if os.fork() == 0:
        with os.fdopen(write, "wb") as file:
            file.write(data)
        os._exit(0)
    os.close(write)
    return supply


def _all(supply: StreamSupply) -> bytes:
    parts = []
    while not supply.is_ended:
        supply.wait(10)
        data, _ = supply.window(4096)
        supply.drop(len(data))
        parts.append(data)
    return b"".join(parts)


def test_a_stream_is_given_whole_and_ends() -> None:
    """However little is held of it."""
    assert _all(_stream(_DATA, most=10_000)) == _DATA


def test_a_stream_that_is_given_again_is_passed_over_up_to_where_it_was_read() -> None:
    """By what it begins with; another stream is new; one that goes on otherwise is refused."""
    tail = Tail("standard input")
    tail.mark(0, _DATA[:9000], 9000)
    tail.mark(9000, _DATA[9000:60_000], 51_000)
    supply = _stream(_DATA)
    assert supply.passes(tail)
    assert _all(supply) == _DATA[60_000:]
    other = _stream(b"other " + _DATA)
    assert not other.passes(tail)
    assert _all(other) == b"other " + _DATA
    with pytest.raises(InputChangedError, match="begins as the stream before, and goes on otherwise"):
        _stream(_DATA[:20_000] + b"x" + _DATA[20_000:]).passes(tail)


def test_a_compressed_file_is_unfolded_from_where_it_was_read(tmp_path: Path) -> None:
    """Nothing comes after its end; one that is cut short gives what it has, and says so."""
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(_DATA))
    supply = UnfoldedSupply(Tail(str(path), compression="gzip", offset=1000))
    first, is_final = supply.window(500)
    assert (first, is_final) == (_DATA[1000:1500], False)
    supply.drop(500)
    assert supply.window(1 << 20) == (_DATA[1500:], True)
    path.write_bytes(gzip.compress(_DATA)[:-20])
    supply = UnfoldedSupply(Tail(str(path), compression="gzip"))
    data, is_final = supply.window(1 << 20)
    assert _DATA.startswith(data)
    assert not is_final
    assert "cut short" in supply.trouble
