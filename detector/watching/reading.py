"""From unread bytes to batches of canonical events: a run of whole records at a time, by the reader of whole logs."""

import json
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from detector.engines.embedded import EmbeddedEngine
from detector.engines.log import Log, Restart
from detector.engines.marks import Mark
from detector.engines.pieces import Stage, count_byte
from detector.engines.scans import FileScan, SuspectError
from detector.engines.sessions import lock_session, open_session
from detector.engines.tallies import Tally
from detector.errors import EmptyInputError, InputUnreadableError, StillwatchError
from detector.leftovers import scratch_folder
from detector.logs.formats import AUTO, choose_line_format
from detector.logs.headers import read_csv_header
from detector.logs.objects import ObjectReader
from detector.logs.presets import Format
from detector.logs.resync import MAX_RECORD_BYTES
from detector.logs.sources import LogFile, inspect_file
from detector.profiles.store import columns_read
from detector.settings import FollowSettings
from detector.tables import EVENTS, REQUIRED
from detector.watching.cutting import firm_end, line_end, record_end
from detector.watching.supply import Supply
from detector.watching.tails import MARK_BYTES, STDIN_NAME, Tail, read_part, stamp_of

#: Objects from which the keys of JSON lines are taken, as of a whole log; see `headers.read_jsonl_header`.
_SAMPLED = 2000
#: Looked into first for what a file is and for its header, before all that is at hand.
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Prototype:
    """How files with one header are read."""

    scan: FileScan
    form: Format
    reason: str


@dataclass
class Piece:
    """What was read of a file at once.

    Attributes
    ----------
    batches: of canonical events.
    tally: what was counted.
    way: how it was read.
    is_last: nothing more can be read of the file now.
    is_stuck: whole lines are left that make no whole record.
    """

    batches: list[pa.RecordBatch] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    way: Prototype | None = None
    is_last: bool = False
    is_stuck: bool = False


