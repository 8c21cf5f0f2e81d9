"""A text file cut into runs of whole records, each offered to the database as a file of its own, in memory.

A parallel scan of a CSV file guesses where records begin inside it, and a prompt of several lines can pass for records:
rows were lost and made up that way. A sequential scan does not guess, but holds the whole file. So runs are cut here,
by counting quotation marks: a line end outside of quotes ends a record. Runs are then parsed side by side. In JSON
lines every line end is one; they are cut so that their size in bytes is bounded, which that of a batch of rows is not.
"""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numba import njit

from detector.logs.objects import DEEPEST
from detector.logs.spool import descriptor_path

T = TypeVar("T")
#: Chosen: small beside the memory limit, and large enough that a query's own cost does not show.
PIECE_BYTES = 12 << 20
#: The same where documents are taken apart: some twenty times the piece is held then (measured).
DOCUMENTS_BYTES = 3 << 20
#: The same where a line holds many rows, each of which holds its document for a while: a piece of 3 MiB with a hundred
#: rows a line was too much for two threads in 512 MB, one of 1 MiB is not (measured).
ROWS_BYTES = 1 << 20
#: The same for a first look.
HEAD_BYTES = 2 << 20
_QUOTE, _LINE_END, _RETURN = ord('"'), ord("\n"), ord("\r")
_BACKSLASH, _BLANK, _COMMA, _BRACE, _BRACKET, _N, _I = (ord(letter) for letter in "\\ ,}]NI")
_OPEN_BRACE, _OPEN_BRACKET = ord("{"), ord("[")
#: Bytes that can end a string of JSON, or keep the next from ending it.
_IS_SPECIAL = np.isin(np.arange(256), [_QUOTE, _LINE_END, _BACKSLASH])


class UnendingRecordError(Exception):
    """A record does not end where the longest allowed would, or not at all: a quotation mark is unbalanced."""


class Stage:
    """A file without a name, in memory where the system offers that, which the database reads again and again.

    Attributes
    ----------
    path: under which it can be opened in this process.
    """

    def __init__(self, scratch: Path) -> None:
        if hasattr(os, "memfd_create"):
            self._descriptor = os.memfd_create("stillwatch-piece", os.MFD_CLOEXEC)
        else:
            self._descriptor, name = tempfile.mkstemp(dir=scratch)
            Path(name).unlink()
        self.path = descriptor_path(self._descriptor)

    def fill(self, piece: memoryview, tail: bytes = b"") -> None:
        """Replace what the file holds; memory that it has is used again."""
        at = 0
        for part in (piece, memoryview(tail)):
            while part:
                n_written = os.pwrite(self._descriptor, part, at)
                at, part = at + n_written, part[n_written:]
        os.ftruncate(self._descriptor, at)

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._descriptor)


def _end_of_records(data: bytes, *, is_quoted: bool) -> int:
    """Give the number of bytes up to the last line end that lies outside of quotes; 0 where there is none."""
    if not is_quoted:
        return data.rfind(b"\n") + 1
    return int(_last_end(np.frombuffer(data, np.uint8), count_byte(data, _QUOTE)))


def count_byte(data: bytes | memoryview, byte: int) -> int:
    """Count a byte, at the speed of memory however often it is there, which `bytes.count` is not."""
    return int(_count(np.frombuffer(data, np.uint8), byte)) if len(data) else 0


@njit(cache=True, nogil=True)
def _count(data: Any, byte: Any) -> Any:
    n = 0
    for i in range(len(data)):
        n += data[i] == byte
    return n


@njit(cache=True, nogil=True)
def _last_end(data: Any, n_quotes: Any) -> Any:
    for i in range(len(data) - 1, -1, -1):
        if data[i] == _LINE_END and n_quotes % 2 == 0:
            return i + 1
        n_quotes -= data[i] == _QUOTE
    return 0


def without_returns(piece: memoryview) -> memoryview:
    """Drop the carriage return before each line end outside of quotes: the strict reader takes line feeds alone."""
    data = np.frombuffer(piece, np.uint8)
    out = np.empty_like(data)
    return out.data[: _drop_returns(data, out)]


@njit(cache=True, nogil=True)
def _drop_returns(data: Any, out: Any) -> Any:
    n_out, is_inside = 0, False
    for i in range(len(data)):
        is_inside ^= data[i] == _QUOTE
        out[n_out] = data[i]
        is_return = data[i] == _RETURN and i + 1 < len(data) and data[i + 1] == _LINE_END
        n_out += is_inside or not is_return
    return n_out


