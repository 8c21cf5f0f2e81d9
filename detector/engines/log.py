"""A log, opened: its rows as batches, in order and from any marked place; what was counted is in `engines.tallies`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from detector.engines.marks import Mark
from detector.engines.scans import FileScan, SuspectError
from detector.engines.tallies import Tally, check_tallies, counts_of, rejects_of
from detector.errors import InputChangedError, StillwatchError
from detector.lastnotes import note_file
from detector.logs.digests import Digests
from detector.logs.presets import Format, level_of
from detector.logs.sources import LogFile
from detector.logs.stamps import find_change
from detector.settings import InputSettings
from detector.tables import EVENTS, REQUIRED

_ORDERED = ("account_id", "occurred_at", "n_requests")


def check_unchanged(file: LogFile) -> None:
    """Refuse what was read of a file that has changed since it was opened.

    Raises
    ------
    InputChangedError
        It has.
    """
    change = find_change(file.path, file.stamp) if file.stamp else ""
    if change:
        raise InputChangedError(
            f"{file.name}: it {change} while it was read, so nothing is made of it; give files that are no longer "
            "written to, or a copy"
        )


class Restart(Exception):  # noqa: N818 - a request to begin again, not an error
    """Rows of a file were handed out before a bad record of it was found.

    The caller throws away what it made of the batches so far and calls `Log.batches` again. It happens at most once.
    """


class Log:
    """A log, opened. Made by `EmbeddedEngine.open`; to be closed.

    Attributes
    ----------
    files: its files, in reading order.
    columns: canonical columns that some file has, in the order of `tables.EVENTS`.
    format: the preset.
    format_name: its name.
    format_reason: why this preset.
    sampling_rate: share of the requests that the log holds.
    """

    def __init__(
        self,
        scans: Sequence[FileScan],
        *,
        session: duckdb.DuckDBPyConnection,
        form: Format,
        reason: str,
        settings: InputSettings,
        resources: ExitStack,
        is_exact: Sequence[bool] = (),
    ) -> None:
        """Take over what the engine prepared; `is_exact` tells which files are known to hold bad records."""
        mapped = {column for scan in scans for column in scan.plan.places}
        self.files: tuple[LogFile, ...] = tuple(scan.file for scan in scans)
        self.columns: tuple[str, ...] = tuple(column for column in EVENTS.names if column in mapped)
        self.format = form
        self.format_name = form.name
        self.format_reason = reason
        self.sampling_rate = form.sampling_rate
        self._scans = tuple(scans)
        self._session = session
        self._max_rejects = settings.max_rejects
        self._account_by = tuple(settings.account_by)
        self._batch_rows = settings.batch_rows
        self._resources = resources
        self._digests = resources.enter_context(Digests(self.files))
        known = is_exact or [False] * len(scans)
        self._exact = {scan for scan, is_known in zip(scans, known, strict=True) if is_known or scan.needs_exact}
        self._verified: set[FileScan] = set()
        self._tallies: dict[FileScan, Tally] = {}
        self._read_columns = self.columns
        self._evidence_level: int | None = None
        self._reached = (0, 0)

    def __enter__(self) -> "Log":
        """Close the log at the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log."""
        self.close()

    @property
    def evidence_level(self) -> int:
        """How much the log tells, 0 to 4, by the columns that hold something in its first rows.

        Returns
        -------
        4 with completions, 3 with prompts, 2 with network identity, 1 with a row per request, 0 with counts only.
        """
        if self._evidence_level is None:
            share = self.coverage()
            filled = {column for column, value in share.items() if value > 0} if share else set(self.columns)
            self._evidence_level = level_of(filled)
        return self._evidence_level

    def coverage(self, n_rows: int = 4096) -> dict[str, float]:
        """Tell how often each mapped column holds a value in the first rows of each file.

        Parameters
        ----------
        n_rows: rows looked at per file, at least 1.

        Returns
        -------
        Canonical column to share in [0, 1]; nothing where no row can be read.
        """
        rows, _ = self.first_rows(n_rows)
        if not rows.num_rows:
            return {}
        return {name: 1 - rows.column(name).null_count / rows.num_rows for name in self.columns}

    def first_rows(self, n_rows: int = 4096) -> tuple[pa.Table, Tally]:
        """Give the first good rows of each file.

        Parameters
        ----------
        n_rows: rows looked at per file, at least 1.

        Returns
        -------
        All of `Log.columns`, and what was counted on the way: records set aside, rows of which a text had been cut.
        """
        tally = Tally()
        batches = [batch for scan in self._scans if (batch := self._head(scan, n_rows, tally)) is not None]
        return pa.Table.from_batches(batches, schema=self._schema), tally

    def count(self) -> int:
        """Read the log through and count its rows, good and bad; 0 where it cannot be read."""
        try:
            for _ in range(2):
                with suppress(Restart):
                    for _ in self.batches(REQUIRED):
                        pass
                    break
        except StillwatchError:
            return 0
        return self.counts()["n_rows"]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the log as canonical columns, in file order.

        Parameters
        ----------
        columns: which of `Log.columns`; none is all. Others are neither read nor checked, but for the required ones.

        Raises
        ------
        Restart
            Begin again: a file turned out to hold bad records after rows of it were handed out.
        TooManyRejectsError
            After the last batch: more records were rejected than allowed.
        EmptyInputError
            After the last batch: there was none.
        InputChangedError
            A file is no longer what it was when the log was opened.
        """
        for batch, _ in self.marked(columns):
            yield batch

    def marked(
        self, columns: Sequence[str] | None = None, *, since: Mark | None = None, is_coded: bool = False
    ) -> Iterator[tuple[pa.RecordBatch, Callable[[], Mark] | None]]:
        """Yield what `batches` does, each with what marks the place before it, where that is one to go on from.

        Parameters
        ----------
        since: a mark of the same log, read with the same settings; rows before it are counted, not handed out again.
        is_coded: see `FileScan.placed`.
        """
        wanted = [column for column in self.columns if columns is None or column in columns]
        checked = tuple(column for column in self.columns if column in wanted or column in REQUIRED)
        self._ask_for(checked)
        self._digests.start()
        n_done, begin = self._go_on(since)
        for number, scan in enumerate(self._scans[n_done:], n_done):
            self._reached = number, begin
            for batch, place in self._file_batches(scan, checked, begin, is_coded=is_coded):
                if place is not None:
                    self._reached = number, place[0]
                yield batch.select(wanted), None if place is None else partial(self._mark, number, *place)
            check_unchanged(scan.file)
            begin = 0
        self._reached = len(self._scans), 0
        self._check()

    @property
    def share_read(self) -> float:
        """Tell how much of the log was handed out, by bytes of its files, 0 to 1; 0 also where nothing tells."""
        number, offset = self._reached
        sizes = [file.n_bytes for file in self.files]
        done = float(sum(sizes[:number]))
        if offset:
            done += sizes[number] * min(1.0, offset / max(self._scans[number].n_places, 1.0))
        return done / max(sum(sizes), 1)

    def rows(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield rows as `batches` does; this may be a part of a log, so nothing is asked of how many they are.

        Raises
        ------
        Restart
            See `batches`.
        """
        self._ask_for(tuple(columns))
        self._tallies = {}
        for scan in self._scans:
            for batch, _ in self._file_batches(scan, tuple(columns), 0):
                yield batch

    def span_rows(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the span of the one file that this log is.

        Raises
        ------
        SuspectError
            A record is not as it should be; where it began is known only to who reads the whole file.
        """
        tally = self._tallies[self._scans[0]] = Tally()
        yield from self._scans[0].fast(columns, tally)

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """What was counted in each file so far."""
        return tuple(self._tallies.get(scan, Tally()) for scan in self._scans)

    def take_tallies(self, tallies: Sequence[Tally]) -> None:
        """Take over what was counted elsewhere, one a file.

        Raises
        ------
        TooManyRejectsError, EmptyInputError
            See `batches`.
        """
        self._tallies = dict(zip(self._scans, tallies, strict=True))
        self._check()

    def _ask_for(self, columns: tuple[str, ...]) -> None:
        """Forget which files are sound where other columns are asked for."""
        if columns != self._read_columns:
            self._verified.clear()
        self._read_columns = columns

    def _go_on(self, since: Mark | None) -> tuple[int, int]:
        """Take over what was counted up to a mark; gives files done, and the place in the next."""
        self._tallies = {}
        if since is None:
            return 0, 0
        self._exact |= {self._scans[number] for number in since.exact}
        self._verified |= set(self._scans[: since.n_files]) - self._exact
        self._tallies = {scan: tally.copy() for scan, tally in zip(self._scans, since.tallies, strict=False)}
        return since.n_files, since.offset

    def _mark(self, number: int, offset: int, tally: Tally) -> Mark:
        exact = tuple(place for place, scan in enumerate(self._scans) if scan in self._exact)
        done = [self._tallies[scan] for scan in self._scans[:number]]
        return Mark(number, offset, tuple([*done, tally] if offset else done), exact)

    def ordered_times(self) -> Iterator[pa.RecordBatch]:
        """Yield account, instant and count of all good rows, ordered by instant, then account.

        Returns
        -------
        Batches of `account_id`, `occurred_at` and, if the log has it, `n_requests`. The same rows as in the last
        call of `batches`.
        """
        columns = [column for column in _ORDERED if column in self.columns]
        self._verify(self._scans)
        cursor = self._session.cursor()
        made: list[str] = []
        # Tables, as a sort that takes in what is read from Parquet spills too late where it all but fits in memory.
        parts = [self._times_table(scan, columns, made) for scan in self._scans]
        names = ", ".join(columns)
        union = " UNION ALL ".join(f"SELECT {names} FROM {part}" for part in parts)
        schema = pa.schema([EVENTS.field(column) for column in columns])
        try:
            reader = cursor.sql(f"SELECT {names} FROM ({union}) ORDER BY occurred_at, account_id").to_arrow_reader(
                self._batch_rows
            )
            for batch in reader:
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        finally:
            for table in made:
                self._session.execute(f"DROP TABLE {table}")

    def summaries(self, columns: Sequence[str], work: Callable[[Iterable[pa.RecordBatch]], pa.Table]) -> pa.Table:
        """Let work see all batches, where they lie: here; gives its table."""
        return work(self.batches(columns))

    def counts(self) -> dict[str, int]:
        """Tell what was counted so far; see `tallies.counts_of`."""
        return counts_of(self._tallies.values())

    def identity(self) -> list[dict[str, Any]]:
        """Tell by what accounts were named, in the order asked for; nothing where the preset decided.

        Returns
        -------
        For each: `by`, the `columns` of the files that it was read from, none where no file has it, and `n_rows`.
        """
        named = []
        for place, rung in enumerate(self._account_by):
            columns = [column for scan in self._scans for column in scan.plan.rungs.get(rung, ())]
            n_rows = sum(tally.n_by_rung[place] for tally in self._tallies.values())
            named.append({"by": rung, "columns": list(dict.fromkeys(columns)), "n_rows": n_rows})
        return named

    def rejected(self) -> pa.Table:
        """List the rejected records, as `tables.REJECTED`, in file order."""
        return rejects_of(self._named_tallies)

    @property
    def _named_tallies(self) -> list[tuple[str, Tally]]:
        return [(scan.file.name, tally) for scan, tally in self._tallies.items()]

    def digests(self) -> dict[str, str]:
        """Wait for the SHA-256 of each file, as hexadecimal by file name.

        Raises
        ------
        InputChangedError
            A file is no longer what it was when the log was opened.
        """
        found = self._digests.finish()
        for file in self.files:
            check_unchanged(file)
        return found

    @property
    def scans(self) -> tuple[FileScan, ...]:
        """How each file is read."""
        return self._scans

    @property
    def is_exact(self) -> tuple[bool, ...]:
        """Tell of each file whether it has to be read the exact way, as far as that was found out."""
        return tuple(scan in self._exact for scan in self._scans)

    def close(self) -> None:
        """Give back everything; temporary files vanish."""
        self._resources.close()

    def _file_batches(
        self, scan: FileScan, columns: tuple[str, ...], begin: int, *, is_coded: bool = False
    ) -> Iterator[tuple[pa.RecordBatch, tuple[int, Tally] | None]]:
        note_file(scan.file.name)
        tally = self._tallies[scan] = self._tallies.get(scan, Tally())
        if scan not in self._exact:
            try:
                yield from scan.placed(columns, tally, begin, is_coded=is_coded)
            except SuspectError:
                self._exact.add(scan)
                if tally.n_read:
                    self._verify(self._scans)
                    raise Restart(f"{scan.file.name}: bad records found; begin again") from None
            except StillwatchError:
                check_unchanged(scan.file)
                raise
            else:
                self._verified.add(scan)
                return
        tally = self._tallies[scan] = Tally()
        place: tuple[int, Tally] | None = (0, Tally())
        try:
            for batch in scan.exact(columns, tally):
                yield batch, place
                place = None
        except StillwatchError:
            check_unchanged(scan.file)
            raise

    def _verify(self, scans: Sequence[FileScan]) -> None:
        """Find out which files need the exact way, without handing out rows."""
        for scan in scans:
            if scan in self._exact or scan in self._verified:
                continue
            (self._verified if scan.is_clean(self._read_columns) else self._exact).add(scan)

    def _times_table(self, scan: FileScan, columns: Sequence[str], made: list[str]) -> str:
        """Put the good rows of a file into a table; they are the ones that `batches` gave."""
        table = f"times_{len(made)}"
        if scan.file.kind == "parquet" and scan not in self._exact:
            self._session.execute(
                f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM ({scan.kept_sql(columns)})"
            )
            made.append(table)
            return table
        schema = pa.schema([EVENTS.field(column) for column in columns])
        self._session.register("times_batch", schema.empty_table())
        self._session.execute(f"CREATE TABLE {table} AS SELECT * FROM times_batch")
        made.append(table)
        way = scan.exact if scan in self._exact else scan.fast
        for batch in way(self._read_columns, Tally()):
            self._session.register("times_batch", pa.Table.from_batches([batch]).select(columns))
            self._session.execute(f"INSERT INTO {table} SELECT * FROM times_batch")
        self._session.unregister("times_batch")
        return table

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema([EVENTS.field(column) for column in self.columns])

    def _head(self, scan: FileScan, n_rows: int, tally: Tally) -> pa.RecordBatch | None:
        """The first good rows of a file, or none where it cannot be read."""
        try:
            if scan not in self._exact:
                with suppress(SuspectError):
                    batch = scan.head(self.columns, n_rows, tally)
                    return None if batch is None else pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)
            return next((batch.slice(0, n_rows) for batch in scan.exact(self.columns, tally)), None)
        except StillwatchError:
            return None

    def _check(self) -> None:
        """Refuse a log that says too little of itself."""
        names = [file.name for file in self.files]
        check_tallies(self._named_tallies, files=names, preset=self.format_name, max_rejects=self._max_rejects)
