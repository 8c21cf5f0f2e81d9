"""The default engine: a log read by an embedded database on one machine."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from glob import has_magic
from pathlib import Path
from typing import BinaryIO

import duckdb

from detector.engines.log import Log, Restart
from detector.engines.pieces import Stage
from detector.engines.relations import parquet_relation
from detector.engines.scans import FileScan
from detector.engines.sessions import lock_session, open_session
from detector.errors import AmbiguousColumnError, ConfigError
from detector.logs.fields import Clock
from detector.logs.formats import Format, check_columns, check_zone, choose_format, load_format
from detector.logs.headers import Header, check_distinct, read_csv_header, read_jsonl_header
from detector.logs.mapping import Mapper, Plan
from detector.logs.quoting import quote_name, quote_text
from detector.logs.sources import LogFile, distinct, find_paths, inspect_file, unreadable
from detector.logs.spool import STDIN_NAME, descriptor_path, spool_stream
from detector.settings import InputSettings

__all__ = ["EmbeddedEngine", "Log", "Restart"]

_STDIN = "-"
#: What a reading thread holds of a Parquet file, in row groups; 2.6 was measured where a column is one page.
_GROUPS_PER_THREAD = 3
#: What a reading thread holds of a text file; 90 MB were measured with documents of 60 kB.
_TEXT_BYTES_PER_THREAD = 96 << 20


class EmbeddedEngine:
    """Opens logs.

    Parameters
    ----------
    settings: how logs are read.

    Raises
    ------
    ConfigError
        A mapped column is no canonical column, or the time zone is unknown.
    """

    def __init__(self, settings: InputSettings) -> None:
        """Check the settings that only a reader can check."""
        check_columns(settings.map, where="--map")
        if settings.timezone is not None:
            try:
                check_zone(settings.timezone)
            except ValueError as error:
                raise ConfigError(f"--timezone: {error}") from error
        self._settings = settings

    def open(self, patterns: Sequence[str], *, scratch: Path | None = None) -> Log:
        """Find the files, recognise their format and prepare the reading; no row is read yet.

        Parameters
        ----------
        patterns: paths, globs, folders, or ``-`` for standard input.
        scratch: where temporary files may lie; none is the system's place.

        Raises
        ------
        InputUnreadableError
            A file is missing, of no known kind, or damaged at its beginning.
        MissingColumnError, AmbiguousColumnError, WrongTypeError, NaiveTimestampError
            The columns do not make a log.
        EmptyInputError
            A file holds nothing.
        """
        with ExitStack() as resources:
            folder = Path(tempfile.mkdtemp(prefix="stillwatch-", dir=scratch))
            resources.callback(shutil.rmtree, folder, ignore_errors=True)
            files = self._files(patterns, folder, resources)
            n_threads = self._settings.n_threads
            session = open_session(folder, memory=self._settings.memory, threads=n_threads)
            resources.callback(session.close)
            paths = [_database_path(file, resources) for file in files]
            n_fitting = max(1, min(n_threads, _bytes(self._settings.memory) // _TEXT_BYTES_PER_THREAD))
            has_text = any(file.kind != "parquet" for file in files)
            stages = tuple(Stage(folder) for _ in range(n_fitting if has_text else 0))
            for stage in stages:
                resources.callback(stage.close)
            form, reason, scans = self._scans(session, files, paths, stages)
            session.execute(f"SET threads = {self._fitting_threads(session, scans, n_threads)}")
            lock_session(session, [*paths, *(stage.path for stage in stages)], folder)
            return Log(
                scans, session=session, form=form, reason=reason, settings=self._settings, resources=resources.pop_all()
            )

    def _files(self, patterns: Sequence[str], folder: Path, resources: ExitStack) -> list[LogFile]:
        files = []
        named = [(path, path) for pattern in patterns if pattern != _STDIN for path in find_paths(pattern)]
        if _STDIN in patterns:
            files.append(self._spooled(sys.stdin.buffer, STDIN_NAME, folder, resources))
        for name, path in distinct(named):
            if Path(path).is_fifo():
                with Path(path).open("rb") as stream:
                    files.append(self._spooled(stream, name, folder, resources))
            else:
                files.append(inspect_file(name, str(Path(path).absolute())))
        return files

    def _spooled(self, stream: BinaryIO, name: str, folder: Path, resources: ExitStack) -> LogFile:
        file, handle = spool_stream(stream, folder, name=name)
        resources.enter_context(handle)
        return file

    def _scans(
        self,
        session: duckdb.DuckDBPyConnection,
        files: Sequence[LogFile],
        paths: Sequence[str],
        stages: tuple[Stage, ...],
    ) -> tuple[Format, str, list[FileScan]]:
        named = None if self._settings.format == "auto" else load_format(self._settings.format)
        delimiter = named.delimiter if named else ","
        headers = [_header(session, file, path, delimiter) for file, path in zip(files, paths, strict=True)]
        form, reason = choose_format(self._settings.format, [header.names for header in headers])
        _check_truncation(session, form)
        clock = Clock(self._settings.timezone or form.timezone, form.time_unit)
        mapper = Mapper(form, self._settings.map, clock, self._settings.text)
        scans = []
        for file, path, header in zip(files, paths, headers, strict=True):
            physical = _physical(file, header)
            plan = mapper.plan(file, header, physical)
            _check_keys(file, plan)
            scans.append(
                FileScan(session, file, path, header, physical, plan, form.delimiter, self._settings.batch_rows, stages)
            )
        return form, reason, scans

    def _fitting_threads(self, session: duckdb.DuckDBPyConnection, scans: Sequence[FileScan], wanted: int) -> int:
        """Lower the number of threads where what they hold would not fit in memory side by side."""
        limit = _bytes(self._settings.memory)
        return max(1, min([wanted, *(limit // _thread_bytes(session, scan) for scan in scans)]))


def _check_truncation(session: duckdb.DuckDBPyConnection, form: Format) -> None:
    if form.truncation is None:
        return
    try:
        session.execute(f"SELECT regexp_matches('', {quote_text(form.truncation)})").fetchall()
    except duckdb.Error:
        raise ConfigError(
            f"{form.name}: truncation = {form.truncation!r} is not a pattern the reader knows; write it in RE2 syntax"
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


def _physical(file: LogFile, header: Header) -> tuple[str, ...]:
    """Name the columns in queries: CSV columns by position, so that no header can disturb a query."""
    if file.kind == "csv":
        return tuple(f"c{position}" for position in range(len(header.names)))
    return tuple(map(quote_name, header.names))


def _check_keys(file: LogFile, plan: Plan) -> None:
    """Refuse keys that differ by case only; the database takes them for one."""
    if file.kind == "csv":
        return
    seen: dict[str, str] = {}
    for name in plan.sources(tuple(plan.places)):
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            raise AmbiguousColumnError(
                f"{file.name}: columns {twin!r} and {name!r} differ by case only; name others with --map"
            )


def _database_path(file: LogFile, resources: ExitStack) -> str:
    """A path the database takes as it is; one that looks like a glob is opened and passed by its descriptor."""
    if not has_magic(file.path):
        return file.path
    handle = resources.enter_context(Path(file.path).open("rb"))  # noqa: SIM115
    return descriptor_path(handle.fileno())


def _thread_bytes(session: duckdb.DuckDBPyConnection, scan: FileScan) -> int:
    """Estimate what a thread that reads a file holds."""
    if scan.file.kind != "parquet":
        return _TEXT_BYTES_PER_THREAD
    roots = ", ".join(quote_text(name) for name in scan.plan.sources(tuple(scan.plan.places)))
    size = (
        f"SELECT sum(total_uncompressed_size) AS size FROM parquet_metadata({quote_text(scan.path)})"
        f" WHERE split_part(path_in_schema, ', ', 1) IN ({roots}) GROUP BY row_group_id"
    )
    found = session.execute(f"SELECT max(size) FROM ({size})").fetchall()
    return _GROUPS_PER_THREAD * int(found[0][0] or 0) + 1


def _bytes(memory: str) -> int:
    """Read a size such as 512MB.

    Examples
    --------
    >>> _bytes("1.5 GB")
    1500000000
    """
    number, unit = memory[:-2], memory[-2:]
    return int(float(number) * {"MB": 10**6, "GB": 10**9}[unit])