def is_lenient_json(piece: memoryview) -> bool:
    """Tell whether JSON lines hold what the database takes and we do not.

    JSON forbids a comma at an end, NaN and Infinity; and a line may be nested deeper than `DEEPEST`.
    """
    return bool(_is_lenient(np.frombuffer(piece, np.uint8)))


@njit(cache=True, nogil=True)
def _is_lenient(data: Any) -> Any:
    last, depth, i = 0, 0, 0
    while i < len(data):
        byte = data[i]
        if byte == _QUOTE:
            i = _end_of_string(data, i + 1)
            last = byte
        elif byte > _BLANK:
            is_closing = byte in (_BRACE, _BRACKET)
            if (is_closing and last == _COMMA) or byte in (_N, _I):
                return True
            depth += byte in (_OPEN_BRACE, _OPEN_BRACKET)
            depth -= is_closing
            if depth > DEEPEST:
                return True
            last = byte
        elif byte == _LINE_END:
            depth = 0
        i += 1
    return False


@njit(cache=True, nogil=True)
def _end_of_string(data: Any, i: Any) -> Any:
    """Give the place of the next quotation mark that no backslash precedes, or line end."""
    while i < len(data):
        # Most of a log is text; four bytes at a time are passed over without a branch for each.
        while i + 4 <= len(data) and not (
            _IS_SPECIAL[data[i]] | _IS_SPECIAL[data[i + 1]] | _IS_SPECIAL[data[i + 2]] | _IS_SPECIAL[data[i + 3]]
        ):
            i += 4
        if i < len(data):
            if data[i] in (_QUOTE, _LINE_END):
                break
            i += 1 + (data[i] == _BACKSLASH)
    return i


def cut(chunks: Iterable[bytes], *, skip: int, longest: int, size: int, is_quoted: bool = True) -> Iterator[memoryview]:
    """Cut a text file into runs of whole records.

    Parameters
    ----------
    chunks: the file's bytes.
    skip: bytes of the header, which are left out.
    longest: bytes within which a record must end.
    size: bytes of a run, about.
    is_quoted: whether a line end inside quotation marks belongs to the record, as in CSV.

    Returns
    -------
    Runs; the last record may lack its line end.

    Raises
    ------
    UnendingRecordError
        A record does not end where it should.
    """
    held: list[bytes] = []
    n_held = 0
    for chunk in chunks:
        body, skip = chunk[skip:], max(0, skip - len(chunk))
        held.append(body)
        n_held += len(body)
        if n_held < size:
            continue
        data = b"".join(held)
        end = _end_of_records(data, is_quoted=is_quoted)
        if len(data) - end > longest:
            raise UnendingRecordError
        if end:
            yield memoryview(data)[:end]
        held, n_held = [data[end:]], len(data) - end
    if n_held:
        data = b"".join(held)
        rest = len(data) - _end_of_records(data, is_quoted=is_quoted)
        if rest > longest or (is_quoted and count_byte(data, _QUOTE) % 2):
            raise UnendingRecordError
        yield memoryview(data)


def side_by_side(
    pieces: Iterable[memoryview],
    stages: Sequence[Stage],
    work: Callable[[str, memoryview], T],
    *,
    last_record: bytes = b"",
) -> Iterator[T]:
    """Put each piece on a stage and work on it there, several at once; results come in the order of the pieces.

    Parameters
    ----------
    stages: as many as work at once.
    work: takes the path of a filled stage, and the piece that it holds.
    last_record: put behind each piece on its stage.
    """

    def run(stage: Stage, piece: memoryview) -> T:
        is_ended = not last_record or bytes(piece[-1:]) == b"\n"
        stage.fill(piece, last_record if is_ended else b"\n" + last_record)
        return work(stage.path, piece)

    free = list(stages)
    waiting: deque[tuple[Future[T], Stage]] = deque()
    with ThreadPoolExecutor(len(stages), thread_name_prefix="parse") as pool:
        for piece in pieces:
            if not free:
                future, stage = waiting.popleft()
                yield future.result()
                free.append(stage)
            stage = free.pop()
            waiting.append((pool.submit(run, stage, piece), stage))
        while waiting:
            yield waiting.popleft()[0].result()
