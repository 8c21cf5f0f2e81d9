"""A strict CSV reader that loses one record to one fault.

RFC 4180 with a known width. A record that breaks the rules is set aside with its line and reason, and reading
resumes at the next line that is a whole record again. Blanks around a quoted field are forgiven, as the fast reader
forgives them, and so is half of a line ending inside a field, as some writers do not quote it; nothing else is.

Notes
-----
Where a quote was never closed, a line inside the damaged stretch may be a record or a part of somebody's text: the
file does not tell. Such records are read, and counted in `n_recovered`, so that a caller can distrust them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detector.errors import TooManyRejectsError

#: chosen: far above any prompt a model takes, far below what would hurt.
MAX_RECORD_BYTES = 8 << 20
_COMPACT_BYTES = 1 << 20
#: Chosen: some seconds of stepping through what is no record; a log of which so many lines are lost is none.
MOST_BROKEN = 500_000


@dataclass(frozen=True)
class Record:
    """One record: the line it begins at, and its fields, or the reason why it has none."""

    line: int
    fields: tuple[str, ...] = ()
    reason: str | None = None


class _BrokenError(Exception):
    """A record breaks the rules; `end` is where the reader noticed, and `is_open` that a quote was involved."""

    def __init__(self, reason: str, end: int, *, is_open: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.end = end
        self.is_open = is_open


class ResyncReader:
    """Read the records of a CSV file, header excluded.

    Parameters
    ----------
    chunks: the decompressed bytes from the first record on.
    width: fields per record.
    delimiter: one character, not a blank.
    line: physical line that the first byte is on; 1 is the first of the file.
    ending: what ends a line: ``b"\\n"`` (with or without a carriage return), or ``b"\\r"`` alone.
    """

    def __init__(
        self, chunks: Iterable[bytes], width: int, *, delimiter: str = ",", line: int = 1, ending: bytes = b"\n"
    ) -> None:
        """Prepare; nothing is read before the first record is asked for."""
        self._chunks = iter(chunks)
        self._width = width
        self._delimiter = delimiter.encode()
        self._line = line
        self._ending = ending
        mark = re.escape(self._delimiter)
        end = rb"\r?\n" if ending == b"\n" else rb"\r"
        follower = rb"(?=(" + mark + rb"|" + end + rb"|\Z)?)"
        self._quoted = re.compile(rb' *"([^"]*+(?:""[^"]*+)*+)" *' + follower)
        # Half of a line ending may stand in the field; where the whole follows, `_field` gives it back.
        self._plain = re.compile(rb"([^" + re.escape(ending) + mark + rb"]*+)" + follower)
        self._opening = re.compile(rb' *"')
        self._blanks = re.compile(rb"(?:[ \r]*+\n)++" if ending == b"\n" else rb"(?:[ \n]*+\r)++")
        self._buffer = b""
        self._start = 0
        self._n_dropped = 0
        self._is_done = False
        self._doubtful_until = 0
        self.n_blank = 0
        self.n_recovered = 0

    def __iter__(self) -> Iterator[Record]:
        """Yield good and bad records in file order.

        Raises
        ------
        TooManyRejectsError
            Too many lines belong to no whole record.
        """
        was_open = False
        n_broken = 0
        while self._has_more():
            line = self._line
            if self._skip_blank():
                continue
            try:
                record = self._good_record()
            except _BrokenError as broken:
                is_rest = was_open and not self._is_own_record()
                was_open = was_open or broken.is_open
                n_broken += 1
                if n_broken > MOST_BROKEN:
                    raise TooManyRejectsError(
                        f"more than {MOST_BROKEN:,} lines of a file belong to no whole record, that on line {line} "
                        f"since {broken.reason}; mend the export"
                    ) from None
                self._set_aside(broken)
                if is_rest:
                    continue
                record = Record(line, reason=broken.reason)
            else:
                was_open = False
            yield record

    def _good_record(self) -> Record:
        line = self._line
        fields, end = self._fields()
        self.n_recovered += self._n_dropped + self._start < self._doubtful_until
        self._advance(end)
        try:
            return Record(line, tuple([field.decode() for field in fields]))
        except UnicodeDecodeError:
            return Record(line, reason="the record is not valid UTF-8")

    def _fields(self) -> tuple[list[bytes], int]:
        """Parse the record at the start; give its fields and the position where it ends."""
        fields: list[bytes] = []
        position = self._start
        while True:
            value, position, follower = self._field(position)
            fields.append(value)
            position += len(follower)
            if follower == self._delimiter:
                continue
            return self._of_width(fields, position), position

    def _of_width(self, fields: list[bytes], end: int) -> list[bytes]:
        if len(fields) != self._width:
            reason = f"the record has {len(fields)} fields; the header has {self._width}"
            raise _BrokenError(reason, end, is_open=self._ending in self._buffer[self._start : end - 1])
        return fields

    def _field(self, position: int) -> tuple[bytes, int, bytes]:
        """Give a field, where it ends and what follows it."""
        while True:
            is_quoted = self._opening.match(self._buffer, position) is not None
            found = (self._quoted if is_quoted else self._plain).match(self._buffer, position)
            is_whole = found is not None and found.end() + 2 <= len(self._buffer)
            if is_whole or not self._grow():
                break
        end = len(self._buffer) if found is None else found.end()
        if end - self._start > MAX_RECORD_BYTES:
            raise _BrokenError(f"the record is longer than {MAX_RECORD_BYTES >> 20} MiB", end, is_open=True)
        if found is None:
            raise _BrokenError("a quote is opened and never closed", end, is_open=True)
        value, follower = found.groups()
        if not is_quoted and follower == b"\n" and value.endswith(b"\r"):
            value, end, follower = value[:-1], end - 1, b"\r\n"
        if follower is None:
            raise _BrokenError("text follows a closing quote", end, is_open=True)
        return value.replace(b'""', b'"') if is_quoted else value, end, follower

    def _has_more(self) -> bool:
        """Tell whether bytes are left, dropping those that were read."""
        if self._start > _COMPACT_BYTES:
            self._n_dropped += self._start
            self._buffer = self._buffer[self._start :]
            self._start = 0
        return self._start < len(self._buffer) or self._append(1)

    def _grow(self) -> bool:
        """Read on within a record; false at the end of the file or of what a record may hold."""
        n_bytes = len(self._buffer) - self._start
        return n_bytes <= MAX_RECORD_BYTES and self._append(n_bytes)

    def _append(self, n_bytes: int) -> bool:
        """Read at least this many bytes more, if the file has them; tell whether there was anything."""
        pieces = [self._buffer]
        n_read = 0
        while n_read < n_bytes and not self._is_done:
            chunk = next(self._chunks, b"")
            self._is_done = not chunk
            pieces.append(chunk)
            n_read += len(chunk)
        if n_read:
            self._buffer = b"".join(pieces)
        return n_read > 0

    def _line_end(self) -> int:
        """Find the end of the physical line at the start, dropping over-long stretches on the way."""
        searched = self._start
        while (found := self._buffer.find(self._ending, searched)) < 0:
            searched = len(self._buffer)
            if searched - self._start > MAX_RECORD_BYTES:
                self._n_dropped += searched
                self._buffer, self._start, searched = b"", 0, 0
            if not self._append(1):
                return len(self._buffer)
        return found + 1

    def _skip_blank(self) -> bool:
        """Step over lines that hold nothing, all at hand at once; tell whether there was one."""
        if self._width < 2 or self._buffer[self._start] not in b"\r\n ":
            return False
        blanks = self._blanks.match(self._buffer, self._start)
        if blanks:
            self.n_blank += self._buffer.count(self._ending, *blanks.span())
            self._advance(blanks.end())
            return True
        end = self._line_end()
        if self._buffer[self._start : end].strip(b" \r\n"):
            return False
        self.n_blank += 1
        self._advance(end)
        return True

    def _is_own_record(self) -> bool:
        """Tell whether the line at the start looks like a record of its own, not like a piece of a text."""
        found = self._buffer.find(self._ending, self._start)
        end = len(self._buffer) if found < 0 else found
        return self._buffer.count(self._delimiter, self._start, end) >= max(1, self._width // 2)

    def _set_aside(self, broken: _BrokenError) -> None:
        if broken.is_open:
            self._doubtful_until = max(self._doubtful_until, self._n_dropped + broken.end)
        self._advance(self._line_end())

    def _advance(self, end: int) -> None:
        self._line += self._buffer.count(self._ending, self._start, end)
        self._start = end
