"""What an engine owes: normalised batches, a fold keyed by account, and the pairs of accounts that share things.

Everything else is the same code on every engine, on one machine: it sees profiles and pairs, never rows. An engine is
one module and one line in `detector.engines.registry`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from detector.linkage.overlaps import Keep, Numbers
from detector.logs.sources import LogFile
from detector.progress import Tell

if TYPE_CHECKING:
    from detector.keeping import Kept
    from detector.profiles.store import Profiles


class OpenLog(Protocol):
    """A log, opened: what its rows are, and after it was read, what was counted."""

    @property
    def files(self) -> tuple[LogFile, ...]:
        """Its files, in reading order."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of `tables.EVENTS` that some file has."""

    @property
    def format_name(self) -> str:
        """The preset that reads it."""

    @property
    def format_reason(self) -> str:
        """Why this preset."""

    @property
    def sampling_rate(self) -> float:
        """Share of the requests that the log holds."""

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the log as canonical columns, in file order."""

    def summaries(self, columns: Sequence[str], work: Callable[[Iterable[pa.RecordBatch]], pa.Table]) -> pa.Table:
        """Let work see the batches where they lie, run by run; gives its tables joined in the order of the log."""

    def counts(self) -> dict[str, int]:
        """Tell how many rows were read, rejected, ..."""

    def identity(self) -> list[dict[str, Any]]:
        """Tell by what accounts were named, in the order asked for; nothing where the preset decided."""

    def rejected(self) -> pa.Table:
        """List what was set aside, as `tables.REJECTED`."""

    def digests(self) -> dict[str, str]:
        """Give the SHA-256 of each file by name, where there are files."""

    def __enter__(self) -> "OpenLog":
        """Close the log at the end of a block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the log."""


class Engine(Protocol):
    """Where rows live."""

    def open(self, patterns: Sequence[str]) -> OpenLog:
        """Find the files and recognise their format; no row is read yet."""

    def fold(
        self, log: Any, *, wanted: tuple[str, ...] = (), tell: Tell = ..., kept: "Kept | None" = None
    ) -> "Profiles":
        """Read the log into profiles, in order of the accounts' names.

        `wanted` names optional slices; `kept` is a place for what was read, should the run be cut off, which an engine
        may leave unused.
        """

    def pairs(
        self, columns: Any, rank: Numbers, least: int, keep: Keep | None = None, *, threads: int = 1
    ) -> tuple[Numbers, Numbers]:
        """Find the pairs of rows that share at least so many columns; see `linkage.overlaps.overlaps`."""
