"""One run at a time writes to a place. What a killed run left there is known by its name, and cleared by the next.

A place is claimed by a lock that the system drops when its holder ends, however it ends. How the hidden files of a run
are called is told by `detector.hidden`.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from detector.errors import BusyError
from detector.files import sync
from detector.hidden import KEPT, LOCK, hidden, staged
from detector.lastnotes import note_place

#: Comes last where files are put into a folder one by one: a folder without it does not count as scored.
LAST_FILE = "run.json"
#: A process id has at most seven digits.
_PID_BYTES = 32
#: Places that this process has claimed.
_held: set[Path] = set()


def _make_parents(place: Path) -> list[Path]:
    """Make the folders above a place; give those that were missing, deepest first."""
    missing = [parent for parent in place.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        sync(parent.parent)
    return missing


def _is_there(handle: int, path: Path) -> bool:
    """Tell whether an open file still goes by its name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _lock(path: Path, out: Path) -> int:
    """Take the lock; gives its descriptor."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have removed the file between our opening and our locking it.
            if _is_there(handle, path):
                os.ftruncate(handle, 0)
                os.pwrite(handle, str(os.getpid()).encode(), 0)
                return handle
        except OSError as error:
            found = os.pread(handle, _PID_BYTES, 0).decode("ascii", "replace")
            os.close(handle)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            holder = f"process {found}" if found.isdigit() else "another process"
            raise BusyError(
                f"{out}: {holder} is writing there; wait until it has ended, or give another --out"
            ) from None
        os.close(handle)


def _take_back(staging: Path, out: Path) -> None:
    """Remove what a killed run had put into a folder that it was filling file by file, unless it got to the end."""
    both = [out / path.name for path in staging.iterdir() if (out / path.name).exists()]
    ours = [path for path in both if path.samefile(staging / path.name)]
    if LAST_FILE not in {path.name for path in ours}:
        for path in ours:
            path.unlink()


def _clear(out: Path) -> None:
    """Remove what killed runs left."""
    for path in staged(out):
        _take_back(path, out)
        shutil.rmtree(path, ignore_errors=True)
    if (out / LAST_FILE).exists():
        hidden(out, KEPT).unlink(missing_ok=True)


@contextmanager
def claim(out: Path) -> Iterator[None]:
    """Hold a place for the block; a claim within a claim of the same process is passed through.

    Parameters
    ----------
    out: what will be written; the folders above it are made, and removed again where the block fails.

    Raises
    ------
    BusyError
        Another process holds it; its id is named.
    OSError
        No lock can be made there.
    """
    place = out.resolve()
    if place in _held:
        yield
        return
    made = _make_parents(place)
    try:
        path = hidden(out, LOCK)
        handle = _lock(path, out)
        _held.add(place)
        note_place(place)
        try:
            _clear(out)
            yield
        finally:
            _held.discard(place)
            with suppress(OSError):
                path.unlink()
            os.close(handle)
    except BaseException:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise
