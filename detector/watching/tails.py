"""The files of a log that grows: which is which, and how far each was read. No row is read here.

Names do not tell: a log is rotated by renaming, by copying and cutting, or by compressing. What was read of a file is
known by its first and its last bytes, so that the same rows are not read twice under another name, nor new ones missed
under an old one.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from itertools import islice
from pathlib import Path
from typing import Any

from detector.errors import InputUnreadableError
from detector.logs.sources import distinct, find_paths, read_chunks, skip_bytes

#: Chosen: two files that hold different requests hardly begin and go on alike for so long.
MARK_BYTES = 4096
#: Below this a file says too little to be told from another (chosen: about one request).
_LEAST_BYTES = 512
#: Files that are no longer there, and still known (chosen: a few hundred bytes each in every generation of the state).
_MOST_GONE = 10_000
STDIN, STDIN_NAME = "-", "standard input"

#: Of a file: device, inode, size and time of writing [ns].
Stamp = tuple[int, int, int, int]


@dataclass
class Tail:
    """One file, and how far it was read.

    Attributes
    ----------
    name: where it is.
    kind, compression: what it is; empty before anything was read of it.
    form: preset that its lines are read with, where a line does not say itself what it is.
    header: its CSV header; or the keys of its first objects, as a JSON list.
    offset: bytes (decompressed) or, of Parquet, rows that were read.
    n_lines: line ends in them.
    n_sampled: objects that the keys were taken from.
    is_exact: a Parquet file with a bad row.
    is_skipping: what comes next, up to a line end, belongs to a line that is too long to be one.
    stamp: what it looked like when there was nothing more to read; empty while there may be.
    marks: begin, length and SHA-256 of a stretch near the beginning and of one before the place that was read up to.
    n_seen: bytes of the file, decompressed, that marks are of.
    status: ``open``; ``aside``, it is read no further; ``copy``, what it holds was read elsewhere; ``gone``.
    why: of a file set aside.
    """

    name: str
    kind: str = ""
    compression: str = "none"
    form: str = ""
    header: str = ""
    offset: int = 0
    n_lines: int = 0
    n_sampled: int = 0
    is_exact: bool = False
    is_skipping: bool = False
    identity: tuple[int, int] = (0, 0)
    stamp: tuple[int, ...] = ()
    marks: tuple[tuple[int, int, str], ...] = ()
    n_seen: int = 0
    status: str = "open"
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values; what is as it is by default is left out."""
        plain = vars(Tail(""))
        return {name: value for name, value in vars(self).items() if value != plain[name]}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Tail":
        """Read what `to_json` gave."""
        tail = Tail(**raw)
        tail.identity, tail.stamp = tuple(tail.identity), tuple(tail.stamp)  # type: ignore[assignment]
        tail.marks = tuple((int(begin), int(n), str(digest)) for begin, n, digest in tail.marks)
        return tail

    def mark(self, begin: int, data: bytes, end: int) -> None:
        """Note the first bytes of some data, which begin at a place in the file; the first of the file once."""
        first = self.marks[:1]
        if begin == 0:
            first = (_mark(0, data[: min(end, MARK_BYTES)]),)
        last = max(0, end - MARK_BYTES)
        self.marks = (*first, _mark(begin + last, data[last:end]))
        self.n_seen = begin + end


def _mark(begin: int, data: bytes) -> tuple[int, int, str]:
    return begin, len(data), hashlib.sha256(data).hexdigest()


def read_part(path: str, compression: str, begin: int, n_bytes: int) -> bytes:
    """Read some bytes of a file, decompressed; fewer where it ends."""
    if compression == "none":
        with Path(path).open("rb") as stored:
            stored.seek(begin)
            return stored.read(n_bytes)
    chunks = skip_bytes(read_chunks(path, path, compression, limit=begin + n_bytes), begin)  # type: ignore[arg-type]
    return b"".join(chunks)


def compression_of(path: str) -> str:
    """Tell how a file is compressed, by its first bytes."""
    with Path(path).open("rb") as stored:
        head = stored.read(4)
    return "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head == b"\x28\xb5\x2f\xfd" else "none"


def _holds(path: str, compression: str, tail: Tail) -> bool:
    """Tell whether a file holds what was read of a tail."""
    try:
        for begin, n_bytes, digest in tail.marks:
            if _mark(begin, read_part(path, compression, begin, n_bytes))[2] != digest:
                return False
    except (OSError, InputUnreadableError):
        return False
    return bool(tail.marks)


