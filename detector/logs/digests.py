"""SHA-256 of each file, computed in a background thread while the log is read."""

import hashlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, get_native_id

from detector.logs.sources import LogFile

_CHUNK_BYTES = 1 << 20
#: About a tenth of a busy processor.
_NICENESS = 10


class Digests:
    """Digests of the stored bytes of some files; hashing lets other threads run.

    Parameters
    ----------
    files: files to hash, in order.
    """

    def __init__(self, files: Sequence[LogFile]) -> None:
        """Prepare; nothing is read before `start`."""
        self._files = tuple(files)
        self._found: dict[str, str] = {}
        self._stopped = Event()
        self._thread: Thread | None = None

    def __enter__(self) -> "Digests":
        """Give up at the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give up what is not done yet."""
        self.stop()

    def start(self) -> None:
        """Begin, unless begun."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="stillwatch-digests", daemon=True)
            self._thread.start()

    def finish(self) -> dict[str, str]:
        """Wait for all digests.

        Returns
        -------
        File name to hexadecimal digest; a file that vanished meanwhile is absent.
        """
        self.start()
        if self._thread is not None:
            self._thread.join()
        return dict(self._found)

    def stop(self) -> None:
        """Give up what is not done yet."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        _step_back()
        for file in self._files:
            digest = self._digest(file)
            if digest is not None:
                self._found[file.name] = digest

    def _digest(self, file: LogFile) -> str | None:
        state = hashlib.sha256()
        buffer = memoryview(bytearray(_CHUNK_BYTES))
        try:
            with Path(file.path).open("rb", buffering=0) as stored:
                while (n_bytes := stored.readinto(buffer)) and not self._stopped.is_set():
                    state.update(buffer[:n_bytes])
        except OSError:
            return None
        return None if self._stopped.is_set() else state.hexdigest()


def _step_back() -> None:
    """Let other threads go first, where the system can: reading and folding use what is left of a processor well."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)
