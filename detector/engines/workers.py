"""What runs where rows lie: the same readers and the same kernels, in a process of an engine's worker.

A worker gets a task, a span of a file or some files, and sends home profiles and notes. It reads one batch after the
other and holds one batch and the profiles of its accounts, of which it hands on what grows too large.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from detector import __version__
from detector.engines.embedded import EmbeddedEngine
from detector.engines.frames import FrameScan
from detector.engines.log import Log, Restart
from detector.engines.notes import Sender, sent_schema
from detector.engines.scans import FileScan, SuspectError
from detector.engines.spans import Part
from detector.engines.tallies import Tally
from detector.errors import EngineError, StillwatchError
from detector.logs.presets import Format
from detector.profiles.rows import KEY, from_rows, to_rows
from detector.profiles.store import Profiles
from detector.settings import InputSettings
from detector.tables import EVENTS

#: Accounts whose profiles a reader holds before it hands them on: 240 MB and what arrays grow ahead (chosen).
_MOST_ACCOUNTS = 32_768
#: Rows of profiles that are merged at once, and all of one account beside (chosen).
_MERGED_ROWS = 8_192
#: Rows of a frame are numbered as Spark's `monotonically_increasing_id` does: the partition above these bits.
_PARTITION_BITS = 33
_TIMES = ("account_id", "occurred_at", "n_requests")


@dataclass(frozen=True)
class Recipe:
    """How the files of a log are read, without anything that only one process has.

    Attributes
    ----------
    scans: of the log's files, without session.
    columns: canonical columns that are read.
    wanted: optional slices that are folded.
    version: of this package where the recipe was written.
    """

    scans: tuple[FileScan, ...]
    form: Format
    settings: InputSettings
    columns: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    version: str = __version__

    @property
    def schema(self) -> pa.Schema:
        """Columns of what is sent."""
        return sent_schema(self.columns, self.wanted)

    def open(self, task: tuple[Part, ...]) -> Log:
        """Open the files of a task."""
        if self.version != __version__:
            raise EngineError(f"a worker has stillwatch {__version__}, not {self.version}; install the same everywhere")
        scans = [_elsewhere(self.scans[part.file], part.span) for part in task]
        return EmbeddedEngine(self.settings).attach(scans, self.form, [part.is_exact for part in task])


def _elsewhere(scan: FileScan, span: tuple[int, int] | None) -> FileScan:
    """Prepare the reading of a span on a machine that may know the same file by another number."""
    return replace(scan, span=span, file=replace(scan.file, stamp=None))


def fold_task(recipe: Recipe, number: int, task: tuple[Part, ...]) -> Iterator[pa.RecordBatch]:
    """Fold the rows of a task; whoever reads the batches drops those of runs that are noted as void."""
    try:
        with recipe.open(task) as log:
            for attempt in range(2):
                sender = Sender(recipe.schema, 2 * number + attempt)
                try:
                    yield from _fold(recipe, sender, _rows(log, task, recipe.columns))
                except Restart:
                    yield from sender.notes("void", [("", None, None)])
                    continue
                for part, tally, is_exact in zip(task, log.tallies, log.is_exact, strict=True):
                    yield from sender.counted(part.file, tally, is_exact=is_exact)
                return
    except SuspectError:
        yield from sender.notes("void", [("", None, None)])
        yield from sender.notes("suspect", [(str(task[0].file), None, None)])
    except StillwatchError as error:
        yield from Sender(recipe.schema, 2 * number).notes("error", [(type(error).__name__, str(error), None)])


def fold_batches(recipe: Recipe, number: int, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Fold rows that an engine reads itself."""
    sender, tally = Sender(recipe.schema, 2 * number), Tally()
    try:
        with recipe.open((Part(0),)) as log:
            scan = cast(FrameScan, log.scans[0]).fed(batches, number << _PARTITION_BITS)
            yield from _fold(recipe, sender, scan.exact(recipe.columns, tally))
        yield from sender.counted(0, tally, is_exact=True)
    except StillwatchError as error:
        yield from sender.notes("error", [(type(error).__name__, str(error), None)])


