"""What follows FROM: one file as the database's own reader sees it. Dialects are given, never guessed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.logs.quoting import quote_name, quote_text
from detector.logs.resync import MAX_RECORD_BYTES

#: A null no log spells, where an empty value must stay apart from an absent one.
_NO_NULL = "stillwatch:absent:e3b0c44298fc1c149afbf4c8996fb924"
#: The reader's block; it must hold a record. Its own default takes ten times the memory and is no faster.
_BLOCK_BYTES = 2 * MAX_RECORD_BYTES


@dataclass(frozen=True)
class Dialect:
    """How a CSV piece is written; quotes are doubled inside quotes, and a line feed ends a record.

    The ending is given, since a guess would go by the first line end, which may lie inside a prompt.

    Attributes
    ----------
    columns: what its columns are called in queries.
    """

    columns: tuple[str, ...]
    delimiter: str


def csv_relation(path: str, dialect: Dialect) -> str:
    """Write the strict reading of a piece of CSV, which has no header; an empty value is null."""
    return f"read_csv({_csv_options(path, dialect)})"


def padded_csv_relation(path: str, dialect: Dialect, surplus: str) -> str:
    """Write a reading of a piece with one column more, in which an absent value is null and an empty one is not."""
    wider = replace(dialect, columns=(*dialect.columns, surplus))
    options = _csv_options(path, wider)
    return f"read_csv({options}, null_padding = true, nullstr = {quote_text(_NO_NULL)})"


def json_relation(path: str, keys: Sequence[str]) -> str:
    """Write the reading of some keys of a piece of JSON lines."""
    return (
        f"read_json({quote_text(path)}, format = 'newline_delimited', columns = {_columns(keys)}, auto_detect = false,"
        f" maximum_object_size = {MAX_RECORD_BYTES}, compression = 'none', hive_partitioning = false)"
    )


def parquet_relation(path: str, *, numbered: bool = False, begin: int = 0) -> str:
    """Write the reading of a Parquet file from row `begin` on, with `file_row_number` from 0 on demand."""
    if begin:
        return f"(FROM {parquet_relation(path, numbered=True)} WHERE file_row_number >= {begin})"
    return f"read_parquet({quote_text(path)}, hive_partitioning = false, file_row_number = {str(numbered).lower()})"


def parquet_rows_relation(path: str, begin: int, end: int) -> str:
    """Write the reading of some rows of a Parquet file; row groups without any of them are not read."""
    kept = f"file_row_number >= {begin} AND file_row_number < {end}"
    return f"(SELECT * FROM {parquet_relation(path, numbered=True)} WHERE {kept})"


def _csv_options(path: str, dialect: Dialect) -> str:
    return (
        f"{quote_text(path)}, columns = {_columns(dialect.columns)}, auto_detect = false,"
        f" header = false, delim = {quote_text(dialect.delimiter)}, quote = '\"', escape = '\"', strict_mode = true,"
        f" parallel = false, new_line = '\\n',"
        f" max_line_size = {MAX_RECORD_BYTES}, buffer_size = {_BLOCK_BYTES},"
        " compression = 'none', hive_partitioning = false"
    )


def _columns(names: Sequence[str]) -> str:
    return "{" + ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in names) + "}"


def transform_relation(source: str, text: str, keys: Sequence[str], passed: str) -> str:
    """Write the reading of some keys of JSON texts, with the same conversion as `json_relation`."""
    shape = "{" + ", ".join(f'"{_escaped(key)}": "VARCHAR"' for key in keys) + "}"
    values = ", ".join(f"object.{quote_name(key)} AS {quote_name(key)}" for key in keys)
    inner = f"SELECT json_transform(CAST({text} AS JSON), {quote_text(shape)}) AS object, {passed} FROM {source}"
    return f"(SELECT {values}, {passed} FROM ({inner}))"


def lines_relation(source: str, text: str, pattern: str, names: Sequence[str], passed: str) -> str:
    """Write the reading of plain lines: a column for each named group, null all where the pattern does not match."""
    groups = ", ".join(map(quote_text, names))
    found = f"regexp_extract({text}, {quote_text(pattern)}, [{groups}])"
    values = ", ".join(f"nullif(found[{quote_text(name)}], '') AS {quote_name(name)}" for name in names)
    return f"(SELECT {values}, {passed} FROM (SELECT {found} AS found, {passed} FROM {source}))"


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')
