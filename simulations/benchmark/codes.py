"""Exit codes of a benchmark: a pipeline tells a failed gate, a wrong call and unreadable data apart, and no more."""

from collections.abc import Iterator
from contextlib import contextmanager

from detector.errors import (
    AmbiguousColumnError,
    ConfigError,
    EmptyInputError,
    InputUnreadableError,
    MissingColumnError,
    ModelError,
    NaiveTimestampError,
    StillwatchError,
    TooManyRejectsError,
    TruthError,
    UnknownFormatError,
    WrongTypeError,
)

DATA = (
    AmbiguousColumnError, EmptyInputError, InputUnreadableError, MissingColumnError, ModelError, NaiveTimestampError,
    TooManyRejectsError, TruthError, UnknownFormatError, WrongTypeError,
)  # fmt: skip


@contextmanager
def plain_codes() -> Iterator[None]:
    """Give errors of data the code of unreadable input, and all others that of wrong usage; texts stay as they are."""
    try:
        yield
    except DATA as error:
        raise InputUnreadableError(str(error)) from error
    except StillwatchError as error:
        raise ConfigError(str(error)) from error
