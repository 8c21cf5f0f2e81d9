"""Private folders that a process works in, and those that a killed one left behind. A folder in use is never touched.

A working process holds a lock on its folder; the system takes it back when the process ends, however it ends.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from detector.hidden import SCRATCH


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Mark a folder as in use until the block or the process ends; it may be renamed meanwhile.

    Raises
    ------
    FileNotFoundError
        It is gone: whoever clears what is left saw it before it was marked.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        folder.stat()
        yield
    finally:
        os.close(handle)


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a private folder for temporary files, which vanishes with the block."""
    with ExitStack() as stack:
        folder = None
        while folder is None:
            with suppress(FileNotFoundError):
                made = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=parent))
                stack.enter_context(held(made))
                folder = made
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def find_leftovers(folder: Path, prefix: str) -> list[Path]:
    """List what killed runs of this user left in a folder: private folders and files of ours that nobody holds.

    Notes
    -----
    A process of a version that held no lock, or on a file system without locks, is not seen.
    """
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.startswith(prefix) and _is_left(path))


def _is_left(path: Path) -> bool:
    with suppress(OSError), _taken(path):
        return True
    return False


@contextmanager
def _taken(path: Path) -> Iterator[None]:
    """Hold what nobody holds, so that nobody can begin to work there; raises OSError where it is not for us to take."""
    status = path.lstat()
    is_private = status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not is_private or not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise PermissionError(path)
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a leftover, a file or a whole folder, unless it is gone or held by now; links are not followed."""
    with suppress(FileNotFoundError, BlockingIOError), _taken(path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
