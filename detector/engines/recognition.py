"""What the files of a log are: their columns, and the preset that reads them. No row is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from detector.engines.relations import parquet_relation
from detector.errors import ConfigError
from detector.logs.formats import AUTO, choose_format, choose_line_format, load_format
from detector.logs.headers import Header, check_distinct, read_csv_header, read_jsonl_header
from detector.logs.presets import Format
from detector.logs.quoting import quote_text
from detector.logs.sources import LogFile, read_head, unreadable


@dataclass(frozen=True)
class Recognised:
    """The preset of a log, and its files and their columns as that preset has them.

    Attributes
    ----------
    reason: why this preset, as a sentence.
    is_guess: no preset recognised the log.
    """

    form: Format
    reason: str
    is_guess: bool
    files: tuple[LogFile, ...]
    headers: tuple[Header, ...]


def recognise(
    session: duckdb.DuckDBPyConnection, files: Sequence[LogFile], paths: Sequence[str], name: str
) -> Recognised:
    """Pick the preset for a log and read the columns of its files.

    Parameters
    ----------
    paths: where the database opens each file.
    name: a preset, a TOML file, or ``auto``.

    Raises
    ------
    UnknownFormatError, InputUnreadableError
        See `choose_format`; or a file has no columns that could be read.
    ConfigError
        A pattern of the preset is not one that the reader knows.
    """
    texts = [file for file in files if file.kind == "csv"]
    lined = choose_line_format(name, [_first_line(file) for file in texts]) if len(texts) == len(files) else None
    if lined:
        form, reason = lined
        columns = form.line_columns
        headers = [Header(columns, ("VARCHAR",) * len(columns))] * len(files)
        files = [replace(file, kind="lines") for file in files]
    else:
        delimiter = load_format(name).delimiter if name != AUTO else ","
        headers = [_header(session, file, path, delimiter) for file, path in zip(files, paths, strict=True)]
        form, reason = choose_format(name, [header.names for header in headers])
    for pattern in (form.truncation, form.lines):
        _check_pattern(session, form, pattern)
    is_guess = name == AUTO and not lined and not all(set(header.names) >= set(form.detect) for header in headers)
    return Recognised(form, reason, is_guess, tuple(files), tuple(headers))


def _first_line(file: LogFile) -> str:
    head = read_head(file.name, file.path, file.compression)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")


def _check_pattern(session: duckdb.DuckDBPyConnection, form: Format, pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        session.execute(f"SELECT regexp_matches('', {quote_text(pattern)})").fetchall()
    except duckdb.Error:
        raise ConfigError(
            f"{form.name}: {pattern!r} is not a pattern the reader knows; write it in RE2 syntax"
        ) from None


def _header(session: duckdb.DuckDBPyConnection, file: LogFile, path: str, delimiter: str) -> Header:
    if file.kind == "csv":
        return read_csv_header(file, delimiter)
    if file.kind == "jsonl":
        return read_jsonl_header(file)
    try:
        found = session.sql(f"SELECT * FROM {parquet_relation(path)} LIMIT 0")
        names, types = tuple(found.columns), tuple(str(type_) for type_ in found.types)
        stored = session.execute(f"SELECT name, num_children FROM parquet_schema({quote_text(path)})").fetchall()
    except duckdb.Error:
        raise unreadable(file.name, "it is not a whole Parquet file") from None
    check_distinct(file.name, _top_names(stored))
    return Header(names, types)


def _top_names(stored: Sequence[tuple[str, int | None]]) -> tuple[str, ...]:
    """The columns as the file names them; the database would rename one that comes twice."""
    names, position = [], 1
    while position < len(stored):
        names.append(stored[position][0])
        left = 1
        while left and position < len(stored):
            left += (stored[position][1] or 0) - 1
            position += 1
    return tuple(names)
