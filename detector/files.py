"""Files that appear whole or not at all, and survive a loss of power once they are there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detector.errors import OutputNotEmptyError, UsageError
from detector.hidden import part_of


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_absent(path: Path) -> None:
    """Refuse a place for a file that is taken, before any work is done.

    Raises
    ------
    OutputNotEmptyError
        Something is there.
    """
    if os.path.lexists(path):
        raise OutputNotEmptyError(f"{path}: is there already; give another --out")


@contextmanager
def new_file(path: Path, *, replaces: bool = False, mode: int = 0o600) -> Iterator[Path]:
    """Yield a staging file that becomes `path` when the block ends well and vanishes when it does not.

    Parameters
    ----------
    path: in a folder that is there.
    replaces: an earlier file is replaced; otherwise it is kept, and refused.
    mode: of the file.

    Raises
    ------
    OutputNotEmptyError
        `path` is there and must be kept.
    UsageError
        Its folder is not there.

    Notes
    -----
    A process that is killed outright leaves its hidden staging file; the next one that writes `path` takes it over.
    """
    if not replaces:
        check_absent(path)
    staging = part_of(path)
    try:
        handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path}: no file can be made there ({error.strerror}); give another --out") from error
    try:
        os.close(handle)
        staging.chmod(mode)
        yield staging
        sync(staging)
        if not replaces:
            check_absent(path)
        staging.rename(path)
        sync(path.parent)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
