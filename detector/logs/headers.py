"""Which columns a file has, read from its first record or records. Values are never kept."""

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from detector.errors import AmbiguousColumnError, EmptyInputError, InputUnreadableError
from detector.logs.objects import ObjectReader
from detector.logs.resync import MAX_RECORD_BYTES
from detector.logs.sources import LogFile, read_chunks, unreadable

#: chosen: enough to see rare keys, little enough to be read in a blink.
_SAMPLE_RECORDS = 2000
_SAMPLE_BYTES = 16 << 20

#: What a column name looks like; anything else may be a value, and is not repeated in an error.
_NAME = re.compile(r"[^\W\d][\w.$/-]{0,39}(?: [\w.$/()-]{1,39}){0,2}")
#: What a value looks like that every record has and no header: a number, a date, an address, a link.
_VALUE = re.compile(r"[+-]?\d+(?:[.,]\d+)?|.*(?:\d{4}-\d\d-\d\d|\d[\d ./:-]{3,}\d|@|://|\n).*", re.DOTALL)


@dataclass(frozen=True)
class Header:
    """The columns of a file.

    Attributes
    ----------
    names: column names in file order.
    types: DuckDB type of each column; text formats hold text only.
    n_bytes: size of the header record in a CSV file, mark and line ending included.
    n_lines: physical lines it takes.
    ending: what ends a line.
    has_return: a carriage return stands before each line feed.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    n_bytes: int = 0
    n_lines: int = 0
    ending: bytes = b"\n"
    has_return: bool = False


def read_csv_header(file: LogFile, delimiter: str) -> Header:
    """Read the first record of a CSV file.

    Raises
    ------
    AmbiguousColumnError
        Two columns have one name.
    EmptyInputError
        The file holds nothing.
    InputUnreadableError
        The first record is not UTF-8 text or does not end.
    """
    record, ending = _first_record(file)
    names = _parse(file, record.removeprefix(codecs.BOM_UTF8), delimiter)
    check_distinct(file.name, names)
    types = ("VARCHAR",) * len(names)
    return Header(names, types, len(record), record.count(ending), ending, record.endswith(b"\r\n"))


def read_jsonl_header(file: LogFile) -> Header:
    """Collect the keys of the first objects of a JSONL file, in order of appearance."""
    names: dict[str, None] = {}
    chunks = read_chunks(file.name, file.path, file.compression, limit=_SAMPLE_BYTES)
    good = (line.text for line in ObjectReader(chunks, ()) if line.reason is None)
    for text in islice(good, _SAMPLE_RECORDS):
        names.update(dict.fromkeys(json.loads(text, parse_int=str, parse_float=str)))
    if not names:
        _check_filled(file)
        raise InputUnreadableError(f"{file.name}: none of its first lines is a JSON object; give one object a line")
    return Header(tuple(names), ("VARCHAR",) * len(names))


def quotable(names: Sequence[str]) -> list[str]:
    """Pick the column names that an error may repeat; none where the first record looks like one of data.

    Examples
    --------
    >>> quotable(["when", "Account ID", "a long sentence about somebody", ""])
    ['when', 'Account ID']
    >>> quotable(["2026-03-02T00:00:00Z", "jane", "hello"])
    []
    """
    if len(names) < 2 or any(_VALUE.fullmatch(name) for name in names):
        return []
    named = [name for name in names if _NAME.fullmatch(name)]
    return named if 2 * len(named) > len(names) else []


def check_distinct(where: str, names: tuple[str, ...]) -> None:
    """Refuse a header that names one column twice.

    Raises
    ------
    AmbiguousColumnError
        It does.
    """
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        known = set(quotable(names))
        shown = ", ".join(_shown(name, names, known) for name in twice[:5])
        raise AmbiguousColumnError(f"{where}: the header names {shown} more than once; rename one of them")


def _shown(name: str, names: Sequence[str], known: set[str]) -> str:
    if name in known:
        return repr(name)
    first = names.index(name)
    return f"columns {first + 1} and {names.index(name, first + 1) + 1}"


def _check_filled(file: LogFile) -> None:
    chunks = read_chunks(file.name, file.path, file.compression, limit=1 << 16)
    if not any(chunk.strip() for chunk in chunks):
        raise EmptyInputError(f"{file.name}: the file is empty; give a log with a row per request")


def _first_record(file: LogFile) -> tuple[bytes, bytes]:
    """Give the first record with its line ending, and what ends lines in this file."""
    held = b""
    for chunk in read_chunks(file.name, file.path, file.compression, chunk_bytes=1 << 16):
        held += chunk
        end = _record_end(held)
        if end is not None:
            ending = b"\n" if held[end - 1 : end] == b"\n" else b"\r"
            return held[:end], ending
        if len(held) > MAX_RECORD_BYTES:
            raise unreadable(file.name, f"its first line is longer than {MAX_RECORD_BYTES >> 20} MiB")
    if not held.removeprefix(codecs.BOM_UTF8).strip():
        raise EmptyInputError(f"{file.name}: the file is empty; give a log with a header and a row per request")
    return held, b"\n"


def _record_end(held: bytes) -> int | None:
    """Find where the first record ends: at a line ending outside quotes, followed by something."""
    position = 0
    while True:
        ends = [found for mark in (b"\n", b"\r") if (found := held.find(mark, position)) >= 0]
        if not ends or min(ends) + 1 >= len(held):
            return None
        end = min(ends)
        if held.count(b'"', 0, end) % 2 == 0:
            return end + 2 if held[end : end + 2] == b"\r\n" else end + 1
        position = end + 1


def _parse(file: LogFile, record: bytes, delimiter: str) -> tuple[str, ...]:
    try:
        text = record.decode()
        return tuple(next(csv.reader([text], delimiter=delimiter, strict=True), ()))
    except UnicodeDecodeError as error:
        raise unreadable(file.name, "its first line is not UTF-8 text") from error
    except csv.Error as error:
        raise unreadable(file.name, "its first line is not a CSV header") from error
