"""One file as batches: the fast way through the database's own reader, or the exact way record by record.

Both end in the same query, so a value does not depend on the way it was read.
"""

import math
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from detector.engines import pieces
from detector.engines.chunks import ExactReader
from detector.engines.coded import NotCodedError, as_stored, coded_batches
from detector.engines.pieces import Stage, UnendingRecordError, cut, side_by_side, without_returns
from detector.engines.relations import (
    Dialect,
    csv_relation,
    json_relation,
    padded_csv_relation,
    parquet_relation,
    parquet_rows_relation,
)
from detector.engines.tallies import Tally
from detector.errors import InputUnreadableError, NaiveTimestampError
from detector.logs.faults import describe_fault, is_naive, is_twice
from detector.logs.headers import Header
from detector.logs.mapping import FAULT, KEPT, LINE, RUNG, TRUNCATED, Plan
from detector.logs.quoting import quote_name, quote_text
from detector.logs.resync import MAX_RECORD_BYTES
from detector.logs.sources import LogFile, read_chunks
from detector.tables import EVENTS

#: Marks rows that the fast reader may have understood too kindly.
_EDGE = "_edge"
#: Marks the record of ours behind each piece of CSV. At the end of a piece the database drops what stands in a quote
#: that was never closed, and says nothing; where it does, that record is lost, too.
_END = "_end"
#: What the fast reader makes of these constants, which are not JSON; a text may read the same.
_CONSTANTS = "('NaN', 'Infinity', '-Infinity')"
#: chosen: far more columns than any log; the database plans such queries slowly, the exact reader does not care.
_MAX_WIDTH = 2000


#: A query that is wrong is our fault, not that of the log.
_WRONG_QUERIES = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)

T = TypeVar("T", pa.RecordBatch, pa.Table)


class SuspectError(Exception):
    """The fast way found something wrong; the file has to be read the exact way."""


