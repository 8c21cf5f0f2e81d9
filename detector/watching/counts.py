"""What was counted of a log that grows, as a judgement asks for it of a whole log. Lists in it do not grow for ever."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pyarrow as pa

from detector.engines.tallies import Tally, counts_of
from detector.errors import TooManyRejectsError
from detector.logs.presets import Format
from detector.logs.sources import LogFile
from detector.tables import REJECTED
from detector.watching.tails import Tail

#: Bad rows that are listed; the others are counted. Chosen: nobody reads more.
MOST_LISTED = 10_000


@dataclass
class Counts:
    """What was counted since the watch began.

    Attributes
    ----------
    tally: of all files; bad rows are not in it.
    n_rejected: bad rows.
    listed: file, line and reason of the first of them.
    presets: those that files were read with, each with the reason.
    sampling_rate: share of the requests that the log holds, at least.
    rungs: what an account can be, to the columns that it came from.
    """

    tally: Tally = field(default_factory=Tally)
    n_rejected: int = 0
    listed: list[tuple[str, int, str]] = field(default_factory=list)
    presets: dict[str, str] = field(default_factory=dict)
    sampling_rate: float = 1.0
    rungs: dict[str, list[str]] = field(default_factory=dict)

    def add_way(self, form: Format, reason: str, rungs: Mapping[str, Sequence[str]]) -> None:
        """Take in how some files are read."""
        self.presets.setdefault(form.name, reason)
        self.sampling_rate = min(self.sampling_rate, form.sampling_rate)
        for rung, columns in rungs.items():
            self.rungs[rung] = list(dict.fromkeys([*self.rungs.get(rung, ()), *columns]))

    def add(self, name: str, tally: Tally) -> None:
        """Take in what was counted in a piece of a file."""
        rejected, tally.rejected = tally.rejected, []
        self.tally.add(tally)
        self.n_rejected += len(rejected)
        self.listed += [(name, *reject) for reject in rejected[: MOST_LISTED - len(self.listed)]]

    def check(self, max_rejects: float) -> None:
        """Refuse to judge a log of which too much is malformed.

        Raises
        ------
        TooManyRejectsError
            It is.
        """
        n_rows = self.tally.n_read + self.n_rejected
        if self.n_rejected > max_rejects * n_rows:
            quoted = "; ".join(f"{name} line {line}: {reason}" for name, line, reason in self.listed[:3])
            raise TooManyRejectsError(
                f"{self.n_rejected} of {n_rows} records ({self.n_rejected / n_rows:.2%}) are malformed, more than the "
                f"{max_rejects:.2%} allowed: {quoted}; nobody is judged; mend the export, or allow more with "
                "--max-rejects"
            )

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {**vars(self), "tally": self.tally.to_json()}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Counts":
        """Read what `to_json` gave."""
        listed = [(str(name), int(line), str(reason)) for name, line, reason in raw["listed"]]
        return Counts(**{**raw, "tally": Tally.from_json(raw["tally"]), "listed": listed})


@dataclass
class WatchedLog:
    """A log so far, see `engines.contract.OpenLog`. Its rows are gone; it says what was counted of them.

    Attributes
    ----------
    tails: its files.
    columns: canonical columns that some file has.
    counted: what was counted of them.
    account_by: what an account is, best first.
    is_whole: no file of it was set aside.
    """

    tails: Sequence[Tail]
    columns: tuple[str, ...]
    counted: Counts
    account_by: Sequence[str]
    is_whole: bool = True

    @property
    def files(self) -> tuple[LogFile, ...]:
        """Its files, by name."""
        known = sorted((tail for tail in self.tails if tail.kind), key=lambda tail: tail.name)
        return tuple(LogFile(tail.name, tail.name, tail.kind, "none", tail.n_seen) for tail in known)  # type: ignore[arg-type]

    @property
    def format_name(self) -> str:
        """The preset, or presets."""
        return ", ".join(self.counted.presets)

    @property
    def format_reason(self) -> str:
        """Why."""
        return "; ".join(dict.fromkeys(self.counted.presets.values()))

    @property
    def sampling_rate(self) -> float:
        """Share of the requests that the log holds; none is known where files had to be set aside, and 0 is said."""
        return self.counted.sampling_rate if self.is_whole else 0.0

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Give nothing: rows are gone."""
        return iter(())

    def summaries(self, columns: Sequence[str], work: Callable[[Iterable[pa.RecordBatch]], pa.Table]) -> pa.Table:
        """Let work see nothing."""
        return work(())

    def counts(self) -> dict[str, int]:
        """Tell how many rows were read, rejected, ..."""
        counts = counts_of([self.counted.tally])
        n_rejected = self.counted.n_rejected
        return counts | {"n_rows": counts["n_read"] + n_rejected, "n_rejected": n_rejected}

    def identity(self) -> list[dict[str, Any]]:
        """Tell by what accounts were named, in the order asked for."""
        named = []
        for place, rung in enumerate(self.account_by):
            n_rows = self.counted.tally.n_by_rung[place]
            named.append({"by": rung, "columns": self.counted.rungs.get(rung, []), "n_rows": n_rows})
        return named

    def rejected(self) -> pa.Table:
        """List the first bad rows, as `tables.REJECTED`, by file."""
        columns = list(zip(*sorted(self.counted.listed), strict=True)) or [(), (), ()]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, REJECTED, strict=True)]
        return pa.table(arrays, schema=REJECTED)

    def digests(self) -> dict[str, str]:
        """Give nothing: files grow."""
        return {}

    def __enter__(self) -> "WatchedLog":
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close nothing."""
