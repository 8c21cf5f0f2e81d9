"""How far a log has been read, so that another run can go on from there."""

from dataclasses import dataclass
from typing import Any

from detector.engines.tallies import Tally


@dataclass(frozen=True)
class Mark:
    """A place in a log before which everything was handed out, and nothing after.

    Attributes
    ----------
    n_files: files that were read to their end.
    offset: how far the next one was read: bytes of whole records after the header, or rows of a Parquet file. Files
        that are read record by record have no places inside.
    tallies: what was counted, of each file that was begun.
    exact: numbers of the files that must be read record by record, so far as was known.
    """

    n_files: int
    offset: int
    tallies: tuple[Tally, ...]
    exact: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {**vars(self), "tallies": [tally.to_json() for tally in self.tallies]}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Mark":
        """Read what `to_json` gave."""
        tallies = tuple(Tally.from_json(tally) for tally in raw["tallies"])
        return Mark(int(raw["n_files"]), int(raw["offset"]), tallies, tuple(raw["exact"]))
