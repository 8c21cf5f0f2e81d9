"""The optional second file: what is known of accounts besides their requests."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from detector.errors import (
    AmbiguousColumnError,
    InputUnreadableError,
    MissingColumnError,
    NaiveTimestampError,
    WrongTypeError,
    nearest,
)
from detector.tables import ACCOUNTS

if TYPE_CHECKING:
    import pandas as pd

#: A time of day with a zone behind it.
_ZONED = r"(?i)[T ].*(?:Z|[+-]\d{2}(?::?\d{2})?)$"


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        if path.read_bytes()[:4] == b"PAR1":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (OSError, ValueError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is neither Parquet nor CSV with a header"
        raise InputUnreadableError(f"{path}: accounts cannot be read ({reason}); give a CSV or Parquet file") from error


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


def read_accounts(path: Path) -> pa.Table:
    """Read a table of accounts from CSV or Parquet; columns beyond the contract are passed over.

    Returns
    -------
    Those columns of `tables.ACCOUNTS` that the file has.

    Raises
    ------
    InputUnreadableError
        The file is missing or neither CSV nor Parquet.
    MissingColumnError
        It has no ``account_id``.
    AmbiguousColumnError
        An account stands in it twice.
    NaiveTimestampError, WrongTypeError
        ``created_at`` carries no zone, or is no time.
    """
    frame = _read(path)
    if "account_id" not in frame:
        hint = nearest("account_id", [str(c) for c in frame.columns])
        raise MissingColumnError(f"{path}: no column 'account_id'; {hint}; name it account_id")
    frame = frame[[c for c in ACCOUNTS.names if c in frame]].dropna(subset=["account_id"])
    frame["account_id"] = frame.account_id.astype(str)
    if frame.account_id.duplicated().any():
        raise AmbiguousColumnError(f"{path}: an account_id stands in two rows; keep one row per account")
    if "created_at" in frame:
        frame["created_at"] = _instants(path, frame.created_at)
    schema = pa.schema([ACCOUNTS.field(c) for c in frame])
    try:
        return pa.Table.from_pandas(frame, schema=schema, preserve_index=False, safe=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise WrongTypeError(f"{path}: a column holds what is not text; see the columns in the README") from error
