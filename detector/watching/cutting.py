"""Where the last whole record ends in the bytes at hand. What comes after it is waited for."""

from collections.abc import Iterator

import numpy as np

from detector.engines.pieces import count_byte
from detector.logs.resync import ResyncReader

_QUOTE = ord('"')
#: Looked through at once, from the end (chosen: some records).
_LOOK_BYTES = 1 << 16


def line_end(data: bytes, ending: bytes = b"\n") -> int:
    """Give the bytes up to the last line end; 0 where there is none."""
    return data.rfind(ending) + 1


def record_end(data: bytes, ending: bytes = b"\n", *, begin: int = 0) -> int:
    """Give the bytes of CSV up to the last line end outside of quotes; `begin` where there is none.

    Parameters
    ----------
    begin: bytes that are passed over; a record begins after them.

    Notes
    -----
    A stray quotation mark puts all that comes after it on the wrong side; who finds a bad record asks `firm_end`.
    """
    view = np.frombuffer(data, np.uint8)
    n_quotes, end = count_byte(memoryview(data)[begin:], _QUOTE), len(data)
    while end > begin:
        at = max(begin, end - _LOOK_BYTES)
        quotes = np.flatnonzero(view[at:end] == _QUOTE)
        ends = np.flatnonzero(view[at:end] == ending[0])
        n_quotes -= len(quotes)
        outside = ends[(n_quotes + np.searchsorted(quotes, ends)) % 2 == 0]
        if len(outside):
            return at + int(outside[-1]) + 1
        end = at
    return begin


def firm_end(data: bytes, width: int, delimiter: str, ending: bytes = b"\n") -> int:
    """Give the bytes of CSV of which the strict reader says the same whatever comes after them.

    Parameters
    ----------
    data: records up to a line end; begins where a record does.
    width: fields of a record.

    Returns
    -------
    All of them, where every record is whole; else those before the first that more bytes might change.
    """
    is_asked_for_more = False

    def at_hand() -> Iterator[bytes]:
        nonlocal is_asked_for_more
        yield data
        is_asked_for_more = True

    line, is_whole = 0, True
    for record in ResyncReader(at_hand(), width, delimiter=delimiter, ending=ending):
        is_whole = is_whole and record.reason is None
        if is_asked_for_more:
            line = line or record.line
    if is_whole:
        return len(data)
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ending[0])
    return int(ends[line - 2]) + 1 if line > 1 else 0