@dataclass
class Tails:
    """All files of a log.

    Attributes
    ----------
    patterns: files, globs, folders, or ``-``.
    skip: patterns of files that are parts of no log.
    say: takes a line for people.
    known: by name.
    """

    patterns: Sequence[str]
    skip: Sequence[str]
    say: Callable[[str], None]
    known: dict[str, Tail] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse a place where nothing can ever come.

        Raises
        ------
        InputUnreadableError
            A file or folder is not there, or is no file that can be read twice.
        """
        for pattern in self.patterns:
            path = Path(pattern)
            if pattern == STDIN or path.is_dir() or path.is_file() or (has_magic(pattern) and not path.exists()):
                continue
            raise InputUnreadableError(
                f"{pattern}: no file or folder is there; give one, a quoted glob, or - for standard input"
            )

    def poll(self) -> list[Tail]:
        """Look what is there; gives the files of which something may be unread, in the order of their names."""
        found = self._found()
        news = [tail for name, stamp in found.items() if (tail := self._tail(name, stamp)) is not None]
        for name in [name for name in self.known if name not in found and name != STDIN_NAME]:
            tail = self.known[name]
            if tail.status != "gone" and not Path(name).exists() and (moved := self._moved(tail)) is not None:
                news.append(moved)
            elif (now := _stamp(name)) is None:
                tail.status = "gone"
            elif now[2] and tail.stamp != now and _holds(name, tail.compression, tail):
                news.append(tail)
        gone = [name for name, tail in self.known.items() if tail.status == "gone"]
        for name in islice(gone, max(0, len(gone) - _MOST_GONE)):
            del self.known[name]
        return [tail for tail in news if tail.status == "open"]

    def set_aside(self, tail: Tail, why: str) -> None:
        """Read a file no further, and say so."""
        tail.status, tail.why = "aside", why
        self.say(f"{why}; it is read no further, and nobody is recommended for revocation")

    @property
    def aside(self) -> list[Tail]:
        """Files that are read no further."""
        return [tail for tail in self.known.values() if tail.status == "aside"]

    def _found(self) -> dict[str, Stamp]:
        named = []
        for pattern in self.patterns:
            if pattern != STDIN:
                try:
                    named += [(path, path) for path in find_paths(pattern, self.skip)]
                except InputUnreadableError:
                    continue
        stamps = ((name, _stamp(name)) for name, _ in distinct(named))
        return {name: stamp for name, stamp in stamps if stamp is not None and stamp[2]}

    def _tail(self, name: str, stamp: Stamp) -> Tail | None:
        """Give the tail of a file, if something of it may be unread; none where it goes away meanwhile."""
        try:
            return self._looked_at(name, stamp)
        except OSError:
            return None

    def _looked_at(self, name: str, stamp: Stamp) -> Tail | None:
        tail = self.known.get(name)
        if tail is not None and tail.stamp == stamp:
            return None
        if tail is None or tail.status == "gone":
            return self._new(name, stamp)
        if tail.status == "copy" or not tail.marks or _holds(name, tail.compression, tail):
            tail.identity = stamp[:2]
            return tail
        return self._replaced(tail, stamp)

    def _new(self, name: str, stamp: Stamp) -> Tail:
        """Take in a file of a new name; it may hold what was read elsewhere."""
        compression = compression_of(name)
        for other in list(self.known.values()):
            if other.n_seen < _LEAST_BYTES or other.status == "copy" or not _holds(name, compression, other):
                continue
            here = _stamp(other.name)
            if here is not None and other.name != name and _holds(other.name, other.compression, other):
                self.say(f"{name}: holds what {other.name} does, so it is passed over")
                self.known[name] = Tail(name, identity=stamp[:2], stamp=stamp, status="copy")
                return self.known[name]
            return self._renamed(other, name, compression)
        self.known[name] = Tail(name, compression=compression, identity=stamp[:2])
        return self.known[name]

    def _renamed(self, tail: Tail, name: str, compression: str = "none") -> Tail:
        if self.known.get(tail.name) is tail:
            del self.known[tail.name]
        tail.name, tail.compression, tail.status, tail.stamp = name, compression, "open", ()
        tail.identity = (_stamp(name) or (0, 0))[:2]
        self.known[name] = tail
        return tail

    def _moved(self, tail: Tail) -> Tail | None:
        """Follow a file that was renamed to what no log is called: its last lines may be unread."""
        folder = Path(tail.name).parent
        if tail.compression != "none" or not folder.is_dir():
            return None
        with os.scandir(folder) as entries:
            paths = [str(folder / entry.name) for entry in entries if entry.inode() == tail.identity[1]]
        found = (path for path in paths if path not in self.known and _holds(path, "none", tail))
        path = next(found, None)
        return None if path is None else self._renamed(tail, path)

    def _replaced(self, tail: Tail, stamp: Stamp) -> Tail | None:
        """A name stands for other bytes than before: the file was renamed, cut, or written anew."""
        name, (_, n_first, first) = tail.name, tail.marks[0]
        begins_alike = stamp[2] >= n_first and _mark(0, read_part(name, tail.compression, 0, n_first))[2] == first
        moved = None if stamp[:2] == tail.identity else self._moved(tail)
        if moved is None and begins_alike and tail.n_seen >= _LEAST_BYTES:
            self.set_aside(tail, f"{name}: it begins as before, but what was read of it was cut off or changed")
            tail.stamp = stamp
            return None
        if moved is None:
            self.say(f"{name}: it was cut or replaced after it was read, so it is read anew from its beginning")
        self.known[name] = Tail(name, compression=compression_of(name), identity=stamp[:2])
        return self.known[name]


def _stamp(name: str) -> Stamp | None:
    try:
        status = Path(name).stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def stamp_of(name: str) -> tuple[int, ...]:
    """Give what a file looks like now; nothing where it is gone."""
    return _stamp(name) or ()


def tails_of(raw: Iterable[dict[str, Any]]) -> dict[str, Tail]:
    """Read what `Tail.to_json` gave."""
    return {tail.name: tail for tail in map(Tail.from_json, raw)}
