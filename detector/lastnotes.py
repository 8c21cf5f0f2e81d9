"""What a process that works leaves with its parent, which reads it should that process die; see `detector.guard`.

It lies in memory that both share, so that nothing has to be written in time. Notes of a process without such a parent,
such as one that uses the library, go nowhere.
"""

import mmap
import os
from pathlib import Path

#: Longest name that is kept [bytes].
_NAME = 4096
#: Where each note lies: whether the process ends on its own, limited itself, lacks memory; the file it reads, the place
#: it writes to.
_IS_OWN, _IS_LIMITED, _IS_STARVED, _FILE, _PLACE = 0, 1, 2, 3, 3 + _NAME


class LastNotes:
    """The notes of one process."""

    def __init__(self) -> None:
        """Begin empty; what a fork makes of this process shares them."""
        self._page = mmap.mmap(-1, _PLACE + _NAME)

    @property
    def is_own(self) -> bool:
        """Whether the process ended on its own."""
        return bool(self._page[_IS_OWN])

    @property
    def is_limited(self) -> bool:
        """Whether it had limited its own memory."""
        return bool(self._page[_IS_LIMITED])

    @property
    def is_starved(self) -> bool:
        """Whether it lacked memory even to say so."""
        return bool(self._page[_IS_STARVED])

    @property
    def file(self) -> str:
        """What it read last; nothing where it had not begun."""
        return self._name(_FILE)

    @property
    def place(self) -> Path | None:
        """What it was writing; none where it had not begun."""
        name = self._name(_PLACE)
        return Path(name) if name else None

    def tick(self, at: int) -> None:
        """Note that something is so."""
        self._page[at] = 1

    def write(self, at: int, name: str) -> None:
        """Note a name."""
        self._page[at : at + _NAME] = os.fsencode(name)[: _NAME - 1].ljust(_NAME, b"\0")

    def _name(self, at: int) -> str:
        return os.fsdecode(self._page[at : at + _NAME].rstrip(b"\0"))


_mine: LastNotes | None = None


def leave_to(notes: LastNotes | None) -> None:
    """Say whose notes this process takes from now on; none is nobody's."""
    global _mine
    _mine = notes


def note_file(name: str) -> None:
    """Note which file is read next."""
    if _mine is not None:
        _mine.write(_FILE, name)


def note_place(place: Path) -> None:
    """Note what is written."""
    if _mine is not None:
        _mine.write(_PLACE, str(place))


def note_limit() -> None:
    """Note that this process takes no more memory than it allowed itself."""
    if _mine is not None:
        _mine.tick(_IS_LIMITED)


def note_starved() -> None:
    """Note that this process lacks memory."""
    if _mine is not None:
        _mine.tick(_IS_STARVED)


def note_end() -> None:
    """Note that this process now ends on its own."""
    if _mine is not None:
        _mine.tick(_IS_OWN)
