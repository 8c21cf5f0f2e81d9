"""A strict reader of JSON lines: one object a line, checked by the standard library, refused with its line number."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from detector.logs.resync import MAX_RECORD_BYTES

#: Levels of a line (chosen: far above any request, and what the standard library parses wherever it is called from).
DEEPEST = 500
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?')


@dataclass(frozen=True)
class ObjectLine:
    """One line: its text where it holds a good object, else the reason why not.

    `is_whole` tells that nothing about it looks as if a text had been taken for a line: it is one object, or one that
    whoever sends a request can have made long or deep.
    """

    line: int
    text: str = ""
    reason: str | None = None
    is_whole: bool = False


class _RefusedError(Exception):
    """The line is JSON, but not JSON that can be trusted; `is_whole` where it is one object all the same."""

    def __init__(self, reason: str, *, is_whole: bool = False) -> None:
        super().__init__(reason)
        self.is_whole = is_whole


class ObjectReader:
    """Read the lines of a JSONL file.

    Parameters
    ----------
    chunks: the decompressed bytes.
    keys: keys that count; one of them twice in an object refuses the line.
    """

    def __init__(self, chunks: Iterable[bytes], keys: Iterable[str]) -> None:
        """Prepare; nothing is read before the first record is asked for."""
        self._chunks = chunks
        self._keys = frozenset(keys)
        self.n_blank = 0

    def __iter__(self) -> Iterator[ObjectLine]:
        """Yield good and bad lines in file order; blank ones are counted only."""
        for number, line in enumerate(read_lines(self._chunks), 1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                self.n_blank += 1
                continue
            yield self._checked(number, line)

    def _checked(self, number: int, line: bytes) -> ObjectLine:
        if len(line) > MAX_RECORD_BYTES:
            reason = f"the record is longer than {MAX_RECORD_BYTES >> 20} MiB"
            return ObjectLine(number, reason=reason, is_whole=True)
        if _is_deep(line):
            return ObjectLine(number, reason="the record is nested too deeply", is_whole=True)
        try:
            text = line.decode()
            self._check(text)
        except UnicodeDecodeError:
            return ObjectLine(number, reason="the record is not valid UTF-8")
        except _RefusedError as error:
            return ObjectLine(number, reason=str(error), is_whole=error.is_whole)
        except ValueError as error:
            return ObjectLine(number, reason="the record is not JSON" + _place(error))
        return ObjectLine(number, text)

    def _check(self, text: str) -> None:
        pairs: Any = json.loads(
            text, parse_constant=_refuse_constant, parse_int=str, parse_float=str, object_pairs_hook=_Pairs
        )
        if not isinstance(pairs, _Pairs):
            raise _RefusedError("the record is not an object")
        keys = [key for key, _ in pairs if key in self._keys]
        if len(keys) != len(set(keys)):
            raise _RefusedError("the record holds one key twice")
        if "\\ud" in text.lower() and not _is_unicode(pairs):
            raise _RefusedError("the record holds half of a surrogate pair", is_whole=True)


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that a key that comes twice is seen."""


def read_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split at line feeds; of an over-long line only as much is kept as shows that it is over-long."""
    rest: list[bytes] = []
    n_held = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        if n_held <= MAX_RECORD_BYTES:
            rest.append(first)
            n_held += len(first)
        if not others:
            continue
        yield b"".join(rest)
        yield from others[:-1]
        rest, n_held = [others[-1]], len(others[-1])
    if n_held:
        yield b"".join(rest)


def _is_deep(line: bytes) -> bool:
    """Tell whether a line is nested deeper than allowed; most have too few brackets for that."""
    if line.count(b"[") + line.count(b"{") <= DEEPEST:
        return False
    marks = np.frombuffer(_STRINGS.sub(b"", line), np.uint8)
    steps = np.isin(marks, np.frombuffer(b"[{", np.uint8)).astype(np.int8)
    steps -= np.isin(marks, np.frombuffer(b"]}", np.uint8))
    return bool(np.cumsum(steps, dtype=np.int64).max(initial=0) > DEEPEST)


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"the record holds {name}, which is not JSON")


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(error: ValueError) -> str:
    return f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