def _rows(log: Log, task: tuple[Part, ...], columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Read a task; of a span only the fast way is known, as what is wrong in one may begin in another."""
    if task[0].span is None:
        yield from log.rows(columns)
    else:
        yield from log.span_rows(columns)


def _fold(recipe: Recipe, sender: Sender, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    profiles = Profiles(recipe.columns, wanted=recipe.wanted)
    for batch in batches:
        profiles.fold(batch)
        if len(profiles) >= _MOST_ACCOUNTS:
            yield from sender.profiles(profiles)
            profiles = Profiles(recipe.columns, wanted=recipe.wanted)
    yield from sender.profiles(profiles)


def merge_rows(batches: Iterable[pa.RecordBatch], recipe: Recipe) -> Iterator[pa.RecordBatch]:
    """Merge rows of profiles that come in order of account."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(part.num_rows for part in held) < _MERGED_ROWS:
            continue
        rows = pa.Table.from_batches(held)
        last = pc.index(rows[KEY], rows[KEY][-1]).as_py()
        yield from _merged(rows.slice(0, last), recipe)
        held = rows.slice(last).to_batches()
    if held:
        yield from _merged(pa.Table.from_batches(held), recipe)


def _merged(rows: pa.Table, recipe: Recipe) -> Iterator[pa.RecordBatch]:
    if rows.num_rows:
        yield from to_rows(from_rows(rows, recipe.columns, recipe.wanted)).to_batches()


def times_schema(recipe: Recipe) -> pa.Schema:
    """Give the columns of times; instants travel as microseconds since 1970."""
    return pa.schema([(c, pa.string() if c == KEY else pa.int64()) for c in _TIMES if c in recipe.columns])


def task_times(recipe: Recipe, task: tuple[Part, ...], accounts: pa.Array) -> Iterator[pa.RecordBatch]:
    """Give the instants of some accounts, of the rows that were folded."""
    for batch in read_task(recipe, task):
        yield from _times(recipe, batch, accounts)


def batch_times(recipe: Recipe, batches: Iterable[pa.RecordBatch], accounts: pa.Array) -> Iterator[pa.RecordBatch]:
    """Do the same for rows that an engine reads itself."""
    for batch in read_batches(recipe, batches):
        yield from _times(recipe, batch, accounts)


def _times(recipe: Recipe, batch: pa.RecordBatch, accounts: pa.Array) -> Iterator[pa.RecordBatch]:
    schema = times_schema(recipe)
    kept = batch.select(schema.names).filter(pc.is_in(batch.column(KEY), value_set=accounts))
    if kept.num_rows:
        yield kept.cast(schema)


def read_task(recipe: Recipe, task: tuple[Part, ...]) -> Iterator[pa.RecordBatch]:
    """Read a task again, of which is known by now what has to be read the exact way."""
    with recipe.open(task) as log:
        yield from _rows(log, task, recipe.columns)


def read_batches(recipe: Recipe, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Do the same for rows that an engine reads itself."""
    with recipe.open((Part(0),)) as log:
        yield from cast(FrameScan, log.scans[0]).fed(batches).exact(recipe.columns, Tally())


def fold_times(batches: Iterable[pa.RecordBatch], recipe: Recipe) -> Iterator[pa.RecordBatch]:
    """Fold the rhythm of accounts from instants in order of time; nothing else is in the profiles."""
    columns = tuple(times_schema(recipe).names)
    profiles = Profiles(columns)
    typed = pa.schema([EVENTS.field(column) for column in columns])
    profiles.refold_rhythm(batch.cast(typed) for batch in batches)
    yield from to_rows(profiles).to_batches()


def summarise(
    work: Callable[[Iterable[pa.RecordBatch]], pa.Table], number: int, rows: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Let work see the rows of a task; gives what it made, with the task's number."""
    made = work(rows)
    yield from made.append_column("run", pa.array([number] * made.num_rows, pa.int64())).to_batches()


def file_digest(path: str) -> str:
    """Give the SHA-256 of a file's stored bytes."""
    with Path(path).open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()
