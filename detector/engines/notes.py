"""What a reader far away sends home: profiles by account, and notes of what it counted. Never a row of the log."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector import errors
from detector.engines.tallies import Tally
from detector.errors import EngineError, StillwatchError
from detector.profiles.rows import KEY, rows_schema, to_rows
from detector.profiles.store import Profiles

PROFILE = "profile"
#: Of what kind a row is, what it is of, and of which attempt at which task it comes.
_COMMON = pa.schema([("kind", pa.string()), ("key", pa.string()), ("note", pa.string()), ("number", pa.int64())])
_RUN = pa.field("run", pa.int64())


def sent_schema(columns: Iterable[str], wanted: Iterable[str]) -> pa.Schema:
    """Give the columns of what is sent: notes and profiles in one."""
    cells = list(rows_schema(columns, tuple(wanted)))[1:]
    return pa.schema([*_COMMON, _RUN, *(cell.with_nullable(True) for cell in cells)])


@dataclass(frozen=True)
class Sender:
    """Writes what one attempt at a task found."""

    schema: pa.Schema
    run: int

    def notes(self, kind: str, rows: Iterable[tuple[str, str | None, int | None]]) -> Iterator[pa.RecordBatch]:
        """Write notes of a kind: key, note, number."""
        listed = list(rows)
        if listed:
            keys, texts, numbers = zip(*listed, strict=True)
            yield self._batch([kind] * len(listed), {"key": keys, "note": texts, "number": numbers})

    def profiles(self, profiles: Profiles) -> Iterator[pa.RecordBatch]:
        """Write profiles, the names behind their fingerprints, and which columns were filled."""
        for batch in to_rows(profiles).to_batches():
            cells = {name: batch.column(name) for name in batch.schema.names}
            yield self._batch([PROFILE] * batch.num_rows, {**cells, "key": cells.pop(KEY)})
        names = ((column, name, None) for column, held in profiles.names.items() for name in held.values())
        yield from self.notes("name", names)
        yield from self.notes("filled", ((column, None, None) for column in profiles.filled))

    def counted(self, file: int, tally: Tally, *, is_exact: bool) -> Iterator[pa.RecordBatch]:
        """Write what was counted in a file, and each reject."""
        counts = {**tally.to_json(), "rejected": []}
        yield from self.notes("counted", [(str(file), json.dumps(counts), int(is_exact))])
        yield from self.notes("reject", ((str(file), reason, line) for line, reason in tally.rejected))

    def _batch(self, kinds: list[str], given: dict[str, Any]) -> pa.RecordBatch:
        n = len(kinds)
        given = {"kind": kinds, "run": [self.run] * n, **given}
        arrays = [pa.array(given[f.name], f.type) if f.name in given else pa.nulls(n, f.type) for f in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


@dataclass
class Report:
    """What all readers noted, put together.

    Attributes
    ----------
    tallies: by file.
    exact: files that were read the exact way.
    suspect: files in a span of which something was wrong: they are to be read again, as one.
    void: runs that do not count.
    filled: columns that hold something.
    names: column and value, for the fingerprints in profiles.
    """

    tallies: dict[int, Tally] = field(default_factory=dict)
    exact: set[int] = field(default_factory=set)
    suspect: set[int] = field(default_factory=set)
    void: set[int] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)

    def add(self, notes: pa.Table, runs: Mapping[int, Collection[int]]) -> None:
        """Read notes of `sent_schema`.

        Parameters
        ----------
        runs: of spans of each file; they are void where one of them was suspect.

        Raises
        ------
        StillwatchError
            A reader met it.
        """
        self.suspect = {int(row["key"]) for row in _of(notes, "suspect")}
        self.void |= {row["run"] for row in _of(notes, "void")}.union(*(runs[file] for file in self.suspect))
        for row in _of(notes, "error"):
            kind = getattr(errors, row["key"], EngineError)
            raise kind(row["note"]) if issubclass(kind, StillwatchError) else EngineError(row["note"])
        counting = notes.filter(pc.invert(pc.is_in(notes["run"], pa.array(sorted(self.void), pa.int64()))))
        self.filled |= {row["key"] for row in _of(counting, "filled")}
        self.names |= {(row["key"], row["note"]) for row in _of(counting, "name")}
        for row in _of(counting, "counted"):
            self._count(int(row["key"]), Tally.from_json(json.loads(row["note"])), is_exact=bool(row["number"]))
        for row in _of(counting, "reject"):
            self.tallies[int(row["key"])].rejected.append((row["number"], row["note"]))
        for tally in self.tallies.values():
            tally.rejected.sort()

    def _count(self, file: int, tally: Tally, *, is_exact: bool) -> None:
        self.tallies.setdefault(file, Tally()).add(tally)
        if is_exact:
            self.exact.add(file)


def _of(notes: pa.Table, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = notes.filter(pc.equal(notes["kind"], kind)).to_pylist()
    return rows
