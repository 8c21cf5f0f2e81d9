"""The exact way of reading text: records are checked one by one, then go through the query in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from detector.engines.headings import without_headers
from detector.engines.relations import lines_relation, transform_relation
from detector.engines.tallies import Tally
from detector.logs.headers import Header
from detector.logs.mapping import LINE, Plan
from detector.logs.objects import ObjectReader, read_lines
from detector.logs.resync import MAX_RECORD_BYTES, ResyncReader
from detector.logs.sources import LogFile, read_chunks, skip_bytes

_CHUNK = "exact_chunk"
_OBJECT = "object_text"
#: chosen: some megabytes of text at once, whatever a record weighs; parts of documents are held many times over.
_CHUNK_BYTES = 8 << 20

#: A query that is wrong is our fault, not that of a record.
OWN_FAULTS = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException, duckdb.OutOfMemoryException)

Row = tuple[int | str, ...]


@dataclass(frozen=True)
class ExactReader:
    """Reads a text file into tables of canonical columns, fault numbers and line numbers."""

    session: duckdb.DuckDBPyConnection
    file: LogFile
    header: Header
    physical: tuple[str, ...]
    plan: Plan
    delimiter: str
    chunk_rows: int
    pattern: str = ""

    def tables(self, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
        """Yield tables in file order; records that break the format are added to the tally."""
        sources = self.plan.sources(columns)
        if self.file.kind == "csv":
            names = [self.physical[self.header.names.index(source)] for source in sources]
            rows, relation = self._csv_rows(sources, tally), _CHUNK
        elif self.file.kind == "lines":
            names = [_OBJECT]
            rows, relation = self._lines(tally), lines_relation(_CHUNK, _OBJECT, self.pattern, self.header.names, LINE)
        else:
            names = [_OBJECT]
            rows, relation = self._json_rows(sources, tally), transform_relation(_CHUNK, _OBJECT, sources, LINE)
        sql = self.plan.select(relation, columns, passed=[LINE])
        for chunk in self._chunks(rows):
            yield from self._run(sql, chunk, [LINE, *names], tally)

    def _csv_rows(self, sources: Sequence[str], tally: Tally) -> Iterator[Row]:
        positions = [self.header.names.index(source) for source in sources]
        reader = ResyncReader(
            skip_bytes(read_chunks(self.file.name, self.file.path, self.file.compression), self.header.n_bytes),
            len(self.physical),
            delimiter=self.delimiter,
            line=1 + self.header.n_lines,
            ending=self.header.ending,
        )
        for record in without_headers(reader, self.header.names, tally):
            yield (record.line, *[record.fields[position] for position in positions])
        tally.n_blank, tally.n_recovered = reader.n_blank, reader.n_recovered

    def _json_rows(self, sources: Sequence[str], tally: Tally) -> Iterator[Row]:
        reader = ObjectReader(read_chunks(self.file.name, self.file.path, self.file.compression), sources)
        for line in reader:
            if line.reason is None:
                yield line.line, line.text
            else:
                tally.reject(line.line, line.reason, is_whole=line.is_whole)
        tally.n_blank = reader.n_blank

    def _lines(self, tally: Tally) -> Iterator[Row]:
        for number, line in enumerate(
            read_lines(read_chunks(self.file.name, self.file.path, self.file.compression)), 1
        ):
            text = line.rstrip(b"\r")
            if not text.strip():
                tally.n_blank += 1
            elif len(text) > MAX_RECORD_BYTES:
                tally.reject(number, f"the record is longer than {MAX_RECORD_BYTES >> 20} MiB")
            else:
                try:
                    yield number, text.decode()
                except UnicodeDecodeError:
                    tally.reject(number, "the record is not valid UTF-8")

    def _chunks(self, rows: Iterator[Row]) -> Iterator[list[Row]]:
        chunk: list[Row] = []
        n_bytes = 0
        for row in rows:
            chunk.append(row)
            n_bytes += sum(len(value) for value in row if isinstance(value, str))
            if len(chunk) >= self.chunk_rows or n_bytes >= _CHUNK_BYTES:
                yield chunk
                chunk, n_bytes = [], 0
        if chunk:
            yield chunk

    def _run(self, sql: str, rows: list[Row], names: list[str], tally: Tally) -> Iterator[pa.Table]:
        """Run the query over a chunk; where the database refuses it, halve it until the record is found."""
        types = [pa.int64()] + [pa.string()] * (len(names) - 1)
        arrays = [pa.array(values, type_) for values, type_ in zip(zip(*rows, strict=True), types, strict=True)]
        cursor = self.session.cursor()
        cursor.register(_CHUNK, pa.table(arrays, names=names))
        try:
            yield cursor.sql(sql).to_arrow_table()
        except OWN_FAULTS:
            raise
        except duckdb.Error:
            if len(rows) == 1:
                tally.reject(int(rows[0][0]), "the record cannot be read")
                return
            half = len(rows) // 2
            for part in (rows[:half], rows[half:]):
                yield from self._run(sql, part, names, tally)
        finally:
            cursor.close()
