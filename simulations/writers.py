"""Writing a log's tables into a file: Parquet, CSV or JSON lines, in canonical columns or in another tool's shape.

The bytes depend on the rows alone: row groups have a fixed size, whatever the chunks that come.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from simulations.columns import LEAN, OF_ACCOUNTS, whole
from simulations.shapes import SHAPES
from simulations.world import CHUNK_ROWS

LOG_FORMATS = ("parquet", "csv", "jsonl")
#: Columns that this generator never fills; text formats leave them out.
UNFILLED = (
    "tls_fingerprint", "completion", "reasoning_tokens", "n_requests",
)  # fmt: skip
#: Requests in a row group.
ROW_GROUP = CHUNK_ROWS
#: Columns whose values hardly ever repeat; a dictionary would only cost time.
NEVER_REPEATED = (
    "occurred_at",
    "request_id",
    "session_id",
    "prompt",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
)

Write = Callable[[pa.Table], None]


@contextmanager
def log_writer(path: Path, log_format: str, *, shape: str = "stillwatch") -> Iterator[Write]:
    """Open a log; what is yielded takes tables of `simulations.columns.LEAN` in order."""
    if log_format == "parquet" and shape == "stillwatch":
        with parquet_writer(path, LEAN) as write:
            yield write
        return

    def reshape(events: pa.Table) -> pa.Table:
        return SHAPES[shape](whole(events))

    if log_format == "parquet":
        with parquet_writer(path, reshape(LEAN.empty_table()).schema) as write:
            yield lambda events: write(reshape(events))
    elif log_format == "csv":
        with pyarrow.csv.CSVWriter(path, _texts(reshape(LEAN.empty_table())).schema) as table:
            yield lambda events: table.write_table(_texts(reshape(events)))
    else:
        with path.open("w", encoding="utf-8", newline="\n") as lines:
            yield lambda events: _write_json(reshape(events), lines)


@contextmanager
def daily_writer(folder: Path, log_format: str, *, shape: str = "stillwatch") -> Iterator[Write]:
    """Open a log with a file for each day, in UTC, named as partitions are: ``day=2026-03-02/events.parquet``.

    What is yielded takes tables of `simulations.columns.LEAN` in order of time.
    """
    day: np.datetime64 | None = None
    write: Write | None = None
    with ExitStack() as opened:

        def write_days(events: pa.Table) -> None:
            nonlocal day, write
            days = events["occurred_at"].to_numpy().astype("datetime64[D]")
            begins = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1), len(days)] if len(days) else []
            for begin, end in pairwise(begins):
                if write is None or days[begin] != day:
                    opened.close()
                    day = days[begin]
                    place = folder / f"day={day}"
                    place.mkdir(parents=True)
                    write = opened.enter_context(log_writer(place / f"events.{log_format}", log_format, shape=shape))
                write(_fresh(events[begin:end], events.schema) if len(begins) > 2 else events)

        yield write_days


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """Open a Parquet file with row groups of `ROW_GROUP` rows, however the rows come."""
    dictionary = [name for name in schema.names if name not in NEVER_REPEATED]
    options: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "use_dictionary": dictionary}
    options |= {"store_schema": False}  # dictionaries are read back as plain texts
    options |= {"write_statistics": [schema.names[0]]}  # of the instants; of ids they tell nothing and cost a fifth
    waiting: list[pa.Table] = []
    is_cut = False

    def flush(*, is_last: bool) -> None:
        nonlocal is_cut
        is_whole = len(waiting) == 1 and not is_cut and waiting[0].num_rows <= ROW_GROUP
        joined = pa.concat_tables(waiting).unify_dictionaries() if waiting else schema.empty_table()
        n = joined.num_rows if is_last else joined.num_rows - joined.num_rows % ROW_GROUP
        for begin in range(0, n, ROW_GROUP):
            group = joined if is_whole else _fresh(joined[begin : begin + ROW_GROUP], schema)
            file.write_table(group, row_group_size=ROW_GROUP)
        is_cut = n < joined.num_rows
        waiting[:] = [joined[n:]] if is_cut else []

    def write(table: pa.Table) -> None:
        waiting.append(table)
        if sum(part.num_rows for part in waiting) >= ROW_GROUP:
            flush(is_last=False)

    with pyarrow.parquet.ParquetWriter(path, schema, **options) as file:
        yield write
        flush(is_last=True)


def _fresh(group: pa.Table, schema: pa.Schema) -> pa.Table:
    """Number the words of an account's dictionaries anew, in order of appearance, as an undivided chunk has them."""
    for place, field in enumerate(schema):
        if pa.types.is_dictionary(field.type) and field.name in OF_ACCOUNTS:
            plain = group[field.name].cast(pa.string()).combine_chunks()
            group = group.set_column(place, field, plain.dictionary_encode().cast(field.type))
    return group.combine_chunks()


def _texts(events: pa.Table) -> pa.Table:
    """Spell instants as RFC 3339 and leave out what is never filled."""
    kept = events.drop_columns([name for name in UNFILLED if name in events.column_names])
    for place, field in enumerate(kept.schema):
        if pa.types.is_timestamp(field.type):
            spelled = pc.strftime(kept[field.name], format="%Y-%m-%dT%H:%M:%SZ")
            kept = kept.set_column(place, field.name, spelled)
    return kept


def _write_json(events: pa.Table, lines: Any) -> None:
    whole = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    rows = _texts(events).to_pandas(types_mapper=whole.get)
    lines.write(rows.to_json(orient="records", lines=True, double_precision=10))
