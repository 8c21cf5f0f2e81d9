"""What a file looked like when it was opened, so that it is noticed when it changes while it is read."""

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

#: Chosen: enough that two files hardly begin and end alike, too little to cost anything.
_END_BYTES = 1 << 16


@dataclass(frozen=True)
class Stamp:
    """Which file it is, its size, when it was written to last [ns], and checksums of its beginning and its end."""

    identity: tuple[int, int]
    n_bytes: int
    written_at_ns: int
    head: int
    tail: int


def take_stamp(path: str) -> Stamp:
    """Look at a file.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    with Path(path).open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        head = os.pread(file.fileno(), _END_BYTES, 0)
        tail = os.pread(file.fileno(), _END_BYTES, max(0, status.st_size - _END_BYTES))
    identity = status.st_dev, status.st_ino
    return Stamp(identity, status.st_size, status.st_mtime_ns, zlib.crc32(head), zlib.crc32(tail))


def find_change(path: str, before: Stamp) -> str:
    """Say what happened to a file since its stamp was taken; empty where nothing did.

    Notes
    -----
    A file that was rewritten in its middle, to the same size, with its time of writing set back, passes.
    """
    try:
        now = take_stamp(path)
    except OSError:
        return "was moved away"
    if now == before:
        return ""
    if now.identity != before.identity:
        return "was replaced"
    if now.n_bytes != before.n_bytes:
        return "grew" if now.n_bytes > before.n_bytes else "was cut"
    return "was written to"
