"""The order of a watch: read what came, look, commit, tell. A kill costs what was read since the last commit.

Reading is at least once, its effect exactly once: offsets, profiles, and what was told are one generation of the state.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector import __version__
from detector.errors import EmptyInputError, StateError, StillwatchError
from detector.logs.formats import AUTO, all_skipped, load_format
from detector.profiles.state import SCHEMA
from detector.profiles.store import Profiles
from detector.results import Results
from detector.settings import FollowSettings
from detector.watching.counts import Counts, WatchedLog
from detector.watching.folding import Folded
from detector.watching.generations import Generation, Store
from detector.watching.look import Looker
from detector.watching.outputs import looks_written, write_outputs
from detector.watching.reading import Piece, PieceReader
from detector.watching.supply import FileSupply, StreamSupply, Supply, UnfoldedSupply
from detector.watching.tails import STDIN, STDIN_NAME, Tail, Tails, stamp_of, tails_of
from detector.watching.told import FILE, Told

#: Settings that decide what a log says; a state of others is not gone on with.
_DECIDING = {"format", "map", "account_by", "timezone", "text"}
#: Chosen: a folder is looked at so often, unless looks are closer [s].
_POLL_S = 1.0


@dataclass(frozen=True)
class Place:
    """What a watch reads and where it writes.

    Attributes
    ----------
    patterns: files, globs, folders, or ``-`` for standard input.
    state: folder of its state.
    out: folder of what it finds.
    accounts: files of what is known of accounts.
    allow: file of the accounts under contract.
    """

    patterns: Sequence[str]
    state: Path
    out: Path
    accounts: Sequence[Path] = ()
    allow: Path | None = None


@dataclass
class Watch:
    """A log that is followed.

    Attributes
    ----------
    say: takes a line for people.
    stop: when it is set, the watch keeps what it has and ends.
    on_look: sees what each look found.
    """

    place: Place
    settings: FollowSettings
    say: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    on_look: Callable[[Results], None] = lambda _: None
    _is_once: bool = False

    def __post_init__(self) -> None:
        """Take up the last generation of the state, or begin; see the errors of `Store`, `Told` and `Tails`."""
        place, settings = self.place, self.settings
        skip = load_format(settings.input.format).skip if settings.input.format != AUTO else all_skipped()
        self.tails = Tails(place.patterns, skip, self.say)
        self.tails.check()
        self._looker = Looker(settings, place.accounts, place.allow)
        self._about = {
            "stillwatch": __version__,
            "schema": SCHEMA,
            "settings": settings.input.model_dump(mode="json", include=_DECIDING),
            "wanted": sorted(self._looker.wanted),
        }
        self._store = Store(place.state)
        self._store.open()
        self.counts, self.told, self.n_unlooked, self.n_looks = Counts(), Told(place.out / FILE), 0, 0
        threads = settings.input.n_threads
        self.folded = Folded(Profiles(("occurred_at", "account_id"), threads=threads, wanted=self._looker.wanted))
        self._take_up(self._store.load(threads=threads))
        #: A watch that ended between a commit and its outputs left those of the look before.
        self._is_told = looks_written(place.out) == self.n_looks
        self._store.clear()
        self._reader = PieceReader(settings)
        self._supplies: dict[str, Supply] = {}
        self._stuck: dict[str, float] = {}
        self._troubles: dict[str, str] = {}
        self._kept: dict[str, Any] = {}
        self._refusal = ""

    def run(self, *, once: bool) -> None:
        """Follow the log until it is told to stop; or, `once`, take what is there.

        Raises
        ------
        StillwatchError
            The log cannot be read at all, or the state not be written.
        """
        self._is_once = once
        every_s, due = self.settings.watch.every_s, time.monotonic() + self.settings.watch.every_s
        try:
            while not self.stop.is_set():
                is_more = self._read_until(due)
                is_end = not is_more and self._is_over(once=once)
                began = time.monotonic()
                if not self.stop.is_set() and (is_end or began >= due or not every_s):
                    self._force_stuck(is_end=is_end)
                    if self.n_unlooked or not self._is_told:
                        self._look(is_caught_up=not is_more, once=is_end)
                    # At most half of the time goes into looking.
                    due = began + max(every_s, 2 * (time.monotonic() - began))
                if is_end:
                    break
                if not is_more:
                    self._wait(due)
            self._commit(b"")
        finally:
            self._reader.close()

    def _is_over(self, *, once: bool) -> bool:
        """Tell whether nothing more is to be waited for."""
        if STDIN not in self.place.patterns:
            return once
        return self._stream().is_ended and (once or set(self.place.patterns) == {STDIN})

    def _take_up(self, found: tuple[Generation, Folded] | None) -> None:
        if found is None:
            return
        generation, folded = found
        if generation.about != self._about:
            raise StateError(
                f"{self.place.state}: is of a watch with other settings of reading, another detector or another "
                "version; give those, or begin anew with another --state and --out"
            )
        note, self.folded = generation.note, folded
        self.tails.known = tails_of(note["tails"])
        self.counts, self.n_unlooked = Counts.from_json(note["counts"]), note["n_unlooked"]
        self.n_looks = note["n_looks"]
        told = note["told"]
        self.told.actions, self.told.n_bytes, self.told.sha256 = told["actions"], told["n_bytes"], told["sha256"]
        self.told.go_on(generation.findings)

    def _read_until(self, due: float) -> bool:
        """Read and fold until a look is due; tells whether there is more at hand."""
        news = self._news()
        while news:
            tail = news[0]
            stamp = stamp_of(tail.name)
            if self._read(tail):
                tail.stamp = stamp if stamp[:2] == tail.identity else ()
                news = news[1:]
            is_due = time.monotonic() >= due or (not self.settings.watch.every_s and self.n_unlooked)
            if self.stop.is_set() or is_due:
                return bool(news)
        return False

    def _news(self) -> list[Tail]:
        news = self.tails.poll()
        if STDIN in self.place.patterns:
            stream = self._stream()
            if not stream.is_ended:
                news.append(self.tails.known[STDIN_NAME])
        return news

    def _read(self, tail: Tail, *, forced: bool = False) -> bool:
        """Read and fold a piece; tells whether nothing more can be read of the file now."""
        try:
            supply = self._supply(tail)
            piece = self._reader.read(tail, supply, forced=forced)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._waits_for(tail, f"{tail.name}: cannot be read ({error.strerror})")
            # It is looked at anew at the next poll.
            tail.identity = (0, 0)
            return True
        except StillwatchError as error:
            self._refused(tail, error)
            return True
        self._troubles.pop(tail.name, None)
        if isinstance(supply, UnfoldedSupply) and supply.trouble:
            self._waits_for(tail, supply.trouble)
        self._take_in(tail, piece)
        return piece.is_last

    def _take_in(self, tail: Tail, piece: Piece) -> None:
        """Fold and count a piece."""
        self.n_unlooked += self.folded.fold(piece.batches) + len(piece.tally.rejected)
        if len(self.folded.held) > self.settings.watch.held_rows:
            self.folded.release(None, self.settings.watch.held_rows // 2)
        self.counts.add(tail.name, piece.tally)
        if piece.way is not None:
            self.counts.add_way(piece.way.form, piece.way.reason, piece.way.scan.plan.rungs)
        if piece.is_stuck:
            self._stuck.setdefault(tail.name, time.monotonic())
        else:
            self._stuck.pop(tail.name, None)
        if piece.is_last and tail.name != STDIN_NAME:
            self._supplies.pop(tail.name, None)

    def _refused(self, tail: Tail, error: StillwatchError) -> None:
        """Wait for a file of which nothing could be read yet; set another aside.

        Raises
        ------
        StillwatchError
            No file could be read so far, and this one is not one that may still be written as a whole.
        """
        self._supplies.pop(tail.name, None)
        if not self.counts.presets and (tail.kind != "parquet" or self._is_once):
            raise error
        if tail.marks and tail.kind != "parquet":
            self.tails.set_aside(tail, str(error))
        else:
            self._waits_for(tail, str(error))

    def _waits_for(self, tail: Tail, why: str) -> None:
        if self._troubles.get(tail.name) != why:
            self.say(f"{why}; it is tried again when it changes, and nobody is recommended for revocation until then")
        self._troubles[tail.name] = why

    def _supply(self, tail: Tail) -> Supply | None:
        """Give the unread bytes of a file; none for a Parquet file."""
        if tail.name == STDIN_NAME:
            return self._stream()
        if not tail.kind and _is_parquet(tail.name):
            tail.kind = "parquet"
        if tail.kind == "parquet":
            return None
        if tail.compression == "none":
            return FileSupply(tail)
        held = self._supplies.get(tail.name)
        if not isinstance(held, UnfoldedSupply) or held.tail is not tail:
            held = self._supplies[tail.name] = UnfoldedSupply(tail)
        return held

    def _stream(self) -> StreamSupply:
        """Give standard input; one that begins as the last one did is that one, given again."""
        held = self._supplies.get(STDIN_NAME)
        if isinstance(held, StreamSupply):
            return held
        stream = self._supplies[STDIN_NAME] = StreamSupply(0, 2 * self.settings.watch.piece_bytes)
        known = self.tails.known.get(STDIN_NAME)
        if known is None or not stream.passes(known):
            self.tails.known[STDIN_NAME] = Tail(STDIN_NAME)
        else:
            self.say(f"{STDIN_NAME} begins as before, so what was read of it is passed over")
        return stream

    def _force_stuck(self, *, is_end: bool) -> None:
        """Read lines that have made no whole record for as long as a cadence: a quotation mark is missing."""
        before = time.monotonic() - self.settings.watch.every_s
        for name in [name for name, since in self._stuck.items() if is_end or since <= before]:
            del self._stuck[name]
            tail = self.tails.known.get(name)
            while tail is not None and tail.status == "open" and not self._read(tail, forced=True):
                pass

    def _look(self, *, is_caught_up: bool, once: bool) -> None:
        """Judge, commit, tell. Where that cannot be, say why and go on; or, at the end of `once`, fail."""
        watch = self.settings.watch
        self.folded.advance(time.time_ns() // 1000)
        try:
            self.counts.check(self.settings.input.max_rejects)
            if not len(self.folded.profiles):
                raise EmptyInputError("nothing that was read is a request; give a log with a row per request")
            results = self._looker.look(self.log, self.folded)
        except StillwatchError as error:
            self._commit(b"")
            if once:
                raise
            if self._refusal != type(error).__name__:
                self.say(str(error))
            self._refusal = type(error).__name__
            return
        self._refusal = ""
        lines = self.told.new(results)
        self.told.count(results)
        self.folded.release(round(watch.late_s * 1e6) if is_caught_up else None, watch.held_rows)
        for account in self.folded.forget(watch.idle_days):
            self.told.actions.pop(account, None)
        self.n_unlooked, self.n_looks = 0, self.n_looks + 1
        self._commit(lines)
        write_outputs(results, self.status(), self.place.out)
        self._is_told = True
        self.on_look(results)

    @property
    def log(self) -> WatchedLog:
        """The log so far."""
        tails = list(self.tails.known.values())
        columns = self.folded.profiles.columns
        is_whole = not self.tails.aside and not self._troubles
        return WatchedLog(tails, columns, self.counts, self.settings.input.account_by, is_whole)

    def status(self) -> dict[str, Any]:
        """Say what the watch has done, in plain JSON values."""
        tails = self.tails.known.values()
        return {
            "generation": self._store.number,
            "n_looks": self.n_looks,
            "n_accounts_known": len(self.folded.profiles),
            "n_files": len(tails),
            "files_set_aside": {tail.name: tail.why for tail in self.tails.aside},
            "files_waited_for": dict(self._troubles),
            "n_waiting_instants": len(self.folded.held),
            "n_late": self.folded.profiles.n_late,
            "forgotten": vars(self.folded.forgotten),
            "n_findings_bytes": self.told.n_bytes,
        }

    def _commit(self, lines: bytes) -> None:
        """Put the next generation in place, unless it is as the last one; then tell."""
        note = {
            "tails": [tail.to_json() for tail in self.tails.known.values()],
            "counts": self.counts.to_json(),
            "n_unlooked": self.n_unlooked,
            "n_looks": self.n_looks,
            "told": {"actions": self.told.actions, "n_bytes": self.told.n_bytes, "sha256": self.told.sha256},
        }
        is_new = bool(self.folded.touched.any()) or note != self._kept
        if (not lines and not is_new) or not (self._store.number or self.counts.presets or self.counts.n_rejected):
            return
        self._store.commit(Generation(self._about, note, lines), self.folded)
        self._kept = note
        self.told.append(lines)

    def _wait(self, due: float) -> None:
        patience = max(0.0, min(_POLL_S, due - time.monotonic())) or 0.05
        if STDIN in self.place.patterns:
            self._stream().wait(patience)
        self.stop.wait(min(patience, 0.05) if STDIN in self.place.patterns else patience)


def _is_parquet(name: str) -> bool:
    with Path(name).open("rb") as stored:
        return stored.read(4) == b"PAR1"


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set an event at the first SIGINT or SIGTERM within the block; the second ends as it always does."""
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}

    def end(number: int, frame: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for kind in before:
        signal.signal(kind, end)
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
