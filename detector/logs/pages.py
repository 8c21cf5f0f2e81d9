"""The pages of a Parquet file checked before anything decodes them: they lie where the footer says, and are unchanged.

Page headers alone are parsed, in plain Python, which damage cannot crash. Where the writer left checksums, each page is
read and its checksum compared; where not, its bytes are not touched.
"""

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from detector.logs.sources import MOST_TIMES, MOST_UNFOLDED, unreadable

#: Chosen: a page header holds some numbers and the least and greatest value of its page.
_HEADER_BYTES = 1 << 12
_LONGEST_HEADER = 16 << 20
_READ_BYTES = 1 << 20
#: Chosen: what a page may unpack to beyond what its column owns up to; harmless, and above what writers miscount.
_LENIENCE_BYTES = 64 << 20
#: Fields of a page header: sizes of the page, checksum, values of a dictionary.
#: https://github.com/apache/parquet-format, parquet.thrift.
_UNPACKED, _STORED, _CHECKSUM, _ENTRIES = (2,), (3,), (4,), (7, 1)
#: Types of the compact protocol. https://github.com/apache/thrift, doc/specs/thrift-compact-protocol.md.
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)
_FIXED = {_DOUBLE: 8}
#: A list of so many or more gives its length apart; a number takes at most so many bits.
_LONG, _WIDEST = 15, 63
#: Chosen: page headers nest two deep, and hold no lists.
_DEEPEST = 16
_MOST_LISTED = 1 << 10


@dataclass(frozen=True)
class ColumnChunk:
    """One column of one row group, as the footer has it.

    Attributes
    ----------
    start: byte at which its pages begin.
    n_bytes: what they take, headers included.
    n_unpacked: what they take unpacked; memory is planned by it. Some writers put it too low.
    n_values: how many values they hold.
    """

    column: str
    start: int
    n_bytes: int
    n_unpacked: int
    n_values: int


class _ShortError(Exception):
    """The header goes on beyond the bytes at hand, or there is none."""


class _DamagedError(Exception):
    """The pages are not as their writer left them; the text says how."""


def check_pages(name: str, path: str, chunks: Iterable[ColumnChunk]) -> None:
    """Walk over the pages of some columns of a file.

    Parameters
    ----------
    name: what the user calls the file.

    Raises
    ------
    InputUnreadableError
        A page lies outside of the file, unpacks to far more than its column owns up to, or its checksum differs.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        n_bytes = os.fstat(descriptor).st_size
        unfolded = 0.0
        for chunk in chunks:
            try:
                unfolded += _walk(descriptor, chunk, n_bytes)
            except _DamagedError as why:
                raise unreadable(name, f"column {chunk.column!r}: {why}") from None
        if unfolded > max(MOST_UNFOLDED, MOST_TIMES * n_bytes):
            raise unreadable(name, f"its {n_bytes:,} bytes unfold to {unfolded / 1e9:,.0f} GB")
    finally:
        os.close(descriptor)


def _walk(descriptor: int, chunk: ColumnChunk, n_bytes: int) -> float:
    """Step from page to page; give the bytes that the column unfolds to, its dictionary's entries being of one size."""
    end = chunk.start + chunk.n_bytes
    if not 4 <= chunk.start < end <= n_bytes:
        raise _DamagedError("its pages lie outside of the file")
    at, unfolded = chunk.start, 0.0
    while at < end:
        try:
            fields, length = _header(descriptor, at)
        except _ShortError:
            raise _DamagedError(f"byte {at} begins no page") from None
        n_stored = fields.get(_STORED, -1)
        is_sized = n_stored >= 0 and 0 <= fields.get(_UNPACKED, -1) <= chunk.n_unpacked + _LENIENCE_BYTES
        if not is_sized or at + length + n_stored > n_bytes:
            raise _DamagedError(f"the page at byte {at} has an impossible size")
        at += length
        if _CHECKSUM in fields and _checksum(descriptor, at, n_stored) != fields[_CHECKSUM] & 0xFFFFFFFF:
            raise _DamagedError(f"the page at byte {at} is damaged: its checksum differs")
        at += n_stored
        unfolded += fields[_UNPACKED] * chunk.n_values / max(1, fields[_ENTRIES]) if _ENTRIES in fields else 0
    return max(unfolded, float(chunk.n_unpacked))


def _checksum(descriptor: int, at: int, n_bytes: int) -> int:
    """Compute CRC-32 of some bytes of a file, as gzip has it."""
    found, end = 0, at + n_bytes
    while at < end:
        piece = os.pread(descriptor, min(_READ_BYTES, end - at), at)
        if not piece:
            break
        found = zlib.crc32(piece, found)
        at += len(piece)
    return found


def _header(descriptor: int, at: int) -> tuple[dict[tuple[int, ...], int], int]:
    """Give the numbers in the page header at a place by path of fields, and the length of the header."""
    size = _HEADER_BYTES
    while True:
        held = os.pread(descriptor, size, at)
        reader = _Reader(held)
        try:
            reader.struct()
        except _ShortError:
            if len(held) < size or size >= _LONGEST_HEADER:
                raise
            size *= 8
        else:
            return reader.numbers, reader.at


class _Reader:
    """Reads the compact protocol: keeps the numbers of structs by path of fields, and steps over all else."""

    def __init__(self, held: bytes) -> None:
        self._held = held
        self.at = 0
        self.numbers: dict[tuple[int, ...], int] = {}

    def struct(self, path: tuple[int, ...] = ()) -> None:
        """Read a struct."""
        if len(path) > _DEEPEST:
            raise _ShortError
        field = 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self._number()
            if head & 15 not in (_TRUE, _FALSE):
                self._value(head & 15, (*path, field))

    def _value(self, kind: int, path: tuple[int, ...]) -> None:
        if kind in _WHOLE:
            self.numbers[path] = self._number()
        elif kind == _STRUCT:
            self.struct(path)
        elif kind in (_LIST, _SET) and len(path) <= _DEEPEST:
            head = self._byte()
            n_listed = head >> 4 if head >> 4 < _LONG else self._size()
            if n_listed > _MOST_LISTED:
                raise _ShortError
            for _ in range(n_listed):
                self._value(head & 15, (*path, 0))
        elif kind in (_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY):
            n_bytes = self._size() if kind == _BINARY else _FIXED.get(kind, 1)
            self.at += n_bytes
        else:
            raise _ShortError

    def _byte(self) -> int:
        if self.at >= len(self._held):
            raise _ShortError
        self.at += 1
        return self._held[self.at - 1]

    def _size(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > _WIDEST:
                raise _ShortError
        return value | byte << shift

    def _number(self) -> int:
        value = self._size()
        return (value >> 1) ^ -(value & 1)
