"""The optional second file: what is known of accounts besides their requests."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from detector.errors import (
    AmbiguousColumnError,
    InputUnreadableError,
    MissingColumnError,
    NaiveTimestampError,
    StillwatchError,
    WrongTypeError,
    nearest,
)
from detector.logs.headers import check_distinct, read_csv_header
from detector.logs.resync import ResyncReader
from detector.logs.sources import LogFile, inspect_file, read_chunks, skip_bytes
from detector.tables import ACCOUNTS

if TYPE_CHECKING:
    import pandas as pd

#: Columns of which something is made; the others are passed over.
USED = frozenset({"created_at", "org_id", "payment_id"})
#: How alike names are of which one is taken for a slip in the other (chosen: `creatd_at`, `createdAt`).
_NEAR = 0.85
#: A time of day with a zone behind it.
_ZONED = r"(?i)[T ].*(?:Z|[+-]\d{2}(?::?\d{2})?)$"


class _MalformedError(InputUnreadableError):
    """A record of the file breaks its format."""


def read_frame(path: Path) -> "pd.DataFrame":
    """Read a CSV file, every column as text, or a Parquet file.

    Raises
    ------
    InputUnreadableError
        It is missing or neither, or a record of it is malformed.
    AmbiguousColumnError
        A column stands in it twice.
    """
    try:
        file = inspect_file(str(path), str(path))
        if file.kind == "csv":
            return _read_csv(file)
        if file.kind == "parquet":
            return _read_parquet(path)
        reason = "it is JSON"
    except (AmbiguousColumnError, _MalformedError):
        raise
    except (StillwatchError, OSError, ValueError, pa.ArrowException) as error:
        reason = getattr(error.__cause__, "strerror", None) or "it is neither Parquet nor CSV with a header"
    raise InputUnreadableError(f"{path}: accounts cannot be read ({reason}); give a CSV or Parquet file")


def _read_csv(file: LogFile) -> "pd.DataFrame":
    """Read every record or none: a file that was quoted badly may say of one account what belongs to another."""
    import pandas as pd

    header = read_csv_header(file, ",")
    body = skip_bytes(read_chunks(file.name, file.path, file.compression), header.n_bytes)
    reader = ResyncReader(body, len(header.names), line=1 + header.n_lines, ending=header.ending)
    rows = []
    for record in reader:
        if record.reason:
            raise _MalformedError(f"{file.name}: line {record.line}: {record.reason}; mend the file")
        rows.append([value or None for value in record.fields])
    return pd.DataFrame(rows, columns=list(header.names), dtype=object)


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pyarrow.parquet as pq

    check_distinct(str(path), tuple(pq.read_schema(path).names))
    return pq.read_table(path, page_checksum_verification=True).to_pandas()


def _instants(path: Path, column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    import pandas as pd

    given = column.dropna()
    if isinstance(column.dtype, pd.DatetimeTZDtype) or given.empty:
        return pd.to_datetime(column, utc=True).dt.floor("us")
    is_typed = pd.api.types.is_datetime64_dtype(column.dtype)
    try:
        if not is_typed and not given.map(lambda value: isinstance(value, str)).all():
            raise TypeError("neither text nor instants")
        read = pd.to_datetime(column, format="ISO8601", utc=True)
    except (ValueError, TypeError) as error:
        raise WrongTypeError(f"{path}: created_at holds what is no ISO 8601 time; give 2026-03-02T00:00:00Z") from error
    if is_typed or not given.str.contains(_ZONED).all():
        raise NaiveTimestampError(f"{path}: created_at carries no zone; write it as 2026-03-02T00:00:00Z")
    return read.dt.floor("us")


def _check_columns(path: Path, columns: list[str]) -> None:
    """Refuse a column that is all but one of the contract, which is absent, and names alone."""
    for column in columns:
        close = get_close_matches(column.lower(), ACCOUNTS.names, n=1, cutoff=_NEAR)
        if close and column not in ACCOUNTS.names and close[0] not in columns:
            raise MissingColumnError(
                f"{path}: column {column!r} is not known; nearest: {close[0]!r}; name it so, or leave it out"
            )
    if not set(columns) & USED:
        hint = nearest("created_at", [c for c in columns if c != "account_id"] or sorted(USED))
        raise MissingColumnError(
            f"{path}: says nothing of accounts but their names; {hint}; name a column {' or '.join(sorted(USED))}"
        )


def read_accounts(path: Path, *, frame: "pd.DataFrame | None" = None, is_rich: bool = False) -> pa.Table:
    """Read a table of accounts from CSV or Parquet; columns beyond the contract are passed over.

    Parameters
    ----------
    frame: what `read_frame` gave, where the file is read already; an account may then stand in rows that differ.
    is_rich: refuse a file that holds nothing that is used, or a column whose name is nearly one that it lacks.

    Returns
    -------
    Those columns of `tables.ACCOUNTS` that the file has.

    Raises
    ------
    InputUnreadableError
        The file is missing, neither CSV nor Parquet, or a record of it is malformed.
    MissingColumnError
        It has no ``account_id``, or, where asked, nothing that is used, or a slip in the name of what is.
    AmbiguousColumnError
        An account stands in it twice, or a column.
    NaiveTimestampError, WrongTypeError
        ``created_at`` carries no zone, or is no time.
    """
    is_keyed = frame is None or is_rich
    frame = read_frame(path) if frame is None else frame
    if "account_id" not in frame:
        hint = nearest("account_id", [str(c) for c in frame.columns])
        raise MissingColumnError(f"{path}: no column 'account_id'; {hint}; name it account_id")
    if is_rich:
        _check_columns(path, [str(c) for c in frame.columns])
    frame = frame[[c for c in ACCOUNTS.names if c in frame]].dropna(subset=["account_id"])
    frame["account_id"] = frame.account_id.astype(str)
    n_twice = int(frame.account_id.duplicated().sum()) if is_keyed else 0
    if n_twice:
        raise AmbiguousColumnError(
            f"{path}: an account_id stands in two rows; keep one row per account ({n_twice} too many)"
        )
    if "created_at" in frame:
        frame["created_at"] = _instants(path, frame.created_at)
    schema = pa.schema([ACCOUNTS.field(c) for c in frame])
    try:
        return pa.Table.from_pandas(frame, schema=schema, preserve_index=False, safe=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise WrongTypeError(f"{path}: a column holds what is not text; see the columns in the README") from error
