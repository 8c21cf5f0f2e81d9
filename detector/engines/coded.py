"""A Parquet file whose columns are the canonical ones as they stand: read without a query, its texts kept as codes.

Parquet stores a text that repeats once, and then its number in each row. Read so, an account is named and an address
hashed once per row group and not once per row, and no text is copied. This way only ever says yes or no to rows: where
a value is not as it should be, or the file is not as expected, the database reads it and says what is wrong.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.logs.kinds import kind_of
from detector.logs.mapping import Plan
from detector.logs.quoting import quote_name
from detector.tables import EVENTS, REQUIRED, TEXT_COLUMNS

#: Rows of a batch for each row that settings ask for. Chosen: without texts a row weighs a tenth, and the more rows of
#: an account come together, the less its profile is fetched from memory.
_MORE_ROWS = 4
#: Chosen: a code and a share of the dictionary take less; a text of a few letters takes more, with its length.
_CODE_BYTES = 5
#: Chosen: pages are read through a buffer of this size, so that a row group may be large.
_BUFFER_BYTES = 1 << 20
_EARLIEST, _LATEST = (int(np.datetime64(day, "us").astype(np.int64)) for day in ("1970-01-01", "2200-01-01"))


class NotCodedError(Exception):
    """The file, or a value in it, is not for this way of reading."""


def as_stored(plan: Plan) -> dict[str, str]:
    """Name the columns of a file that are canonical ones as they stand, but for empty texts, which are null.

    Returns
    -------
    Canonical column to column of the file; nothing where some rows are passed over, or it is counted who named the
    account.
    """
    found: dict[str, str] = {}
    if plan.keep or plan.rung:
        return found
    for column, place in plan.places.items():
        name = quote_name(place.sources[0])
        if place.is_direct and place.raw.sql in (name, f"nullif({name}, '')"):
            found[column] = place.sources[0]
    return found


def coded_batches(path: str, places: Mapping[str, str], columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of canonical columns, text columns as dictionaries.

    Parameters
    ----------
    places: canonical column to the file's column that is it as it stands.
    columns: canonical columns, none of them free text.
    rows: of a batch, about, as settings ask for them.

    Raises
    ------
    NotCodedError
        The database has to read the file. Rows may have been given before, none of them with a fault.
    """
    if not set(columns) <= set(places) - set(TEXT_COLUMNS):
        raise NotCodedError
    texts = [places[column] for column in columns if kind_of(column) == "text"]
    try:
        repeating = _repeating(pq.read_metadata(path), texts)
        with pq.ParquetFile(path, read_dictionary=repeating, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            _check_types(file.schema_arrow, places, columns)
            names = [places[column] for column in columns]
            for batch in file.iter_batches(_MORE_ROWS * rows, columns=names, use_threads=False):
                yield pa.RecordBatch.from_arrays([_checked(c, batch.column(places[c])) for c in columns], names=columns)
    except (pa.ArrowException, OSError, KeyError):
        raise NotCodedError from None


def _repeating(stored: pq.FileMetaData, columns: Sequence[str]) -> list[str]:
    """Name the columns that take so little room that texts repeat: a dictionary holds all of a row group's at once."""
    least: dict[str, bool] = {}
    for number in range(stored.num_row_groups):
        group = stored.row_group(number)
        limit = _CODE_BYTES * group.num_rows + _BUFFER_BYTES
        for place in range(group.num_columns):
            chunk = group.column(place)
            name = chunk.path_in_schema
            least[name] = least.get(name, True) and chunk.total_uncompressed_size <= limit
    return [column for column in columns if least.get(column)]


def _check_types(schema: pa.Schema, places: Mapping[str, str], columns: Sequence[str]) -> None:
    """Refuse types that would have to be converted in more than width."""
    for column in columns:
        kind, type_ = kind_of(column), schema.field(places[column]).type
        is_stored = {
            "text": pa.types.is_string(type_.value_type if pa.types.is_dictionary(type_) else type_),
            "instant": pa.types.is_timestamp(type_) and type_.unit == "us" and type_.tz is not None,
            "count": pa.types.is_signed_integer(type_),
            "number": pa.types.is_float64(type_),
        }
        if not is_stored.get(kind, False):
            raise NotCodedError


def _checked(column: str, values: pa.Array) -> pa.Array:
    """Give a column as its canonical type, or refuse it where a row would have a fault."""
    kind = kind_of(column)
    if kind == "text":
        values = _without_empty(values)
    elif kind == "instant":
        values = values.view(EVENTS.field(column).type)
    else:
        values = values.cast(EVENTS.field(column).type)
    is_wrong = column in REQUIRED and values.null_count > 0
    if column == "account_id":
        texts = values.dictionary if isinstance(values, pa.DictionaryArray) else values
        is_wrong |= pc.any(pc.match_substring(texts, "\0")).as_py() is True
    elif kind != "text" and values.null_count < len(values):
        bounds = pc.min_max(values)
        if kind == "instant":
            is_wrong |= bounds["min"].value < _EARLIEST or bounds["max"].value >= _LATEST
        elif kind == "count":
            is_wrong |= bounds["min"].as_py() < 0
        else:
            is_wrong |= not pc.all(pc.is_finite(values)).as_py() or (
                column != "temperature" and bounds["min"].as_py() < 0
            )
    if is_wrong:
        raise NotCodedError
    return values


def _without_empty(values: pa.Array) -> pa.Array:
    """Make rows of an empty text null; the texts are checked to be UTF-8."""
    texts = values.dictionary if isinstance(values, pa.DictionaryArray) else values
    texts.validate(full=True)
    empty = pc.index(texts, "").as_py()
    if empty < 0:
        return values
    if texts is values:
        return pc.if_else(pc.equal(values, ""), None, values)
    codes = values.indices
    return pa.DictionaryArray.from_arrays(pc.if_else(pc.equal(codes, empty), None, codes), texts)
