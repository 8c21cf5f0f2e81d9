"""A folder that appears whole or not at all. Writers see only the staging folder, never the place it goes to."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from detector.errors import OutputNotEmptyError, UsageError
from detector.leftovers import STAGING, held

#: Moved last where files must be moved one by one: a folder without it does not count as scored.
LAST_FILE = "run.json"


def check_free(out: Path) -> None:
    """Refuse a place that holds something, before any work is done.

    Raises
    ------
    OutputNotEmptyError
        `out` is a file or a folder that is not empty.
    """
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise OutputNotEmptyError(f"{out}: is a file, and a folder is written here; give another --out")
    first = next(out.iterdir(), None)
    if first is not None:
        raise OutputNotEmptyError(
            f"{out}: holds {first.name!r} already; only a new or empty folder is written; give another --out"
        )


def _make_parents(out: Path) -> list[Path]:
    """Make the folders above `out`; give those that were missing, deepest first."""
    missing = [parent for parent in out.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
    return missing


def _must_keep(out: Path) -> bool:
    """Tell whether an existing folder cannot be replaced: a mount, a working folder, or one in a locked parent."""
    return out.is_dir() and (out.is_mount() or out == Path.cwd() or not os.access(out.parent, os.W_OK))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _settle(staging: Path) -> None:
    """Make every file and folder private and durable."""
    for path in sorted(staging.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    _sync(staging)


def _replace(staging: Path, out: Path) -> None:
    try:
        staging.rename(out)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise OutputNotEmptyError(f"{out}: was filled by somebody else meanwhile; give another --out") from error
        raise
    _sync(out.parent)


def _move_files(staging: Path, out: Path) -> None:
    moved: list[Path] = []
    try:
        for path in sorted(staging.iterdir(), key=lambda path: (path.name == LAST_FILE, path.name)):
            path.rename(out / path.name)
            moved.append(out / path.name)
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
        raise
    staging.rmdir()
    _sync(out)


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
    UsageError
        No folder can be made there.

    Notes
    -----
    A folder that cannot be replaced (a mount, the working folder) is filled file by file instead, `LAST_FILE` last.
    A process that is killed outright leaves its hidden staging folder, and nothing in `out`; `purge` removes it.
    """
    check_free(out)
    place = out.resolve()
    keeps = _must_keep(place)
    made: list[Path] = []
    try:
        made = _make_parents(place)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=place if keeps else place.parent))
    except OSError as error:
        raise UsageError(f"{out}: no folder can be made there ({error.strerror}); give another --out") from error
    try:
        with held(staging):
            yield staging
            _settle(staging)
            (_move_files if keeps else _replace)(staging, place)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


@contextmanager
def new_file(out: Path) -> Iterator[Path]:
    """Yield a private staging file that becomes `out` when the block ends well and vanishes when it does not.

    Raises
    ------
    OutputNotEmptyError
        `out` is there, before or after the block.
    UsageError
        No file can be made there.
    """
    if os.path.lexists(out):
        raise OutputNotEmptyError(f"{out}: is there already; only a new file is written; give another --out")
    try:
        handle, name = tempfile.mkstemp(prefix=".stillwatch-", dir=out.parent)
    except OSError as error:
        raise UsageError(f"{out}: no file can be made there ({error.strerror}); give another --out") from error
    os.close(handle)
    staging = Path(name)
    try:
        yield staging
        _sync(staging)
        if os.path.lexists(out):
            raise OutputNotEmptyError(f"{out}: was made by somebody else meanwhile; give another --out")
        staging.rename(out)
        _sync(out.parent)
    finally:
        staging.unlink(missing_ok=True)
