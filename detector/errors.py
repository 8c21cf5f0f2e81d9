"""Every error Stillwatch raises on purpose, each with an exit code of its own.

A text has four parts: where, what came, what is allowed, what to do. It never holds prompt text.
"""

import errno
from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Say which allowed names are closest to a wrong one.

    Parameters
    ----------
    name: what came.
    allowed: the names that would have been right.

    Returns
    -------
    A clause such as ``nearest: 'budget'``, or the first allowed names when none is close.

    Examples
    --------
    >>> nearest("bugdet", ["budget", "detector"])
    "nearest: 'budget'"
    """
    names = sorted(allowed)
    close = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    if close:
        return "nearest: " + ", ".join(repr(c) for c in close)
    shown = ", ".join(repr(n) for n in names[:40])
    return f"allowed: {shown}" if shown else "nothing is allowed here"


class StillwatchError(Exception):
    """Base of all errors a user can cause; the command line prints it in one line and exits with `exit_code`."""

    exit_code = 2


class UsageError(StillwatchError):
    """A command-line option or argument is wrong."""

    exit_code = 2


class ConfigError(StillwatchError):
    """A configuration file or ``--set`` has an unknown key or a value out of range."""

    exit_code = 2


class GateError(StillwatchError):
    """A stated limit was not met."""

    exit_code = 1


class InputUnreadableError(StillwatchError):
    """An input file is missing, is not what it claims to be, or is damaged beyond its rows."""

    exit_code = 3


class MissingColumnError(StillwatchError):
    """A log has no column for a required field."""

    exit_code = 10


class EmptyInputError(StillwatchError):
    """A log is empty or has no rows."""

    exit_code = 11


class UnknownFormatError(StillwatchError):
    """No preset has this name, or none recognises the log."""

    exit_code = 12


class OutputNotEmptyError(StillwatchError):
    """The output folder holds something already."""

    exit_code = 13


class TooManyRejectsError(StillwatchError):
    """More rows are malformed than ``--max-rejects`` allows."""

    exit_code = 14


class NaiveTimestampError(StillwatchError):
    """Timestamps carry no zone and none was given."""

    exit_code = 15


class AmbiguousColumnError(StillwatchError):
    """A column name, or two columns for one field, cannot be told apart."""

    exit_code = 16


class WrongTypeError(StillwatchError):
    """A typed column holds a type that its field cannot take."""

    exit_code = 17


class ModelError(StillwatchError):
    """A model file is damaged, of another version, or was changed after it was made."""

    exit_code = 18


class UnknownDetectorError(StillwatchError):
    """No detector has this name."""

    exit_code = 19


class UnknownAccountError(StillwatchError):
    """The scored folder has no such account."""

    exit_code = 20


class NotScoredError(StillwatchError):
    """A folder is not the output of ``stillwatch score``."""

    exit_code = 21


class TruthError(StillwatchError):
    """A truth file does not fit the scored accounts."""

    exit_code = 22


class ImpossibleRequestError(StillwatchError):
    """What was asked cannot be reached with this log, such as a budget below one in the number of accounts."""

    exit_code = 23


class NotRehearsedError(StillwatchError):
    """A folder is not the output of ``stillwatch simulate``."""

    exit_code = 24


class NotComparableError(StillwatchError):
    """Two rehearsals differ in more than the defence, so that neither shows which defence is better."""

    exit_code = 25


class EngineError(StillwatchError):
    """An engine cannot be started on this machine, or stopped working."""

    exit_code = 34


class DiskFullError(StillwatchError):
    """A disk has no room left for what is written."""

    exit_code = 26


class StateError(StillwatchError):
    """Kept profiles are damaged, of another version, or of another log."""

    exit_code = 27


class WriteError(StillwatchError):
    """The system refused to read or write a file, for another reason than a full disk."""

    exit_code = 28


class BusyError(StillwatchError):
    """Another process is writing to the output."""

    exit_code = 29


class MemoryLimitError(StillwatchError):
    """The system gave no more memory."""

    exit_code = 30


class KeyFileError(StillwatchError):
    """A file of a key cannot be used: it is missing, others can read it, or it holds no key."""

    exit_code = 32


class NotOursError(StillwatchError):
    """A folder is not the output of a run, so nothing in it is removed."""

    exit_code = 33


class InputChangedError(StillwatchError):
    """A log changed while it was read, so that what was read of it may belong to no one state of it."""

    exit_code = 35


class FindingsChangedError(StillwatchError):
    """What a watch wrote of findings is not there any more as it was written, so that none can be added to it."""

    exit_code = 36


class ReaderDiedError(StillwatchError):
    """The process that worked died of a signal, as a library does that a file was made to break."""

    exit_code = 39


class TimeLimitError(StillwatchError):
    """The work took more processor time than it may."""

    exit_code = 40


class AsnDatabaseError(StillwatchError):
    """A database of network operators cannot be used: its reader is not installed, or the file is no such database."""

    exit_code = 43


class AuditError(StillwatchError):
    """A file is no audit log, or cannot tell of what an account is."""

    exit_code = 44


#: What the system says where a thread cannot be started, or a library not be loaded, for lack of memory.
_STARVED = ("can't start new thread", "failed to map segment", "cannot allocate memory", "std::bad_alloc")
#: What libraries raise where they were refused memory and do not say so.
_VAGUE = (RuntimeError, SystemError, ImportError)


def is_memory_limited() -> bool:
    """Tell whether this process may not take all the memory there is."""
    import resource

    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(what)[0] != resource.RLIM_INFINITY for what in limits)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error, or what it came from, is for lack of memory; under a limit, vague ones are taken so."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(text in str(seen).lower() for text in _STARVED):
            return True
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    is_vague = isinstance(error, _VAGUE) or (isinstance(error, OSError) and error.errno is None)
    return is_vague and is_memory_limited()


def starved() -> MemoryLimitError:
    """Say that there is too little memory."""
    import resource

    told = "the system gives no more memory; nothing was written under its final name; "
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        told += "charts alone reserve 70 GB of address space, which is limited (ulimit -v): limit data (ulimit -d); or "
    return MemoryLimitError(f"{told}give more, or --set input.memory=256MB --threads 1")


def system_fault(error: BaseException) -> StillwatchError | None:
    """Say in one sentence what the system refused.

    Returns
    -------
    An error to show; None where the system is not to blame.
    """
    if lacks_memory(error):
        return starved()
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError("the disk is full; nothing was written under its final name; free space, and run again")
    where = f"{error.filename}: " if error.filename else ""
    return WriteError(
        f"{where}the system refused ({error.strerror or type(error).__name__}); nothing was written under its final "
        "name; mend that, and run again"
    )
