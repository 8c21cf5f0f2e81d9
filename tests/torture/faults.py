"""A system that fails on demand: the n-th operation on files below one folder fails, or kills the process."""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from pyarrow import parquet

#: What the n-th operation does. `torn` writes half before the disk is full; `short` writes half and says so, as a
#: system may; `kill` ends the process after the operation.
KINDS: dict[str, int] = {
    "full": errno.ENOSPC,
    "quota": errno.EDQUOT,
    "broken": errno.EIO,
    "interrupted": errno.EINTR,
    "read_only": errno.EROFS,
    "forbidden": errno.EACCES,
    "torn": errno.ENOSPC,
    "short": 0,
    "kill": 0,
}


_NAMING = ("rename", "link", "mkdir", "chmod")


@dataclass
class Faults:
    """Counts operations, and fails at one of them.

    Attributes
    ----------
    kind: of `KINDS`.
    at: number of the operation that fails, from 1; 0 is none.
    below: only what lies in this folder counts.
    n: operations so far.
    """

    kind: str
    at: int
    below: Path
    n: int = 0

    def meet(self, do: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Do an operation, or fail."""
        self.n += 1
        if self.n != self.at:
            return do()
        if self.kind == "kill":
            do()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind in ("torn", "short") and half:
            done = half()
            if self.kind == "short":
                return done
        if self.kind == "short":
            return do()
        raise OSError(KINDS[self.kind], os.strerror(KINDS[self.kind]))

    def concerns(self, path: Any) -> bool:
        """Tell whether a path counts."""
        return isinstance(path, str | os.PathLike) and Path(os.fspath(path)).is_relative_to(self.below)


def _raw(faults: Faults) -> type[io.FileIO]:
    class Raw(io.FileIO):
        def write(self, data: Any) -> int:  # type: ignore[override]
            data = memoryview(data).cast("B")
            write = super().write
            return int(faults.meet(lambda: write(data), lambda: write(data[: max(1, len(data) // 2)])))

    return Raw


def _opener(faults: Faults, real: Callable[..., Any]) -> Callable[..., Any]:
    raw = _raw(faults)

    def opened(file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *rest: Any, **named: Any) -> Any:
        if not faults.concerns(file) or not set(mode) & set("wxa"):
            return real(file, mode, buffering, encoding, *rest, **named)
        stream = io.BufferedWriter(faults.meet(lambda: raw(file, mode.replace("b", "").replace("t", ""))))
        if "b" in mode:
            return stream
        errors, newline = (*rest, None, None)[:2]
        return io.TextIOWrapper(stream, encoding, named.get("errors", errors), named.get("newline", newline))

    return opened


def _named(faults: Faults, real: Callable[..., Any]) -> Callable[..., Any]:
    def done(path: Any, *rest: Any, **named: Any) -> Any:
        if not faults.concerns(path):
            return real(path, *rest, **named)
        return faults.meet(lambda: real(path, *rest, **named))

    return done


def _opened(faults: Faults, real: Callable[..., Any]) -> Callable[..., Any]:
    def done(path: Any, flags: int, *rest: Any, **named: Any) -> Any:
        if not faults.concerns(path) or not flags & os.O_CREAT:
            return real(path, flags, *rest, **named)
        return faults.meet(lambda: real(path, flags, *rest, **named))

    return done


@contextmanager
def injected(faults: Faults) -> Iterator[Faults]:
    """Let files be opened, written, synced, named and made by way of the faults."""

    class Writer(parquet.ParquetWriter):  # type: ignore[misc]
        def __init__(self, where: Any, schema: Any, **given: Any) -> None:
            self.stream = builtins.open(where, "wb")  # noqa: SIM115, PTH123
            super().__init__(self.stream, schema, **given)

        def close(self) -> None:
            super().close()
            self.stream.close()

    fsync = os.fsync
    opened = _opener(faults, io.open)
    patches = [
        mock.patch.object(os, "fsync", lambda handle: faults.meet(lambda: fsync(handle))),
        mock.patch.object(os, "open", _opened(faults, os.open)),
        mock.patch.object(io, "open", opened),
        mock.patch.object(builtins, "open", opened),
        mock.patch.object(parquet, "ParquetWriter", Writer),
        *(
            mock.patch.object(os, name, _named(faults, getattr(os, name)))
            for name in ("rename", "link", "mkdir", "chmod")
        ),
    ]
    for patch in patches:
        patch.start()
    try:
        yield faults
    finally:
        for patch in reversed(patches):
            patch.stop()
