"""What is read of one file: where each canonical column comes from, and the query that gives it. See `logs.finder`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from detector.logs.fields import Clock, Raw, fault_cases, value_sql
from detector.logs.kinds import kind_of
from detector.logs.quoting import quote_name, quote_text
from detector.logs.steps import Steps
from detector.tables import REQUIRED, TEXT_COLUMNS

#: Column that numbers what is wrong with a row; 0 is nothing.
FAULT = "_fault"
#: Column that tells whether the gateway had cut a text of the row.
TRUNCATED = "_is_truncated"
#: Column that tells whether a row is a request; only where the preset keeps some rows.
KEPT = "_is_kept"
#: Column that tells which rung names the account; only where it was asked for.
RUNG = "_rung"
#: Column that holds the line or row number, where the source gives one.
LINE = "_line"


@dataclass(frozen=True)
class Place:
    """Where one canonical column comes from.

    Attributes
    ----------
    raw: expression of the value as the log holds it, its nulls spelled as null.
    sources: columns of the file it needs.
    is_direct: whether it is a column of the log itself, and not a value inside a document that a client may have sent.
    """

    raw: Raw
    sources: tuple[str, ...]
    is_direct: bool


@dataclass(frozen=True)
class Plan:
    """How one file is read: canonical column to place, in the order of `EVENTS`, and the steps that places refer to.

    Attributes
    ----------
    rung: what tells by which rung an account is named; none where the preset decides.
    rungs: those that this file has, to the columns that they come from.
    """

    places: Mapping[str, Place]
    steps: Steps
    clock: Clock
    truncation: str | None
    keep: Place | None = None
    rung: Place | None = None
    rungs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def sources(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Name the file's columns that some canonical columns need, each once."""
        needed = [name for column in columns if column in self.places for name in self.places[column].sources]
        return tuple(dict.fromkeys([*needed, *(self.keep.sources if self.keep else ())]))

    def select(self, source: str, columns: Sequence[str], *, passed: Sequence[str] = ()) -> str:
        """Write the query that gives canonical values, the truncation mark and the fault number.

        Parameters
        ----------
        source: what follows FROM.
        columns: canonical columns; those this file lacks come as null.
        passed: columns of the source handed through as they are; `KEPT` comes besides where the plan keeps some rows.
        """
        here = [column for column in columns if column in self.places]
        raws = [f"{self.places[column].raw.sql} AS {quote_name('raw ' + column)}" for column in here]
        if self.keep:
            raws.append(f"{self.keep.raw.sql} AS {KEPT}")
        if self.rung:
            raws.append(f"{self.rung.raw.sql} AS {RUNG}")
        inner = f"SELECT {', '.join([*passed, *raws])} FROM {self.steps.over(source, raws)}"
        values = [f"{self._value(column)} AS {quote_name(column)}" for column in here]
        middle = f"SELECT * , {', '.join(values)} FROM ({inner})"
        outer = [*map(self._final, columns), f"{self._truncated(here)} AS {TRUNCATED}", self._faults(here), *passed]
        outer += [KEPT] if self.keep else []
        outer += [RUNG] if self.rung else []
        return f"SELECT {', '.join(outer)} FROM ({middle})"

    def _held(self, column: str) -> Raw:
        return Raw(quote_name("raw " + column), self.places[column].raw.type)

    def _value(self, column: str) -> str:
        value = value_sql(column, self._held(column), self.clock)
        if self.truncation is None or column not in TEXT_COLUMNS:
            return value
        return f"regexp_replace({value}, {quote_text(self.truncation)}, '', 'g')"

    def _final(self, column: str) -> str:
        if column in self.places:
            return quote_name(column)
        empty = {"text": "VARCHAR", "count": "BIGINT", "number": "DOUBLE", "flag": "BOOLEAN", "instant": "TIMESTAMPTZ"}
        return f"NULL::{empty[kind_of(column)]} AS {quote_name(column)}"

    def _truncated(self, columns: Sequence[str]) -> str:
        if self.truncation is None:
            return "false"
        pattern = quote_text(self.truncation)
        marks = [
            f"coalesce(regexp_matches({self._held(column).sql}, {pattern}), false)"
            for column in columns
            if column in TEXT_COLUMNS
        ]
        return " OR ".join(marks) or "false"

    def _faults(self, columns: Sequence[str]) -> str:
        cases = [
            case
            for column in columns
            if column in REQUIRED or self.places[column].is_direct
            for case in fault_cases(column, self._held(column), quote_name(column), self.clock)
        ]
        if self.keep:
            cases = [f"WHEN NOT {KEPT} THEN 0", *cases]
        return f"CAST(CASE {' '.join(cases)} ELSE 0 END AS USMALLINT) AS {FAULT}" if cases else f"0 AS {FAULT}"
