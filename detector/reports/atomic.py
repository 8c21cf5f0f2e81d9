"""A folder that appears whole or not at all. Writers see only the staging folder, never the place it goes to."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detector.claims import LAST_FILE, claim
from detector.errors import OutputNotEmptyError, UsageError
from detector.files import sync
from detector.hidden import STAGING, hidden, must_keep, prefix_of

#: What a file system answers that knows no second name of a file.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


def check_free(out: Path) -> None:
    """Refuse a place that holds something, before any work is done.

    Raises
    ------
    OutputNotEmptyError
        `out` is a file or a folder that is not empty; hidden files of runs that write there do not count.
    """
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise OutputNotEmptyError(f"{out}: is a file, and a folder is written here; give another --out")
    first = next((path for path in out.iterdir() if not path.name.startswith(prefix_of(out))), None)
    if first is not None:
        raise OutputNotEmptyError(
            f"{out}: holds {first.name!r} already; only a new or empty folder is written; give another --out"
        )


def _settle(staging: Path) -> None:
    """Make every file and folder private and durable."""
    for path in sorted(staging.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        sync(path)
    sync(staging)


def _replace(staging: Path, out: Path) -> None:
    try:
        staging.rename(out)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise OutputNotEmptyError(f"{out}: was filled by somebody else meanwhile; give another --out") from error
        raise
    try:
        sync(out.parent)
    except BaseException:
        out.rename(staging)
        raise


def _put(path: Path, target: Path) -> None:
    """Give a file a second name; where the system knows no such thing, move it."""
    try:
        target.hardlink_to(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        path.rename(target)


def _fill(staging: Path, out: Path) -> None:
    """Put files into a folder that is kept; staging holds them until all are there, so that a kill can be undone."""
    put: list[Path] = []
    try:
        for path in sorted(staging.iterdir(), key=lambda path: (path.name == LAST_FILE, path.name)):
            _put(path, out / path.name)
            put.append(out / path.name)
        sync(out)
    except BaseException:
        for path in put:
            path.unlink(missing_ok=True)
        raise
    shutil.rmtree(staging)


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold a free place for the block, against other runs; what a killed run left there is cleared.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something.
    BusyError
        Another process is writing there.
    UsageError
        No folder can be made there.
    """
    entered = False
    try:
        with claim(out):
            check_free(out)
            entered = True
            yield
    except OSError as error:
        if entered:
            raise
        raise UsageError(f"{out}: no folder can be made there ({error.strerror}); give another --out") from error


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a private staging folder that becomes `out` when the block ends well and vanishes when it does not.

    Parameters
    ----------
    out: where the folder goes: absent, or an empty folder.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something, before or after the block.
    BusyError
        Another process is writing there.
    UsageError
        No folder can be made there.

    Notes
    -----
    A folder that cannot be replaced (a mount, the working folder) is filled file by file instead, `LAST_FILE` last.
    A process that is killed outright leaves its hidden staging folder, and nothing in `out`; the next run clears it.
    Killed between two of those files, it leaves some of them there, which do not count as scored; so does the next run
    clear these, where the file system knows hard links.
    """
    with claimed(out):
        place = out.resolve()
        keeps = must_keep(place)
        first = hidden(out, STAGING)
        try:
            staging = Path(tempfile.mkdtemp(prefix=first.name, dir=first.parent))
        except OSError as error:
            raise UsageError(f"{out}: no folder can be made there ({error.strerror}); give another --out") from error
        try:
            yield staging
            _settle(staging)
            (_fill if keeps else _replace)(staging, place)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
