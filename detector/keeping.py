"""What was read of a log so far, kept beside the output: a run that was cut off goes on there, to the same bytes.

Something is kept once reading has gone on for a while, and then so seldom that it costs little; a short run keeps
nothing. What is found is used only for the very log, settings and version that it was made with.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector import __version__
from detector.engines.log import Log
from detector.engines.marks import Mark
from detector.errors import StateError, StillwatchError
from detector.hidden import KEPT, hidden
from detector.logs.sources import LogFile
from detector.logs.spool import is_spooled
from detector.profiles.state import SCHEMA, load, save
from detector.profiles.store import Profiles
from detector.settings import InputSettings

#: Reading lasts this many times as long as the keeping before it took: it costs 2 % at most. Chosen.
_SELDOM = 50
#: What is hashed at either end of a file; with its size and the instant of its last change that tells whether it is
#: the same. Chosen.
_END_BYTES = 1 << 16
#: Settings that decide what a log says; the others change no byte.
_DECIDING = {"format", "map", "account_by", "timezone", "text"}


@dataclass
class Kept:
    """The place of what is kept for one output.

    Attributes
    ----------
    path: of the file.
    say: takes a line for people.
    """

    path: Path
    say: Callable[[str], None]


@dataclass
class Keeper:
    """Keeps what was folded of one log, read in one way.

    Attributes
    ----------
    key: of the log and the way; nothing kept under another is used.
    every_s: of reading, after which something is kept; 0 is at every place there is.
    """

    place: Kept
    key: str
    every_s: float
    _last_at: float = field(default_factory=time.monotonic)
    _cost_s: float = 0.0

    def found(self, *, threads: int) -> tuple[Profiles, Mark] | None:
        """Give what an earlier run has kept, and say so; what cannot be used is named, and not used."""
        path = self.place.path
        if not path.exists():
            return None
        try:
            profiles, note = load(path, threads=threads)
            if note.get("key") != self.key:
                raise StateError(f"{path}: kept profiles are of another log, of other settings, or of another version")
            mark = Mark.from_json(note["mark"])
        except StateError as error:
            self.place.say(f"{error}; now the log is read from its beginning")
            return None
        n_read = sum(tally.n_read for tally in mark.tallies)
        self.place.say(f"an earlier run was cut off: {n_read:,} requests that it had read are used again")
        return profiles, mark

    def offer(self, profiles: Profiles, mark: Callable[[], Mark]) -> None:
        """Keep what was folded up to a mark, if it is time; a disk that refuses ends the keeping, not the run."""
        began = time.monotonic()
        if began - self._last_at < self.every_s + _SELDOM * self._cost_s * bool(self.every_s):
            return
        try:
            save(profiles, self.place.path, note={"key": self.key, "mark": mark().to_json()})
        except OSError as error:
            self.every_s = float("inf")
            self.place.say(
                f"what was read cannot be kept ({error.strerror}): if this run is cut off, the next begins anew"
            )
        self._last_at = time.monotonic()
        self._cost_s = self._last_at - began


def keeper_of(place: Kept, log: Log, settings: InputSettings, wanted: Collection[str]) -> Keeper | None:
    """Make the keeper of a log; none for one that cannot be read again, such as standard input.

    Parameters
    ----------
    wanted: optional slices that are kept.
    """
    if any(is_spooled(file) for file in log.files):
        return None
    about = {
        "stillwatch": __version__,
        "schema": SCHEMA,
        "settings": settings.model_dump(mode="json", include=_DECIDING),
        "format": log.format.model_dump(mode="json"),
        "columns": log.columns,
        "wanted": sorted(wanted),
        "files": [_identity(file) for file in log.files],
    }
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    return Keeper(place, key, settings.keep_s)


def _identity(file: LogFile) -> list[Any]:
    path = Path(file.path)
    with path.open("rb") as stored:
        status = path.stat()
        head = stored.read(_END_BYTES)
        stored.seek(max(0, status.st_size - _END_BYTES))
        ends = hashlib.sha256(head + stored.read(_END_BYTES)).hexdigest()
    return [file.name, status.st_size, status.st_mtime_ns, ends]


@contextmanager
def kept_beside(out: Path | None, say: Callable[[str], None]) -> Iterator[Kept | None]:
    """Give the place for what is kept beside an output; none where nothing may be.

    It is cleared when the block ends well, or with an error that the same command would meet again; a kill, a stop by
    hand, a full disk or a lack of memory leave it for the next run.
    """
    if out is None:
        yield None
        return
    place = Kept(hidden(out, KEPT), say)
    try:
        yield place
    except StillwatchError:
        place.path.unlink(missing_ok=True)
        raise
    place.path.unlink(missing_ok=True)
