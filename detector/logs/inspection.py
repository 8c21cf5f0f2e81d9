"""What the first rows of a log allow and what misleads in them. Shows no name, address or text of a log as it is."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.logs.kinds import kind_of
from detector.logs.presets import Format, Trap
from detector.tables import TEXT_COLUMNS

#: Columns that name someone or something of theirs.
_NAMES = frozenset(
    {
        "account_id",
        "request_id",
        "api_key_id",
        "org_id",
        "payment_id",
        "end_user_id",
        "session_id",
        "ip",
        "asn",
        "tls_fingerprint",
    }
)
#: Chosen: enough of a name to recognise which column it came from, too little to know whose it is.
_KEPT_CHARACTERS = 3
_MOST_CHARACTERS = 40
#: Chosen: fewer rows of one value prove nothing about a log.
_ALIKE_ROWS = 20


def redacted(column: str, value: Any) -> str:
    """Show a value of a canonical column so that its kind is seen and nobody is.

    Examples
    --------
    >>> redacted("account_id", "customer-17"), redacted("prompt", "Name a river."), redacted("input_tokens", 8)
    ('cus… (11)', '<text, 13 characters>', '8')
    """
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    if column in TEXT_COLUMNS:
        return f"<text, {len(text):,} characters>"
    if column in _NAMES:
        kept = text[:_KEPT_CHARACTERS] if len(text) > 2 * _KEPT_CHARACTERS else ""
        return f"{kept}… ({len(text):,})"
    if kind_of(column) != "text":
        return text
    from detector.excerpts import redact

    shown = redact(text)
    return shown if len(shown) <= _MOST_CHARACTERS else shown[:_MOST_CHARACTERS] + "…"


def traps_of(form: Format, rows: pa.Table, n_rows: int) -> list[Trap]:
    """Pick the traps of a format that a log may be in.

    Parameters
    ----------
    rows: its first rows.
    n_rows: how many it has; 0 where that is not known.
    """
    return [trap for trap in form.traps if _applies(trap, rows, n_rows)]


def _applies(trap: Trap, rows: pa.Table, n_rows: int) -> bool:
    conditions = [_is_empty(rows, name) for name in trap.if_empty]
    conditions += [_is_alike(rows, name) for name in trap.if_alike]
    conditions += [_is_repeated(rows, name) for name in trap.if_repeated]
    if trap.if_rows is not None:
        conditions.append(n_rows > 0 and n_rows % trap.if_rows == 0)
    return any(conditions) or not conditions


def _is_empty(rows: pa.Table, name: str) -> bool:
    return name not in rows.column_names or rows.column(name).null_count == rows.num_rows


def _is_alike(rows: pa.Table, name: str) -> bool:
    return not _is_empty(rows, name) and _n_filled(rows, name) >= _ALIKE_ROWS and _n_distinct(rows, name) == 1


def _is_repeated(rows: pa.Table, name: str) -> bool:
    return not _is_empty(rows, name) and _n_distinct(rows, name) < _n_filled(rows, name)


def _n_filled(rows: pa.Table, name: str) -> int:
    return int(rows.num_rows - rows.column(name).null_count)


def _n_distinct(rows: pa.Table, name: str) -> int:
    return int(pc.count_distinct(rows.column(name)).as_py())


def what_is_off(columns: Collection[str]) -> list[str]:
    """Say, a line each, which features and which detectors a log with these columns cannot have."""
    from detector.features.catalogue import FEATURES
    from detector.features.registry import usable

    present = {feature.name for feature in usable(FEATURES.values(), columns)}
    off: dict[str, list[tuple[str, ...]]] = {}
    for feature in FEATURES.values():
        if feature.name not in present:
            off.setdefault(feature.family, []).append(feature.needs)
    total = {family: sum(feature.family == family for feature in FEATURES.values()) for family in off}
    lines = [f"off: {len(n)} of {total[f]} {f} features, for lack of {_lacking(n, columns)}" for f, n in off.items()]
    return lines + _detectors_off(columns)


def _detectors_off(columns: Collection[str]) -> list[str]:
    """Detectors that stand on statistics of their own, none of which the log can give."""
    from detector.detectors.registry import DETECTORS
    from detector.settings import DetectorSettings

    lines = []
    for name, make in DETECTORS.items():
        needs = [extra.needs for extra in getattr(make(DetectorSettings()), "extras", ())]
        if needs and not any(set(each) <= set(columns) and "n_requests" not in columns for each in needs):
            lines.append(f"off: the detector {name}, for lack of {_lacking(needs, columns)}")
    return lines


def _lacking(needs: Iterable[tuple[str, ...]], columns: Collection[str]) -> str:
    missing = sorted({name for each in needs for name in each} - set(columns))
    if missing:
        return ", ".join(missing)
    return "a row per request"