@dataclass(frozen=True, eq=False)
class FileScan:
    """Reads one file.

    Attributes
    ----------
    path: where the database opens the file.
    physical: what its columns are called in queries.
    stages: where pieces of text files are offered to the database; as many as are parsed at once.
    pattern: of a line, for a file of plain lines.
    span: first and last row (of Parquet) or byte (of text, whole records) that the fast way reads; none is the file.
    """

    session: duckdb.DuckDBPyConnection
    file: LogFile
    path: str
    header: Header
    physical: tuple[str, ...]
    plan: Plan
    delimiter: str
    batch_rows: int
    stages: tuple[Stage, ...] = ()
    pattern: str = ""
    span: tuple[int, int] | None = None

    @property
    def needs_exact(self) -> bool:
        """Whether the fast way is known not to work on this file."""
        return self.file.kind == "lines" or (
            self.file.kind == "csv" and (self.header.n_lines > 1 or len(self.physical) > _MAX_WIDTH)
        )

    @cached_property
    def n_places(self) -> float:
        """Give the place at which the file ends, counted as those of `placed`; infinite where nobody knows."""
        if self.file.kind != "parquet":
            return float(self.file.n_bytes) if self.file.compression == "none" else math.inf
        with self._guarded():
            found = self.session.cursor().execute(
                f"SELECT num_rows FROM parquet_file_metadata({quote_text(self.path)})"
            )
            return float(found.fetchall()[0][0])

    def rows_sql(self, columns: Sequence[str], begin: int = 0) -> str:
        """Write the query that gives a Parquet file's canonical columns, truncation mark and fault number.

        Row groups that end before row `begin` are passed over unread.
        """
        relation = (
            parquet_rows_relation(self.path, *self.span) if self.span else parquet_relation(self.path, begin=begin)
        )
        return self.plan.select(relation, columns)

    def kept_sql(self, columns: Sequence[str]) -> str:
        """Write the query that gives those rows of a Parquet file that are requests."""
        return self.rows_sql(columns) + (f" WHERE {KEPT}" if self.plan.keep else "")

    def fast(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.RecordBatch]:
        """Yield batches of canonical columns; see `placed`."""
        for batch, _ in self.placed(columns, tally):
            yield batch

    def placed(
        self, columns: Sequence[str], tally: Tally, begin: int = 0, *, is_coded: bool = False
    ) -> Iterator[tuple[pa.RecordBatch, tuple[int, Tally] | None]]:
        """Yield batches of canonical columns, each with the place before it, where that is one to go on from.

        Parameters
        ----------
        begin: such a place: bytes of whole records after the header, or rows of a Parquet file.
        is_coded: columns of text may come as dictionaries, and batches be larger than was asked for.

        Returns
        -------
        Batches; places, each with what had been counted up to there.

        Raises
        ------
        SuspectError
            A record is not as it should be; what was yielded before holds no such record.
        """
        if is_coded and not self._is_text and begin == 0:
            try:
                for batch in coded_batches(self.path, as_stored(self.plan), columns, self.batch_rows):
                    before = tally.n_read, tally.copy()
                    tally.n_read += batch.num_rows
                    yield batch, before
                return
            except NotCodedError:
                if tally.n_read:
                    raise SuspectError from None
        with self._guarded():
            for batch, place in self._text(columns, begin) if self._is_text else self._rows(columns, begin):
                if pc.max(batch.column(FAULT)).as_py():
                    raise SuspectError
                since = None if place is None else (place, tally.copy())
                batch = self._kept(batch, tally)
                tally.n_read += batch.num_rows
                self._count(batch, tally)
                for part in self._slices(batch, columns):
                    yield part, since
                    since = None
            if self._is_text and tally.n_read + tally.n_passed_over == 0:
                raise SuspectError

    @property
    def _has_edges(self) -> bool:
        """Whether no text of a record can pass for another record, as a line can in CSV."""
        return self.file.kind in ("parquet", "jsonl")

    @property
    def _is_text(self) -> bool:
        return self.file.kind != "parquet"

    def _rows(self, columns: Sequence[str], begin: int) -> Iterator[tuple[pa.RecordBatch, int | None]]:
        """The batches of a Parquet file; where a row holds many, none but its beginning is a place to go on from."""
        place = begin
        for batch in self._query(self.rows_sql(columns, begin)):
            yield batch, None if self.plan.steps.has_rows and place else place
            place += batch.num_rows

    def head(self, columns: Sequence[str], n_rows: int, tally: Tally) -> pa.RecordBatch | None:
        """Give the first rows, or none if there is none; the tally counts those of them that were cut.

        Raises
        ------
        SuspectError
            One of them, or one read along with them, is not as it should be.
        """
        with self._guarded():
            if self.file.kind == "parquet":
                sql = f"SELECT * FROM ({self.kept_sql(columns)}) LIMIT {n_rows}"
                batch = next(self._query(sql), None)
            else:
                batch, _ = next(self._text(columns, size=pieces.HEAD_BYTES), (None, 0))
            if batch is None:
                return None
            batch = self._kept(batch, Tally()).slice(0, n_rows)
            if pc.max(batch.column(FAULT)).as_py():
                raise SuspectError
            self._count(batch, tally)
        return batch.select(columns)

    @property
    def _dialect(self) -> Dialect:
        return Dialect(self.physical, self.delimiter)

    def _text(
        self, columns: Sequence[str], begin: int = 0, *, size: int | None = None
    ) -> Iterator[tuple[pa.RecordBatch, int | None]]:
        """The batches of a text file, a piece each, with the bytes before it."""
        is_csv = self.file.kind == "csv"
        first, end = self.span or (0, self.file.n_bytes)
        limit = end - first if self.span else None
        chunks = read_chunks(self.file.name, self.file.path, self.file.compression, begin=first, limit=limit)
        steps = self.plan.steps
        usual = pieces.DOCUMENTS_BYTES if steps.has_documents else pieces.PIECE_BYTES
        size = pieces.ROWS_BYTES if steps.has_rows else size or usual
        skip = (self.header.n_bytes if is_csv and first == 0 else 0) + begin
        places = deque([begin])

        def counted(cuts: Iterator[memoryview]) -> Iterator[memoryview]:
            for piece in cuts:
                places.append(places[-1] + len(piece))
                yield piece

        cuts = counted(cut(chunks, skip=skip, longest=MAX_RECORD_BYTES, size=size, is_quoted=is_csv))
        fed = map(without_returns, cuts) if self.header.has_return else cuts
        mark = secrets.token_hex() if is_csv else ""
        last_record = (self.delimiter.join([mark] * len(self.physical)) + "\n").encode() if is_csv else b""

        def parse(path: str, piece: memoryview) -> pa.Table:
            if not is_csv and pieces.is_lenient_json(piece):
                raise SuspectError
            cursor = self.session.cursor()
            try:
                table = cursor.sql(self._piece_sql(columns, path, mark)).to_arrow_table()
                if is_csv and not (table.num_rows and table.column(_END)[-1].as_py()):
                    raise SuspectError
                is_odd = pc.any(table.column(_EDGE)).as_py()
                if is_odd and (not is_csv or self._is_ragged(cursor, path, table.num_rows)):
                    raise SuspectError
                return table.slice(0, table.num_rows - is_csv)
            finally:
                cursor.close()

        try:
            for table in side_by_side(fed, self.stages, parse, last_record=last_record):
                place: int | None = places.popleft()
                for batch in table.combine_chunks().to_batches():
                    yield batch, place
                    place = None
        except UnendingRecordError:
            raise SuspectError from None

    def _piece_sql(self, columns: Sequence[str], path: str, mark: str) -> str:
        if self.file.kind == "csv":
            last = self.physical[-1]
            edge, relation = f"{last} IS NULL OR suffix({last}, chr(13))", csv_relation(path, self._dialect)
            flags = f"{edge} AS {_EDGE}, coalesce({last} = '{mark}', false) AS {_END}"
            return self.plan.select(f"(SELECT *, {flags} FROM {relation})", columns, passed=[_EDGE, _END])
        names = map(quote_name, self.plan.sources(["account_id"]))
        edge = " OR ".join(f"coalesce({name} IN {_CONSTANTS}, false)" for name in names)
        relation = json_relation(path, self.plan.sources(columns))
        return self.plan.select(f"(SELECT *, {edge} AS {_EDGE} FROM {relation})", columns, passed=[_EDGE])

    def is_clean(self, columns: Sequence[str]) -> bool:
        """Tell whether the fast way finds nothing wrong."""
        try:
            for _ in self.fast(columns, Tally()):
                pass
        except SuspectError:
            return False
        return True

    def exact(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.RecordBatch]:
        """Yield batches of canonical columns, setting aside each record that is not as it should be.

        Raises
        ------
        NaiveTimestampError
            Most timestamps of the first records carry no zone.
        InputUnreadableError
            The file is damaged beyond its records.
        """
        is_first = True
        for table in self._exact_tables(columns, tally):
            if is_first:
                self._check_zone(table)
            is_first = False
            table = self._kept(table, tally)
            faults = table.column(FAULT)
            self._set_aside(table.filter(pc.greater(faults, 0)), tally)
            good = table.filter(pc.equal(faults, 0)).combine_chunks()
            tally.n_read += good.num_rows
            self._count(good, tally)
            for batch in good.to_batches():
                yield from self._slices(batch, columns)
        tally.rejected.sort()

    def _exact_tables(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        if self.file.kind != "parquet":
            reader = ExactReader(
                self.session,
                self.file,
                self.header,
                self.physical,
                self.plan,
                self.delimiter,
                self.batch_rows,
                self.pattern,
            )
            with self._guarded(is_exact=True):
                yield from reader.tables(columns, tally)
            return
        source = f"(SELECT *, file_row_number + 1 AS {LINE} FROM {parquet_relation(self.path, numbered=True)})"
        with self._guarded():
            for batch in self._query(self.plan.select(source, columns, passed=[LINE])):
                yield pa.Table.from_batches([batch])

    def _check_zone(self, table: pa.Table) -> None:
        lines, numbers = table.column(LINE).to_pylist(), table.column(FAULT).to_pylist()
        naive = [line for line, number in zip(lines, numbers, strict=True) if is_naive(number)]
        if 2 * len(naive) > table.num_rows:
            raise NaiveTimestampError(
                f"{self.file.name}: line {naive[0]}: occurred_at carries no zone, as in most records of this file; "
                "say which it is with --timezone UTC"
            )

    def _count(self, rows: T, tally: Tally) -> None:
        """Count the rows of which a text had been cut, and, where it was asked, by what accounts are named."""
        tally.n_truncated += pc.sum(rows.column(TRUNCATED)).as_py() or 0
        if self.plan.rung:
            counted = pc.value_counts(rows.column(RUNG)).to_pylist()
            tally.n_by_rung.update({each["values"]: each["counts"] for each in counted})

    def _kept(self, rows: T, tally: Tally) -> T:
        """Pass over, and count, the rows that are no requests."""
        if self.plan.keep is None:
            return rows
        kept = rows.filter(rows.column(KEPT))
        tally.n_passed_over += rows.num_rows - kept.num_rows
        return kept

    def _set_aside(self, bad: pa.Table, tally: Tally) -> None:
        lines, numbers = bad.column(LINE).to_pylist(), bad.column(FAULT).to_pylist()
        for line, number in zip(lines, numbers, strict=True):
            tally.reject(line, describe_fault(number), is_whole=self._has_edges and not is_twice(number))

    def _slices(self, batch: pa.RecordBatch, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([EVENTS.field(column) for column in columns])
        whole = pa.RecordBatch.from_arrays([batch.column(column) for column in columns], schema=schema)
        for start in range(0, whole.num_rows, self.batch_rows):
            yield whole.slice(start, self.batch_rows)

    def _query(self, sql: str) -> Iterator[pa.RecordBatch]:
        reader = self.session.cursor().sql(sql).to_arrow_reader(self.batch_rows)
        try:
            yield from reader
        finally:
            reader.close()

    @contextmanager
    def _guarded(self, *, is_exact: bool = False) -> Iterator[None]:
        """Turn what the database raises into one sentence of ours; its own may quote the log."""
        try:
            yield
        except _WRONG_QUERIES:
            raise
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if "Out of Memory" in str(error)[:40]:
                raise InputUnreadableError(
                    f"{self.file.name}: reading it takes more than the reader may hold; "
                    "give --set input.memory=2GB, more with --memory where that is given, or --threads 1"
                ) from None
            if self.file.kind == "parquet":
                raise InputUnreadableError(
                    f"{self.file.name}: it is not a whole Parquet file, or a text in it is not UTF-8; write it anew"
                ) from None
            if is_exact:
                raise InputUnreadableError(f"{self.file.name}: it cannot be read; write it anew") from None
            raise SuspectError from None

    def _is_ragged(self, cursor: duckdb.DuckDBPyConnection, path: str, n_rows: int) -> bool:
        """Tell whether the strict reader was too kind to a piece: an empty field too many, another line end."""
        last, surplus = self.physical[-1], f"c{len(self.physical)}"
        relation = padded_csv_relation(path, self._dialect, surplus)
        odd = f"{last} IS NULL OR {surplus} IS NOT NULL OR suffix({last}, chr(13))"
        sql = f"SELECT count(*), count(*) FILTER ({odd}) FROM {relation}"
        return bool(cursor.execute(sql).fetchall()[0] != (n_rows, 0))
