"""Standard input or a pipe as a file: copied to a temporary file without a name, so that nothing stays behind."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, BinaryIO

from detector.errors import InputUnreadableError
from detector.logs.sources import LogFile, inspect_file

STDIN_NAME = "standard input"


def spool_stream(stream: BinaryIO, scratch: Path, *, name: str = STDIN_NAME) -> tuple[LogFile, IO[bytes]]:
    """Copy a stream to an unlinked file of mode 0600 and tell what it is.

    Parameters
    ----------
    stream: where the log comes from.
    scratch: private folder on the disk that shall hold the copy.
    name: what the user called the stream.

    Returns
    -------
    The file, whose path works while the handle returned beside it is open.
    """
    spooled = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
    try:
        shutil.copyfileobj(stream, spooled, 1 << 20)
        spooled.flush()
        return inspect_file(name, descriptor_path(spooled.fileno())), spooled
    except InputUnreadableError:
        spooled.close()
        raise
    except OSError as error:
        spooled.close()
        why = error.strerror or "input error"
        raise InputUnreadableError(f"{name}: cannot be copied to {scratch} ({why}); free some space") from error


def descriptor_path(descriptor: int) -> str:
    """Give the path under which an open descriptor can be opened again."""
    proc = Path("/proc/self/fd")
    return os.fspath((proc if proc.is_dir() else Path("/dev/fd")) / str(descriptor))


def is_spooled(file: LogFile) -> bool:
    """Tell whether a file is a copy that only this process can open."""
    return Path(file.path).parent == Path(descriptor_path(0)).parent