class PieceReader:
    """Reads pieces of the files of a log that grows; to be closed.

    Parameters
    ----------
    settings: as of whole logs.
    """

    def __init__(self, settings: FollowSettings) -> None:
        self._settings = settings
        # What a look makes of bad rows is decided over the whole log, not piece by piece.
        self._lenient = settings.input.model_copy(update={"max_rejects": 1.0})
        self._engine = EmbeddedEngine(self._lenient)
        self._prototypes: dict[tuple[str, str, str], Prototype] = {}
        self._resources = ExitStack()
        folder = self._resources.enter_context(scratch_folder())
        self._stages = [Stage(folder) for _ in range(1 + settings.input.n_threads)]
        for stage in self._stages:
            self._resources.callback(stage.close)
        self._whole = self._stages[0]
        self._session = open_session(folder, memory=settings.input.memory, threads=1)
        self._resources.callback(self._session.close)
        lock_session(self._session, [stage.path for stage in self._stages], folder)

    def close(self) -> None:
        """Give back everything."""
        self._resources.close()

    def read(self, tail: Tail, supply: Supply | None, *, forced: bool = False) -> Piece:
        """Read the next piece of a file, and move its tail on.

        Parameters
        ----------
        supply: unread bytes of it; none for a Parquet file.
        forced: what is at hand is read even though its last record does not look whole.

        Raises
        ------
        StillwatchError
            The file cannot be read as a log; its tail is as it was.
        FileNotFoundError
            Another file has come to its name, or it was cut, while it was read; its tail is as it was.
        """
        if supply is None:
            return self._parquet(tail)
        before = tail.kind, tail.form, tail.header, tail.n_sampled
        data, is_final = supply.window(self._settings.watch.piece_bytes)
        is_full = len(data) >= self._settings.watch.piece_bytes
        if not data:
            return Piece(is_last=True)
        if tail.is_skipping:
            return self._skipped(tail, supply, data, is_full=is_full)
        try:
            if not tail.kind:
                tail.kind = self._kind(tail, data)
            piece, end = self._text(tail, data, is_final=is_final, forced=forced or is_full)
        except StillwatchError:
            tail.kind, tail.form, tail.header, tail.n_sampled = before
            raise
        if not end and is_full:
            return self._too_long(tail, supply, data)
        if tail.name != STDIN_NAME and not _is_still_there(tail, end):
            raise FileNotFoundError(tail.name)
        if end:
            _advance(tail, supply, data, end)
        piece.is_last = not end or (not is_full and not forced)
        piece.is_stuck = bool(tail.header) and end < len(data) and data.endswith(b"\n")
        return piece

    def _kind(self, tail: Tail, data: bytes) -> str:
        """Tell what text is by its beginning, as of a file."""
        head = data[:_HEAD_BYTES]
        self._whole.fill(memoryview(head))
        file = inspect_file(tail.name, self._whole.path)
        if file.compression != "none" or file.kind == "parquet":
            raise InputUnreadableError(f"{tail.name}: only plain text can be followed there; unpack it on the way")
        line = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
        lined = choose_line_format(self._settings.input.format, [line]) if file.kind == "csv" else None
        if lined:
            tail.form = lined[0].name
            return "lines"
        return file.kind

    def _text(self, tail: Tail, data: bytes, *, is_final: bool, forced: bool) -> tuple[Piece, int]:
        """Read the whole records of some bytes; gives the piece and how many bytes they were."""
        if tail.kind != "csv":
            end = len(data) if is_final else line_end(data)
            return (self._records(tail, data, end) if end else Piece()), end
        if not self._has_header(tail, data, is_final=is_final):
            return Piece(), 0
        scan, begin = self._prototype(tail).scan, len(tail.header.encode()) if tail.offset == 0 else 0
        ending = scan.header.ending
        if is_final:
            return self._records(tail, data, len(data)), len(data)
        end = record_end(data, ending, begin=begin)
        if end <= begin and forced:
            end = line_end(data, ending)
        if end <= begin:
            return Piece(), 0
        piece = self._records(tail, data, end)
        if piece.tally.rejected:
            firm = firm_end(data[begin:end], len(scan.header.names), scan.delimiter, ending)
            if begin + firm < end and (firm or not forced):
                end = begin + firm if firm else 0
                piece = self._records(tail, data, end) if end else Piece()
        return piece, end

    def _has_header(self, tail: Tail, data: bytes, *, is_final: bool) -> bool:
        """Tell whether the CSV header of a file is known, after a look into its first bytes."""
        sizes = (_HEAD_BYTES, len(data)) if tail.offset == 0 and not tail.header else ()
        for head in (data[:size] for size in sizes):
            is_all = is_final and len(head) == len(data)
            if is_all or record_end(head.replace(b"\r", b"\n")):
                self._whole.fill(memoryview(head))
                n_bytes = read_csv_header(LogFile(tail.name, self._whole.path, "csv", "none", len(head)), ",").n_bytes
                # A header ends where something comes after it.
                tail.header = head[:n_bytes].decode() if n_bytes < len(head) or is_all else ""
            if tail.header:
                break
        return bool(tail.header)

    def _records(self, tail: Tail, data: bytes, end: int) -> Piece:
        """Read the whole records that some bytes begin with."""
        if tail.kind == "jsonl":
            self._sample_keys(tail, data, end)
            if not tail.header:
                return Piece(tally=self._no_objects(data[:end], tail))
        prototype = self._prototype(tail)
        n_header = len(tail.header.encode()) if tail.kind == "csv" and tail.offset == 0 else 0
        if end == n_header:
            return Piece()
        batches, tally = self._rows(prototype, tail, memoryview(data)[n_header:end], tail.offset + n_header)
        first = tail.n_lines + data.count(b"\n", 0, n_header)
        tally.rejected = [(line + first, reason) for line, reason in tally.rejected]
        return Piece(batches, tally, prototype)

    def _rows(
        self, prototype: Prototype, tail: Tail, data: memoryview, begin: int
    ) -> tuple[list[pa.RecordBatch], Tally]:
        """Read records that begin at a place in their file: there, the fast way, or else from a copy, one by one."""
        places, kind = prototype.scan.plan.places, prototype.scan.file.kind
        columns = columns_read(name for name in EVENTS.names if name in places or name in REQUIRED)
        scan = replace(
            prototype.scan,
            session=self._session,
            header=replace(prototype.scan.header, n_bytes=0, n_lines=0),
            stages=tuple(self._stages[1:]),
        )
        with ExitStack() as resources:
            if kind != "lines" and tail.compression == "none" and tail.name != STDIN_NAME:
                file, tally = LogFile(tail.name, tail.name, kind, "none", begin + len(data)), Tally()
                with suppress(SuspectError):
                    there = replace(scan, file=file, span=(begin, begin + len(data)))
                    return list(there.fast(columns, tally)), tally
            self._whole.fill(data)
            file = LogFile(tail.name, self._whole.path, kind, "none", len(data))
            log = Log(
                [replace(scan, file=file)],
                session=self._session,
                form=prototype.form,
                reason="",
                settings=self._lenient,
                resources=resources,
            )
            with suppress(Restart):
                return list(log.rows(columns)), log.tallies[0]
            return list(log.rows(columns)), log.tallies[0]

    def _sample_keys(self, tail: Tail, data: bytes, end: int) -> None:
        """Take the keys of a file from its first objects, however many pieces they come in."""
        if tail.n_sampled >= _SAMPLED:
            return
        names = dict.fromkeys(json.loads(tail.header)) if tail.header else {}
        chunks = (data[at : min(at + _HEAD_BYTES, end)] for at in range(0, end, _HEAD_BYTES))
        good = (line.text for line in ObjectReader(chunks, ()) if line.reason is None)
        for text in islice(good, _SAMPLED - tail.n_sampled):
            names.update(dict.fromkeys(json.loads(text, parse_int=str, parse_float=str)))
            tail.n_sampled += 1
        tail.header = json.dumps(list(names)) if names else ""

    def _no_objects(self, data: bytes, tail: Tail) -> Tally:
        """Set aside lines that come before the first object of a file."""
        tally, reader = Tally(), ObjectReader([data], ())
        for line in reader:
            tally.reject(tail.n_lines + line.line, line.reason or "")
        tally.n_blank = reader.n_blank
        return tally

    def _prototype(self, tail: Tail) -> Prototype:
        """Find out how a file is read, from its header alone."""
        key = (tail.kind, tail.header, tail.form)
        if key not in self._prototypes:
            engine, text, stage = self._engine, tail.header, self._whole
            if tail.kind == "jsonl":
                text = json.dumps(dict.fromkeys(json.loads(tail.header)))
            elif tail.kind == "lines" and self._settings.input.format == AUTO:
                engine = EmbeddedEngine(self._lenient.model_copy(update={"format": tail.form}))
            # Something must come after a header for its end to be known.
            stage.fill(memoryview((text + ("\n" if tail.kind == "jsonl" else "x\n")).encode()))
            try:
                with engine.open([stage.path]) as log:
                    self._prototypes[key] = Prototype(log.scans[0], log.format, log.format_reason)
            except StillwatchError as error:
                raise type(error)(str(error).replace(stage.path, tail.name)) from None
        return self._prototypes[key]

    def _skipped(self, tail: Tail, supply: Supply, data: bytes, *, is_full: bool) -> Piece:
        end = data.find(b"\n") + 1
        tail.is_skipping = not end
        _advance(tail, supply, data, end or len(data))
        return Piece(is_last=not is_full and not end)

    def _too_long(self, tail: Tail, supply: Supply, data: bytes) -> Piece:
        """Set aside a line that does not end where the longest allowed would, and pass over the rest of it."""
        tally = Tally()
        tally.reject(tail.n_lines + 1, f"the record is longer than {MAX_RECORD_BYTES >> 20} MiB")
        tail.is_skipping = True
        _advance(tail, supply, data, len(data))
        return Piece(tally=tally)

    def _parquet(self, tail: Tail) -> Piece:
        """Read some rows of a Parquet file, which is whole or not there."""
        piece, begin, n_bytes = Piece(is_last=True), tail.offset, 0
        stamp = stamp_of(tail.name)
        with self._engine.open([tail.name]) as log:
            scan, columns = log.scans[0], columns_read(log.columns)
            piece.way = Prototype(scan, log.format, log.format_reason)
            if begin == 0:
                tail.is_exact = not scan.is_clean([name for name in log.columns if name in columns or name in REQUIRED])
            since = Mark(0, begin, (Tally(),), (0,) if tail.is_exact else ())
            try:
                for batch, mark in log.marked(columns, since=since):
                    if mark and n_bytes > self._settings.watch.piece_bytes:
                        at = mark()
                        tail.offset, piece.tally, piece.is_last = at.offset, at.tallies[0], False
                        break
                    piece.batches.append(batch)
                    n_bytes += batch.nbytes
            except EmptyInputError:
                pass
            if piece.is_last:
                piece.tally = log.tallies[0]
        if piece.is_last:
            tail.offset += piece.tally.n_read + len(piece.tally.rejected)
        size = Path(tail.name).stat().st_size
        for place in (0, max(0, size - MARK_BYTES)):
            tail.mark(place, data := read_part(tail.name, "none", place, MARK_BYTES), len(data))
        if stamp != stamp_of(tail.name):
            raise InputUnreadableError(f"{tail.name}: it changed while it was read")
        return piece


def _advance(tail: Tail, supply: Supply, data: bytes, end: int) -> None:
    tail.mark(tail.offset, data, end)
    tail.offset += end
    tail.n_lines += count_byte(memoryview(data)[:end], ord("\n"))
    supply.drop(end)


def _is_still_there(tail: Tail, n_read: int) -> bool:
    """Tell whether a file goes by its name, and what was read of it is in it."""
    stamp = stamp_of(tail.name)
    return stamp[:2] == tail.identity and (tail.compression != "none" or stamp[2] >= tail.offset + n_read)
