"""How far a log has been read, so that another run can go on from there."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from detector.engines.chunks import Tally


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
        # `asdict` rebuilds a Counter from its pairs, and so counts them.
        tallies = [{**vars(tally), "n_by_rung": dict(tally.n_by_rung)} for tally in self.tallies]
        return {**vars(self), "tallies": tallies}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Mark":
        """Read what `to_json` gave."""
        tallies = tuple(
            Tally(
                **{
                    **tally,
                    "n_by_rung": Counter({int(rung): int(n) for rung, n in tally["n_by_rung"].items()}),
                    "rejected": [(int(line), str(reason)) for line, reason in tally["rejected"]],
                }
            )
            for tally in raw["tallies"]
        )
        return Mark(int(raw["n_files"]), int(raw["offset"]), tallies, tuple(raw["exact"]))
