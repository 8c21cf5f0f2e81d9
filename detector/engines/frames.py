"""Rows that an engine hands over as Arrow batches, read by the same query as those of a file of typed columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from detector.engines.scans import FileScan
from detector.engines.tallies import Tally
from detector.logs.mapping import LINE

#: Where Spark and others put the text of a record that they could not read.
CORRUPT = "_corrupt_record"
_ROWS = "handed_over"


@dataclass(frozen=True, eq=False)
class FrameScan(FileScan):
    """Reads batches that come from elsewhere; a bad row is set aside under its number.

    Attributes
    ----------
    source: batches with the columns that the plan needs, and the corrupt record where there is one.
    first_line: number of the first row.
    """

    source: Iterable[pa.RecordBatch] = ()
    first_line: int = 0

    @property
    def needs_exact(self) -> bool:
        """Whether rows are judged one by one: always, at no cost, as they lie in memory."""
        return True

    @property
    def _has_edges(self) -> bool:
        """Whether records have edges: what they were before somebody read them is not known."""
        return False

    def fed(self, batches: Iterable[pa.RecordBatch], first_line: int = 0) -> "FrameScan":
        """Give the scan of some batches."""
        return replace(self, source=batches, first_line=first_line)

    def _exact_tables(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        sql, line = self.plan.select(_ROWS, columns, passed=[LINE]), self.first_line
        for batch in self.source:
            rows = pa.Table.from_batches([batch])
            lines = pa.array(np.arange(line, line + rows.num_rows))
            line += rows.num_rows
            rows = self._without_corrupt(rows.append_column(LINE, lines), tally)
            cursor = self.session.cursor()
            cursor.register(_ROWS, rows)
            try:
                with self._guarded():
                    yield cursor.sql(sql).to_arrow_table()
            finally:
                cursor.close()

    @staticmethod
    def _without_corrupt(rows: pa.Table, tally: Tally) -> pa.Table:
        if CORRUPT not in rows.column_names:
            return rows
        is_corrupt = rows[CORRUPT].is_valid()
        for line in rows.filter(is_corrupt)[LINE].to_pylist():
            tally.reject(line, "the record cannot be read")
        return rows.filter(rows[CORRUPT].is_null()).drop_columns([CORRUPT])
