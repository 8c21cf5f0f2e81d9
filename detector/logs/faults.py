"""Why a record is refused: numbered in SQL, told in words. Reasons name the column and the rule, never the value."""

from enum import IntEnum

from detector.logs.kinds import Kind, kind_of
from detector.tables import EVENTS

#: Fault numbers are `position of the column * _STRIDE + Fault`; 0 is a good record.
_STRIDE = 8


class Fault(IntEnum):
    """What can be wrong with one value."""

    MISSING = 1
    UNREADABLE = 2
    NEGATIVE = 3
    NUL = 4
    NAIVE = 5
    OUT_OF_RANGE = 6
    TWICE = 7


_ALLOWED: dict[Kind, str] = {
    "instant": "ISO 8601 with a zone, or a number since 1970 in s, ms, us or ns",
    "count": "a whole number",
    "number": "a finite number",
    "flag": "true, false, 1 or 0",
    "text": "text",
}

_WORDS = {
    Fault.MISSING: "is missing; every record needs one",
    Fault.UNREADABLE: "cannot be read; allowed is {allowed}",
    Fault.NEGATIVE: "is negative; allowed is 0 or more",
    Fault.NUL: "holds a NUL byte; allowed is text without one",
    Fault.NAIVE: "carries no zone; write one, or say which with --timezone UTC",
    Fault.OUT_OF_RANGE: "is out of range; allowed are the years 1970 to 2199",
    Fault.TWICE: "stands there twice; every record needs one",
}


def fault_number(column: str, fault: Fault) -> int:
    """Give the number that stands for one fault of one canonical column."""
    return int(EVENTS.get_field_index(column)) * _STRIDE + fault


def is_naive(number: int) -> bool:
    """Tell whether a fault number says that a timestamp carries no zone."""
    return number % _STRIDE == Fault.NAIVE


def is_twice(number: int) -> bool:
    """Tell whether a fault number says that a value stands there twice, so that nobody knows which one counts."""
    return number % _STRIDE == Fault.TWICE


def describe_fault(number: int) -> str:
    """Say in words what a fault number means.

    Examples
    --------
    >>> describe_fault(fault_number("account_id", Fault.MISSING))
    'account_id is missing; every record needs one'
    """
    column = EVENTS.field(number // _STRIDE).name
    words = _WORDS[Fault(number % _STRIDE)]
    return f"{column} {words.format(allowed=_ALLOWED[kind_of(column)])}"
