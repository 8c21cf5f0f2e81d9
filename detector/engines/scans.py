"""One file as batches: the fast way through the database's own reader, or the exact way record by record.

Both end in the same query, so a value does not depend on the way it was read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from detector.engines.chunks import ExactReader, Tally
from detector.engines.relations import csv_relation, json_relation, padded_csv_relation, parquet_relation
from detector.errors import InputUnreadableError, NaiveTimestampError
from detector.logs.faults import describe_fault, is_naive
from detector.logs.headers import Header
from detector.logs.mapping import FAULT, LINE, TRUNCATED, Plan
from detector.logs.quoting import quote_name
from detector.logs.sources import LogFile
from detector.tables import EVENTS

#: Marks rows that the fast reader may have understood too kindly.
_EDGE = "_edge"
#: What the fast reader makes of these constants, which are not JSON; a text may read the same.
_CONSTANTS = "('NaN', 'Infinity', '-Infinity')"
#: chosen: far more columns than any log; the database plans such queries slowly, the exact reader does not care.
_MAX_WIDTH = 2000


#: A query that is wrong is our fault, not that of the log.
_WRONG_QUERIES = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)


class SuspectError(Exception):
    """The fast way found something wrong; the file has to be read the exact way."""


@dataclass(frozen=True, eq=False)
class FileScan:
    """Reads one file.

    Attributes
    ----------
    path: where the database opens the file.
    physical: what its columns are called in queries.
    """

    session: duckdb.DuckDBPyConnection
    file: LogFile
    path: str
    header: Header
    physical: tuple[str, ...]
    plan: Plan
    delimiter: str
    batch_rows: int

    @property
    def needs_exact(self) -> bool:
        """Whether the fast way is known not to work on this file."""
        return self.file.kind == "csv" and (self.header.n_lines > 1 or len(self.physical) > _MAX_WIDTH)

    def fast_sql(self, columns: Sequence[str]) -> str:
        """Write the query of the fast way: canonical columns, truncation mark and fault number."""
        if self.file.kind == "csv":
            relation = csv_relation(self.path, self.file, self.physical, self.delimiter)
            source = f"(SELECT *, {self.physical[-1]} IS NULL AS {_EDGE} FROM {relation})"
            return self.plan.select(source, columns, passed=[_EDGE])
        if self.file.kind == "jsonl":
            keys = self.plan.sources(columns)
            names = self.plan.sources(["account_id"])
            edge = " OR ".join(f"coalesce({quote_name(name)} IN {_CONSTANTS}, false)" for name in names)
            source = f"(SELECT *, {edge} AS {_EDGE} FROM {json_relation(self.path, self.file, keys)})"
            return self.plan.select(source, columns, passed=[_EDGE])
        return self.plan.select(parquet_relation(self.path), columns)

    def fast(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.RecordBatch]:
        """Yield batches of canonical columns.

        Raises
        ------
        SuspectError
            A record is not as it should be; what was yielded before holds no such record.
        """
        has_edge = False
        with self._guarded():
            for batch in self._query(self.fast_sql(columns)):
                if pc.any(pc.greater(batch.column(FAULT), 0)).as_py():
                    raise SuspectError
                has_edge = has_edge or (self.file.kind != "parquet" and pc.any(batch.column(_EDGE)).as_py())
                tally.n_read += batch.num_rows
                tally.n_truncated += pc.sum(batch.column(TRUNCATED)).as_py() or 0
                yield from self._slices(batch, columns)
            self._check_end(tally.n_read, has_edge=has_edge)

    def head(self, columns: Sequence[str], n_rows: int) -> pa.RecordBatch | None:
        """Give the first rows, or none if there is none.

        Raises
        ------
        SuspectError
            One of them, or one read along with them, is not as it should be.
        """
        with self._guarded():
            sql = f"SELECT * FROM ({self.fast_sql(columns)}) LIMIT {n_rows}"
            table = self.session.cursor().sql(sql).to_arrow_table().combine_chunks()
            if pc.any(pc.greater(table.column(FAULT), 0)).as_py():
                raise SuspectError
        return next(iter(table.select(columns).to_batches()), None)

    def is_clean(self, columns: Sequence[str]) -> bool:
        """Tell whether the fast way would find nothing wrong, without handing out rows."""
        edge = f"coalesce(bool_or({_EDGE}), false)" if self.file.kind != "parquet" else "false"
        sql = f"SELECT count(*) FILTER ({FAULT} > 0), count(*), {edge} FROM ({self.fast_sql(columns)})"
        try:
            with self._guarded():
                n_faulty, n_rows, has_edge = self.session.cursor().execute(sql).fetchall()[0]
                self._check_end(n_rows, has_edge=has_edge)
        except SuspectError:
            return False
        return bool(n_faulty == 0)

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
            faults = table.column(FAULT)
            self._set_aside(table.filter(pc.greater(faults, 0)), tally)
            good = table.filter(pc.equal(faults, 0)).combine_chunks()
            tally.n_read += good.num_rows
            tally.n_truncated += pc.sum(good.column(TRUNCATED)).as_py() or 0
            for batch in good.to_batches():
                yield from self._slices(batch, columns)
        tally.rejected.sort()

    def _exact_tables(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        if self.file.kind != "parquet":
            reader = ExactReader(
                self.session, self.file, self.header, self.physical, self.plan, self.delimiter, self.batch_rows
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

    def _set_aside(self, bad: pa.Table, tally: Tally) -> None:
        lines, numbers = bad.column(LINE).to_pylist(), bad.column(FAULT).to_pylist()
        tally.rejected += [(line, describe_fault(number)) for line, number in zip(lines, numbers, strict=True)]

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
                    "give --set input.memory=2GB, or --set input.threads=1"
                ) from None
            if self.file.kind == "parquet":
                raise InputUnreadableError(
                    f"{self.file.name}: it is not a whole Parquet file, or a text in it is not UTF-8; write it anew"
                ) from None
            if is_exact:
                raise InputUnreadableError(f"{self.file.name}: it cannot be read; write it anew") from None
            raise SuspectError from None

    def _check_end(self, n_rows: int, *, has_edge: bool) -> None:
        """Doubt what the fast reader is known to pass over.

        In CSV an empty field too many, in JSON a bare NaN for an account, in both a file without rows.
        """
        if self.file.kind == "parquet":
            return
        if n_rows == 0 or (has_edge and (self.file.kind == "jsonl" or self._is_ragged(n_rows))):
            raise SuspectError

    def _is_ragged(self, n_rows: int) -> bool:
        last, surplus = self.physical[-1], f"c{len(self.physical)}"
        relation = padded_csv_relation(self.path, self.file, (*self.physical, surplus), self.delimiter)
        sql = f"SELECT count(*), count(*) FILTER ({last} IS NULL OR {surplus} IS NOT NULL) FROM {relation}"
        return bool(self.session.cursor().execute(sql).fetchall()[0] != (n_rows, 0))
