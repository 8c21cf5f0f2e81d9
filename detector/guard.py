"""The process that works is the child of the one that was started, which tells in one sentence what it died of.

Whoever writes a log can write one that crashes the libraries that read it, or has them take memory without end; a
library that cannot go on takes its process with it, and says why in words that may quote the log. So the work is done
in a child, forked before anything heavy is loaded, and what libraries say there themselves goes nowhere.
The child ends when its parent does, however that ends.
"""

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from detector.lastnotes import LastNotes, leave_to, note_end, note_limit, note_starved

if TYPE_CHECKING:
    from detector.errors import StillwatchError

#: Signals that who waits passes on.
_PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: The exit code of a process that a signal ended is this and the signal's number, as shells have it.
_BY_SIGNAL = 128
#: How what lacks memory ends: by the system, by a library's own abort, or by using what it was not given.
_STARVED = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE)


def watched(work: Callable[[], int]) -> int:
    """Do the work in a child; gives its exit code, or that of the error that its death is.

    Parameters
    ----------
    work: gives an exit code, or raises MemoryError; begins with nothing loaded and no thread running.
    """
    notes = LastNotes()
    leash, held = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)
    try:
        child = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
        return _alone(work)
    if not child:
        os.close(held)
        _do(work, notes, leash)
    os.close(leash)
    with _passing(child) as passed:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(held)
    return code if code >= 0 and notes.is_own else _told(notes, code, passed)


def limit(memory_bytes: int | None, cpu_s: int | None) -> None:
    """Have the system end this process where it takes more.

    Parameters
    ----------
    memory_bytes: that can be written to; none is what the system allows. Address space is no measure: the engine of the
        charts reserves 70 GB of it, and uses hardly any.
    cpu_s: of all threads together; none is what the system allows.

    Raises
    ------
    MemoryError
        That is too little for the libraries alone.
    """
    import resource

    from detector.process import load_algebra

    for what, most in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
        hard = resource.getrlimit(what)[1]
        if most is not None:
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    if memory_bytes is not None:
        note_limit()
        load_algebra()


def _alone(work: Callable[[], int]) -> int:
    """Do the work here, where the system gives no other process."""
    try:
        return work()
    except MemoryError:
        from detector.errors import starved

        sys.stderr.write(f"stillwatch: {starved()}\n")
        return starved().exit_code


def _do(work: Callable[[], int], notes: LastNotes, leash: int) -> NoReturn:
    """Do the work and end, so that nothing returns to the code of the parent."""
    code = 1
    try:
        leave_to(notes)
        _end_with(leash)
        signal.signal(signal.SIGINT, _stop_once)
        _quieten()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
        code = work()
        note_end()
    except MemoryError:
        note_starved()
    finally:
        os._exit(code)


def _end_with(leash: int) -> None:
    """Have the system signal this process, which dies of it, once the other end of the pipe is gone."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(leash, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)


def _stop_once(number: int, frame: FrameType | None) -> None:
    """Stop as Python does; being asked again, by a person or by parent and terminal both, does not disturb that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _quieten() -> None:
    """Keep standard error for what we say: libraries, and Python of threads that fail, may quote the log there."""
    sys.unraisablehook = threading.excepthook = _say_nothing
    with suppress(OSError):
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _say_nothing(failed: object) -> None:
    """Take what nobody can catch."""


@contextmanager
def _passing(child: int) -> Iterator[list[int]]:
    """Pass signals on to the child; yields those that were."""
    passed: list[int] = []

    def on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _PASSED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
    yield passed


def _told(notes: LastNotes, code: int, passed: list[int]) -> int:
    """Clear what a dead child left, and say what it died of; gives the exit code."""
    from detector.reports.safe import safe_text

    _clear(notes.place)
    if -code in passed:
        sys.stderr.write(f"stillwatch: stopped by {signal.Signals(-code).name}; outputs are whole or absent\n")
        return _BY_SIGNAL - code
    cause = _cause(notes, code)
    sys.stderr.write(f"stillwatch: {safe_text(str(cause))}\n")
    return cause.exit_code


def _cause(notes: LastNotes, code: int) -> "StillwatchError":
    from detector.errors import ReaderDiedError, TimeLimitError, is_memory_limited, starved

    while_reading = f"{notes.file}: " if notes.file else ""
    if code == -signal.SIGXCPU:
        return TimeLimitError(
            f"{while_reading}the work took more processor time than it may; nothing was written; "
            "give more with --set limits.cpu_s=600, or less of a log"
        )
    is_limited = notes.is_limited or is_memory_limited()
    if notes.is_starved or code == -signal.SIGKILL or (is_limited and (code >= 0 or -code in _STARVED)):
        return starved()
    how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"left by a library with code {code}"
    return ReaderDiedError(
        f"{while_reading}the process that worked was {how}, as where a file is made to break what reads it; "
        "nothing was written; leave that file out, or write it anew"
    )


def _clear(place: Path | None) -> None:
    """Remove hidden files at the place, and temporary folders that nobody holds any more."""
    import tempfile

    from detector.claims import claim
    from detector.errors import StillwatchError
    from detector.hidden import SCRATCH
    from detector.leftovers import find_leftovers, remove

    with suppress(OSError, StillwatchError):
        for left in find_leftovers(Path(tempfile.gettempdir()), SCRATCH):
            remove(left)
    if place is not None and place.parent.is_dir():
        with suppress(OSError, StillwatchError), claim(place):
            pass
