"""The default engine: a log read by an embedded database on one machine."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb
import pyarrow as pa

from detector.engines.budget import Budget, bytes_of
from detector.engines.frames import FrameScan
from detector.engines.log import Log, Restart
from detector.engines.pieces import Stage
from detector.engines.recognition import recognise
from detector.engines.scans import FileScan
from detector.engines.sessions import lock_session, open_session
from detector.errors import AmbiguousColumnError, ConfigError, UnknownFormatError
from detector.hidden import SCRATCH
from detector.leftovers import find_leftovers, remove, scratch_folder
from detector.linkage.overlaps import Keep, Numbers, overlaps
from detector.logs.fields import Clock
from detector.logs.finder import Mapper
from detector.logs.formats import AUTO, all_skipped, check_mapped, choose_format, load_format
from detector.logs.headers import Header
from detector.logs.mapping import Plan
from detector.logs.pages import ColumnChunk, check_pages
from detector.logs.presets import Format, check_zone
from detector.logs.quoting import quote_name, quote_text
from detector.logs.sources import LogFile, distinct, find_paths, inspect_file, unreadable
from detector.logs.spool import STDIN_NAME, descriptor_path, spool_stream
from detector.process import give_memory_back
from detector.progress import Tell, silent
from detector.settings import InputSettings

if TYPE_CHECKING:
    from detector.keeping import Kept
    from detector.profiles.store import Profiles

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
    MemoryLimitError
        What the process may hold is less than any log takes.
    """

    def __init__(self, settings: InputSettings) -> None:
        """Check the settings that only a reader can check."""
        check_mapped(settings.map, where="--map")
        if settings.timezone is not None:
            try:
                check_zone(settings.timezone)
            except ValueError as error:
                raise ConfigError(f"--timezone: {error}") from error
        self._settings = settings
        self._budget = Budget.of(settings)
        self._memory_bytes = self._budget.reader(bytes_of(settings.memory))
        self._account_by = tuple(settings.account_by)

    def open(self, patterns: Sequence[str], *, scratch: Path | None = None) -> Log:
        """Find the files, recognise their format and prepare the reading; no row is read yet.

        Parameters
        ----------
        patterns: paths, globs, folders, or ``-`` for standard input.
        scratch: where temporary files may lie; none is the place that settings name, or else the system's.

        Raises
        ------
        InputUnreadableError
            A file is missing, of no known kind, or damaged at its beginning.
        MissingColumnError, AmbiguousColumnError, WrongTypeError, NaiveTimestampError
            The columns do not make a log.
        EmptyInputError
            A file holds nothing.
        ConfigError
            The place for temporary files is none.
        """
        with ExitStack() as resources:
            folder = resources.enter_context(scratch_folder(scratch or _spill_place(self._settings.temp)))
            files = self._files(patterns, folder, resources)
            n_threads = self._settings.n_threads
            session = open_session(folder, memory=self._memory, threads=n_threads)
            resources.callback(session.close)
            paths = [_database_path(file, resources) for file in files]
            n_fitting = max(1, min(n_threads, self._memory_bytes // _TEXT_BYTES_PER_THREAD))
            has_text = any(file.kind != "parquet" for file in files)
            stages = tuple(Stage(folder) for _ in range(n_fitting if has_text else 0))
            for stage in stages:
                resources.callback(stage.close)
            form, reason, scans = self._scans(session, files, paths, stages)
            self._check_left_out(patterns, form)
            self._memory_bytes = self._budget.reader(
                bytes_of(self._settings.memory), least=max(_thread_bytes(session, scan) for scan in scans)
            )
            session.execute(f"SET memory_limit = '{self._memory}'")
            session.execute(f"SET threads = {self._fitting_threads(session, scans, n_threads)}")
            lock_session(session, [*paths, *(stage.path for stage in stages)], folder)
            return Log(
                scans, session=session, form=form, reason=reason, settings=self._settings, resources=resources.pop_all()
            )

    def scan_of(self, name: str, schema: pa.Schema) -> tuple[FrameScan, Format, str]:
        """Prepare the reading of rows that an engine hands over; their columns are taken as those of Parquet.

        Returns
        -------
        The scan without session, the preset and why it is this one.

        Raises
        ------
        MissingColumnError, AmbiguousColumnError, WrongTypeError, NaiveTimestampError
            The columns do not make a log.
        """
        file, wanted = LogFile(name, "", "parquet", "none", 0), self._settings.format
        with scratch_folder() as folder:
            session = open_session(folder, memory=self._memory, threads=1)
            session.register("typed", schema.empty_table())
            found = session.sql("SELECT * FROM typed")
            header = Header(tuple(found.columns), tuple(str(type_) for type_ in found.types))
            session.close()
        form, reason = choose_format(wanted, [header.names])
        is_guess = wanted == AUTO and not set(header.names) >= set(form.detect)
        clock = Clock(self._settings.timezone or form.timezone, form.time_unit)
        physical = _physical(file, header)
        plan = Mapper(form, self._settings.map, clock, self._settings.text, is_guess, self._account_by).plan(
            file, header, physical
        )
        _check_keys(file, header, plan)
        scan = FrameScan(session, file, "", header, physical, plan, form.delimiter, self._settings.batch_rows)
        return scan, form, reason

    def attach(self, scans: Sequence[FileScan], form: Format, is_exact: Sequence[bool]) -> Log:
        """Open files anew whose reading was prepared elsewhere.

        Parameters
        ----------
        scans: of `Log.scans`, of this or another process; a span in one is kept.
        is_exact: which of them are known to hold bad records.
        """
        with ExitStack() as resources:
            folder = resources.enter_context(scratch_folder())
            session = open_session(folder, memory=self._memory, threads=1)
            resources.callback(session.close)
            stage = Stage(folder)
            resources.callback(stage.close)
            paths = [_database_path(scan.file, resources) for scan in scans]
            lock_session(session, [path for path in (*paths, stage.path) if path], folder)
            made = [
                replace(scan, session=session, path=path, stages=(stage,))
                for scan, path in zip(scans, paths, strict=True)
            ]
            return Log(
                made,
                session=session,
                form=form,
                reason="",
                settings=self._settings,
                resources=resources.pop_all(),
                is_exact=is_exact,
            )

    def fold(
        self, log: Log, *, wanted: tuple[str, ...] = (), tell: Tell = silent, kept: "Kept | None" = None
    ) -> "Profiles":
        """Read a log into profiles; see `reading.fold_log`."""
        from detector.keeping import keeper_of
        from detector.reading import fold_log

        keeper = keeper_of(kept, log, self._settings, wanted) if kept else None
        profiles = fold_log(
            log, threads=self._settings.n_threads, tell=tell, wanted=wanted, keeper=keeper, check=self._budget.check
        )
        if self._budget.limit is not None:
            give_memory_back()
        return profiles

    def pairs(
        self, columns: Any, rank: Numbers, least: int, keep: Keep | None = None, *, threads: int = 1
    ) -> tuple[Numbers, Numbers]:
        """Find the pairs of rows that share columns; see `overlaps.overlaps`."""
        return overlaps(columns, rank, least, keep, threads=threads)

    def _files(self, patterns: Sequence[str], folder: Path, resources: ExitStack) -> list[LogFile]:
        files = []
        skip = load_format(self._settings.format).skip if self._settings.format != AUTO else all_skipped()
        named = [(path, path) for pattern in patterns if pattern != _STDIN for path in find_paths(pattern, skip)]
        if _STDIN in patterns:
            files.append(self._spooled(sys.stdin.buffer, STDIN_NAME, folder, resources))
        for name, path in distinct(named):
            if Path(path).is_fifo():
                with Path(path).open("rb") as stream:
                    files.append(self._spooled(stream, name, folder, resources))
            else:
                files.append(inspect_file(name, str(Path(path).absolute())))
        return files

    def _check_left_out(self, patterns: Sequence[str], form: Format) -> None:
        """Refuse to leave out files as parts of a format that the log is not in."""
        if self._settings.format != AUTO or form.skip:
            return
        found = {path for pattern in patterns if pattern != _STDIN for path in find_paths(pattern)}
        left_out = found.difference(*(find_paths(pattern, all_skipped()) for pattern in patterns if pattern != _STDIN))
        if left_out:
            raise UnknownFormatError(
                f"{min(left_out)}: looks like no part of a log, though the log reads as {form.name}; "
                f"say which it is, as in --format {form.name}"
            )

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
        found = recognise(session, files, paths, self._settings.format)
        form, pattern = found.form, found.form.lines or ""
        clock = Clock(self._settings.timezone or form.timezone, form.time_unit)
        mapper = Mapper(form, self._settings.map, clock, self._settings.text, found.is_guess, self._account_by)
        scans = []
        for file, path, header in zip(found.files, paths, found.headers, strict=True):
            physical = _physical(file, header)
            plan = mapper.plan(file, header, physical)
            _check_keys(file, header, plan)
            _check_pages(session, file, path, plan)
            scans.append(
                FileScan(
                    session,
                    file,
                    path,
                    header,
                    physical,
                    plan,
                    form.delimiter,
                    self._batch_rows(session, file, path, plan),
                    stages,
                    pattern,
                )
            )
        return form, found.reason, scans

    def _fitting_threads(self, session: duckdb.DuckDBPyConnection, scans: Sequence[FileScan], wanted: int) -> int:
        """Lower the number of threads where what they hold would not fit in memory side by side."""
        return max(1, min([wanted, *(self._memory_bytes // _thread_bytes(session, scan) for scan in scans)]))

    @property
    def _memory(self) -> str:
        """What the reader may hold, as the database reads it."""
        return f"{self._memory_bytes // 10**6}MB"

    def _batch_rows(self, session: duckdb.DuckDBPyConnection, file: LogFile, path: str, plan: Plan) -> int:
        """Lower the rows of a batch where they would not fit beside profiles; of text files, pieces are bounded."""
        wanted = self._settings.batch_rows
        if self._budget.limit is None or file.kind != "parquet":
            return wanted
        n_rows, n_bytes = _largest_group(session, path, plan)
        return self._budget.batch_rows(wanted, n_bytes / max(n_rows, 1))


def _physical(file: LogFile, header: Header) -> tuple[str, ...]:
    """Name the columns in queries: CSV columns by position, so that no header can disturb a query."""
    if file.kind == "csv":
        return tuple(f"c{position}" for position in range(len(header.names)))
    return tuple(map(quote_name, header.names))


def _check_keys(file: LogFile, header: Header, plan: Plan) -> None:
    """Refuse columns that are read and differ by case or blanks only; the database takes some for one.

    Whose requests they are must be beyond doubt, so a column of accounts may have no such twin, read or not.
    """
    seen: dict[str, str] = {}
    owners = {name.strip().casefold() for name in plan.sources(["account_id"])}
    others = [name for name in header.names if name.strip().casefold() in owners and file.kind != "jsonl"]
    for name in (*plan.sources(tuple(plan.places)), *others):
        twin = seen.setdefault(name.strip().casefold(), name)
        if twin != name:
            raise AmbiguousColumnError(
                f"{file.name}: columns {twin!r} and {name!r} differ by case or blanks only; rename one of them"
            )


def _check_pages(session: duckdb.DuckDBPyConnection, file: LogFile, path: str, plan: Plan) -> None:
    """Refuse a Parquet file of which a page that will be read is not as its writer left it."""
    if file.kind != "parquet":
        return
    sql = (
        "SELECT path_in_schema, least(data_page_offset, nullif(dictionary_page_offset, 0)), total_compressed_size,"
        f" total_uncompressed_size, num_values FROM parquet_metadata({quote_text(path)})"
        f" WHERE row_group_num_rows > 0 AND split_part(path_in_schema, ', ', 1) IN ({_roots(plan)})"
    )
    try:
        stored = session.execute(sql).fetchall()
    except duckdb.Error:
        raise unreadable(file.name, "its footer is damaged") from None
    if any(None in chunk for chunk in stored):
        raise unreadable(file.name, "its footer does not say where its columns are")
    check_pages(file.name, file.path, [ColumnChunk(*chunk) for chunk in stored])


def _roots(plan: Plan) -> str:
    return ", ".join(quote_text(name) for name in plan.sources(tuple(plan.places)))


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
    return _GROUPS_PER_THREAD * _largest_group(session, scan.path, scan.plan)[1] + 1


def _largest_group(session: duckdb.DuckDBPyConnection, path: str, plan: Plan) -> tuple[int, int]:
    """Give the rows of the row group of a Parquet file that is largest unpacked, and its bytes."""
    sizes = (
        "SELECT any_value(row_group_num_rows) AS n, sum(total_uncompressed_size) AS size"
        f" FROM parquet_metadata({quote_text(path)})"
        f" WHERE split_part(path_in_schema, ', ', 1) IN ({_roots(plan)}) GROUP BY row_group_id"
    )
    found = session.execute(f"{sizes} ORDER BY size DESC NULLS LAST LIMIT 1").fetchall()
    return (int(found[0][0] or 0), int(found[0][1] or 0)) if found else (0, 0)


def _spill_place(folder: str | None) -> Path | None:
    """Check the place for temporary files, and clear what killed runs left there."""
    if folder is None:
        return None
    place = Path(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise ConfigError(f"--temp {folder}: is no folder that can be written to; make it, or name another")
    for path in find_leftovers(place, SCRATCH):
        remove(path)
    return place
