"""The unread bytes of a file or of standard input, a window at a time. What is compressed is unfolded once."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Thread
from typing import Protocol

from detector.errors import InputChangedError, InputUnreadableError
from detector.logs.sources import read_chunks, skip_bytes
from detector.watching.tails import Tail

_CHUNK_BYTES = 1 << 20
#: Marks of a tail of which more than its beginning is known.
_BOTH = 2


class Supply(Protocol):
    """Unread bytes."""

    def window(self, n_bytes: int) -> tuple[bytes, bool]:
        """Give the next bytes, at most so many, and whether nothing can ever come after them; they stay unread."""

    def drop(self, n_bytes: int) -> None:
        """Pass over bytes that were read."""


class FileSupply:
    """A plain file; more may come."""

    def __init__(self, tail: Tail) -> None:
        self._path, self._at, self._identity = tail.name, tail.offset, tail.identity

    def window(self, n_bytes: int) -> tuple[bytes, bool]:
        """See `Supply`.

        Raises
        ------
        FileNotFoundError
            Another file has come to its name.
        """
        with Path(self._path).open("rb") as stored:
            status = os.fstat(stored.fileno())
            if (status.st_dev, status.st_ino) != self._identity:
                raise FileNotFoundError(self._path)
            stored.seek(self._at)
            return stored.read(n_bytes), False

    def drop(self, n_bytes: int) -> None:
        """See `Supply`."""
        self._at += n_bytes


class UnfoldedSupply:
    """A compressed file; once it is whole nothing comes after it. One that is cut short may still be written."""

    def __init__(self, tail: Tail) -> None:
        chunks = read_chunks(tail.name, tail.name, tail.compression)  # type: ignore[arg-type]
        self._chunks: Iterator[bytes] | None = skip_bytes(chunks, tail.offset)
        self._held, self._is_whole = b"", False
        self.tail, self.trouble = tail, ""

    def window(self, n_bytes: int) -> tuple[bytes, bool]:
        """See `Supply`."""
        parts, n_held = [self._held], len(self._held)
        while n_held < n_bytes and self._chunks is not None:
            try:
                chunk = next(self._chunks, None)
            except InputUnreadableError as error:
                self._chunks, self.trouble = None, str(error)
                break
            if chunk is None:
                self._chunks, self._is_whole = None, True
                break
            parts.append(chunk)
            n_held += len(chunk)
        self._held = b"".join(parts)
        return self._held[:n_bytes], self._is_whole and n_held <= n_bytes

    def drop(self, n_bytes: int) -> None:
        """See `Supply`."""
        self._held = self._held[n_bytes:]


class StreamSupply:
    """A stream such as standard input, read beside other work and never far ahead.

    Parameters
    ----------
    most_bytes: held at most.
    """

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        self._most, self._held, self._n_held, self._is_ended = most_bytes, deque[bytes](), 0, False
        self._changed = Condition()
        Thread(target=self._read, args=(descriptor,), name="standard-input", daemon=True).start()

    def _read(self, descriptor: int) -> None:
        while True:
            try:
                chunk = os.read(descriptor, _CHUNK_BYTES)
            except OSError:
                chunk = b""
            with self._changed:
                self._held.append(chunk)
                self._n_held += len(chunk)
                self._is_ended = not chunk
                self._changed.notify_all()
                if not chunk:
                    return
                self._changed.wait_for(lambda: self._n_held < self._most)

    @property
    def is_ended(self) -> bool:
        """Tell whether the stream has ended and nothing of it is left."""
        with self._changed:
            return self._is_ended and not self._n_held

    def wait(self, timeout_s: float) -> None:
        """Wait until there is something, or the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended or self._n_held > 0, timeout_s)

    def passes(self, tail: Tail) -> bool:
        """Pass over what was read of an earlier stream, if this one begins like it.

        Raises
        ------
        InputChangedError
            It begins like it, and goes on otherwise.
        """
        if len(tail.marks) < _BOTH:
            return False
        (_, n_head, head), (begin, n_edge, edge) = tail.marks
        if _digest(self._filled(n_head)) != head:
            return False
        while begin:
            held = len(self._filled(min(begin, _CHUNK_BYTES))[:begin])
            self.drop(held)
            begin -= held
            if not held:
                break
        if _digest(self._filled(n_edge)[:n_edge]) != edge:
            raise InputChangedError(
                f"{tail.name}: begins as the stream before, and goes on otherwise, so what of it was read is not "
                "known; give the same stream again, or begin anew with another --state and --out"
            )
        self.drop(n_edge)
        return True

    def _filled(self, n_bytes: int) -> bytes:
        """Wait for so many bytes, or the end; gives them, unread."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended or self._n_held >= n_bytes)
        return self.window(n_bytes)[0]

    def window(self, n_bytes: int) -> tuple[bytes, bool]:
        """See `Supply`."""
        with self._changed:
            whole = b"".join(self._held)
            self._held = deque([whole])
            return whole[:n_bytes], self._is_ended and len(whole) <= n_bytes

    def drop(self, n_bytes: int) -> None:
        """See `Supply`."""
        with self._changed:
            whole = b"".join(self._held)[n_bytes:]
            self._held, self._n_held = deque([whole]), len(whole)
            self._changed.notify_all()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
