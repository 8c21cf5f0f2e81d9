"""How each kind of canonical field is read from what a log holds, as SQL expressions that never raise.

Every expression gives null for a value it cannot take; `fault_cases` tells which nulls are faults.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from detector.logs.faults import Fault, fault_number
from detector.logs.kinds import kind_of
from detector.logs.quoting import quote_text
from detector.tables import REQUIRED

TimeUnit = Literal["s", "ms", "us", "ns"]

#: Below which magnitude an epoch number is in this unit; the lowest of all is 1e8 s (March 1973).
#: chosen: the ranges of 1973 to 5138 in s, ms and us do not overlap, and nothing smaller can be a request.
EPOCH_LIMITS: tuple[tuple[TimeUnit, str], ...] = (
    ("s", "100000000000"),
    ("ms", "100000000000000"),
    ("us", "100000000000000000"),
    ("ns", "9200000000000000000"),
)
_EPOCH_LOWEST = "100000000"

_DATE = r"\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"[Tt ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_ZONED = rf"^{_DATE}{_CLOCK} ?(Z|UTC|[+-]\d{{2}}(:?\d{{2}})?)$"
_NAIVE = rf"^{_DATE}({_CLOCK})?$"

#: Instants with a zone: microseconds and, as pandas writes them, nanoseconds.
_ZONED_TYPES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
#: Types that always fit a count.
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_EARLIEST = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
_LATEST = "TIMESTAMPTZ '2200-01-01 00:00:00+00'"

#: Numbers that may be negative.
_SIGNED = frozenset({"temperature"})

#: Stands for an account's name whose key stands twice in its object.
TWICE = "chr(0) || 'twice'"


@dataclass(frozen=True)
class Clock:
    """How instants without a zone or a unit are understood."""

    zone: str | None = None
    unit: TimeUnit | None = None


@dataclass(frozen=True)
class Raw:
    """A value as the log holds it: an SQL expression and its DuckDB type."""

    sql: str
    type: str = "VARCHAR"

    @property
    def is_text(self) -> bool:
        """Whether the value still has to be parsed."""
        return self.type == "VARCHAR"


def value_sql(column: str, raw: Raw, clock: Clock) -> str:
    """Write the expression that gives the canonical value of a column, or null."""
    kind = kind_of(column)
    if kind == "instant":
        return instant_sql(raw, clock)
    if kind == "count":
        if raw.type in _WHOLE_TYPES:
            return f"CAST({raw.sql} AS BIGINT)"
        plain = f"NOT (contains({raw.sql}, '.') OR contains({raw.sql}, 'e') OR contains({raw.sql}, 'E'))"
        exact = f"WHEN {plain} THEN TRY_CAST({raw.sql} AS BIGINT) " if raw.is_text else ""
        return f"CASE {exact}WHEN {_double(raw)} = TRY_CAST({raw.sql} AS BIGINT) THEN TRY_CAST({raw.sql} AS BIGINT) END"
    if kind == "number":
        return f"CASE WHEN isfinite({_double(raw)}) THEN {_double(raw)} END"
    if kind == "flag":
        return _flag_sql(raw)
    return raw.sql if raw.is_text else f"CAST({raw.sql} AS VARCHAR)"


def instant_sql(raw: Raw, clock: Clock) -> str:
    """Write the expression that gives an instant, or null.

    Notes
    -----
    The first branch decides the usual text by its last letter alone, so that no pattern runs per row.
    """
    if raw.type in _ZONED_TYPES:
        return raw.sql if raw.type == _ZONED_TYPES[0] else f"CAST({raw.sql} AS TIMESTAMPTZ)"
    if is_naive_type(raw.type):
        return _in_zone(f"CAST({raw.sql} AS TIMESTAMP)", clock)
    number = _epoch_sql(f"TRY_CAST({raw.sql} AS DECIMAL(29, 9))", clock)
    if not raw.is_text:
        return number
    zoned = f"TRY_CAST({raw.sql} AS TIMESTAMPTZ)"
    return (
        f"CASE WHEN suffix({raw.sql}, 'Z') THEN {zoned}"
        f" WHEN regexp_matches({raw.sql}, {quote_text(_ZONED)}) THEN {zoned}"
        f" WHEN regexp_matches({raw.sql}, {quote_text(_NAIVE)})"
        f" THEN {_in_zone(f'TRY_CAST({raw.sql} AS TIMESTAMP)', clock)}"
        f" ELSE {number} END"
    )


def is_naive_type(type_name: str) -> bool:
    """Tell whether a DuckDB type is an instant that carries no zone."""
    return type_name == "DATE" or (type_name.startswith("TIMESTAMP") and type_name not in _ZONED_TYPES)


def fault_cases(column: str, raw: Raw, value: str, clock: Clock) -> Iterator[str]:
    """Write the ``WHEN ... THEN`` branches that number what is wrong with one column.

    Parameters
    ----------
    column: canonical column.
    raw: what the log holds, nulls already spelled as null.
    value: name of the canonical value.
    clock: how instants are understood.

    Notes
    -----
    A NUL byte is a fault in an account's name only. In a text it is data: a client may have sent it, and a record
    that is refused for what a client sent would be a way to stay unseen.
    """
    kind = kind_of(column)
    if column in REQUIRED:
        yield _case(column, Fault.MISSING, f"{raw.sql} IS NULL")
    if kind == "text":
        if column in REQUIRED:
            yield _case(column, Fault.TWICE, f"{value} = {TWICE}")
            yield _case(column, Fault.NUL, f"contains({value}, chr(0))")
        return
    unreadable = f"{raw.sql} IS NOT NULL AND {value} IS NULL"
    if kind == "instant" and raw.is_text and clock.zone is None:
        pattern = f"regexp_matches({raw.sql}, {quote_text(_NAIVE)})"
        yield _case(column, Fault.NAIVE, f"{unreadable} AND {pattern}")
    yield _case(column, Fault.UNREADABLE, unreadable)
    if kind == "instant":
        yield _case(column, Fault.OUT_OF_RANGE, f"{value} < {_EARLIEST} OR {value} >= {_LATEST}")
    elif kind != "flag" and column not in _SIGNED:
        yield _case(column, Fault.NEGATIVE, f"{value} < 0")


def _case(column: str, fault: Fault, condition: str) -> str:
    return f"WHEN {condition} THEN {fault_number(column, fault)}"


def _double(raw: Raw) -> str:
    return f"TRY_CAST({raw.sql} AS DOUBLE)"


def _flag_sql(raw: Raw) -> str:
    text = f"lower(CAST({raw.sql} AS VARCHAR))"
    return f"CASE WHEN {text} IN ('true', '1') THEN true WHEN {text} IN ('false', '0') THEN false END"


def _in_zone(naive: str, clock: Clock) -> str:
    return "NULL::TIMESTAMPTZ" if clock.zone is None else f"timezone({quote_text(clock.zone)}, {naive})"


def _epoch_sql(number: str, clock: Clock) -> str:
    if clock.unit is not None:
        return f"CASE WHEN {number} >= 0 THEN {_microseconds(number, clock.unit)} END"
    cases = " ".join(f"WHEN {number} < {limit} THEN {_microseconds(number, unit)}" for unit, limit in EPOCH_LIMITS)
    return f"CASE WHEN {number} < {_EPOCH_LOWEST} THEN NULL {cases} END"


def _microseconds(number: str, unit: TimeUnit) -> str:
    if unit == "ns":
        return f"make_timestamptz(TRY_CAST(trunc({number}) AS BIGINT) // 1000)"
    factor = {"s": "1000000", "ms": "1000", "us": "1"}[unit]
    return f"make_timestamptz(TRY_CAST(trunc(TRY({number} * CAST({factor} AS DECIMAL(7, 0)))) AS BIGINT))"
