"""Several files of what is known of accounts, joined to a log by the names that its accounts have.

A table of another program is recognised by its columns, as a log is; names are put together as those of the log were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.errors import MissingColumnError, WrongTypeError
from detector.logs.accounts import read_accounts, read_frame
from detector.logs.identity import account_sql
from detector.tables import ACCOUNTS, REJECTED

if TYPE_CHECKING:
    import pandas as pd

    from detector.profiles.store import Profiles


@dataclass(frozen=True)
class Known:
    """A table of another program, with a row per key.

    Attributes
    ----------
    detect: columns that tell it.
    rungs: what an account can be, to the column that holds it; in the order in which the program's log names accounts.
    columns: of `tables.ACCOUNTS`, to where they stand, the first that is filled.
    """

    detect: tuple[str, ...]
    rungs: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]


#: LiteLLM's columns are those of LiteLLM_VerificationToken in its schema.prisma; timestamps are UTC, as in its logs.
KNOWN: Mapping[str, Known] = {
    "LiteLLM keys": Known(
        detect=("token", "user_id", "team_id", "max_budget"),
        rungs={"user": "user_id", "team": "team_id", "key": "token", "organisation": "organization_id"},
        columns={"created_at": ("created_at",), "org_id": ("organization_id", "org_id", "team_id")},
    )
}


@dataclass(frozen=True)
class Enrichment:
    """What one file says.

    Attributes
    ----------
    accounts: columns of `tables.ACCOUNTS`; an account may stand in several rows where the file has a row per key.
    kind: whose table it is; empty for a plain one.
    rejected: records of it that were set aside, columns of `tables.REJECTED`.
    n_rows: records of it; 0 where it is read as a whole or not at all.
    """

    path: Path
    accounts: pa.Table
    kind: str = ""
    rejected: pa.Table = field(default_factory=REJECTED.empty_table)
    n_rows: int = 0


def read_enrichments(paths: Sequence[Path], account_by: Sequence[str] = ()) -> list[Enrichment]:
    """Read files of what is known of accounts.

    Parameters
    ----------
    account_by: what an account of the log is, where the user chose it.

    Raises
    ------
    StillwatchError
        See `accounts.read_accounts`.
    MissingColumnError
        A file has nothing but names, or no column for what an account of the log is.
    WrongTypeError
        A sign-up of a table of keys is no time; one without a zone is UTC, as those programs write it.
    """
    return [_read(path, tuple(account_by)) for path in paths]


def _read(path: Path, account_by: tuple[str, ...]) -> Enrichment:
    frame = read_frame(path)
    for kind, known in KNOWN.items():
        if set(known.detect) <= set(frame.columns) and "account_id" not in frame:
            return Enrichment(path, read_accounts(path, frame=_translated(path, frame, known, account_by)), kind)
    table = read_accounts(path, frame=frame, is_rich=True)
    return Enrichment(path, table)


def _translated(path: Path, frame: "pd.DataFrame", known: Known, account_by: tuple[str, ...]) -> "pd.DataFrame":
    """Give a row per account and thing of it: the first sign-up, and each organisation."""
    import duckdb
    import pandas as pd

    asked = account_by or tuple(rung for rung in known.rungs if rung != "organisation")
    present = {rung: known.rungs[rung] for rung in asked if known.rungs.get(rung) in frame.columns}
    if not present:
        raise MissingColumnError(f"{path}: has no column for an account by {', '.join(asked)}; give another --accounts")
    texts = {rung: f"nullif(CAST({column} AS VARCHAR), '')" for rung, column in present.items()}
    name = account_sql(texts) if account_by else f"coalesce({', '.join(texts.values())})"
    with duckdb.connect(config={"python_enable_replacements": False}) as session:
        session.register("keys", pa.Table.from_pandas(frame[list(present.values())].astype("string")))
        names = session.execute(f"SELECT {name} AS account_id FROM keys").df()["account_id"].to_numpy()
    out = pd.DataFrame({"account_id": names}, index=frame.index)
    for column, places in known.columns.items():
        for place in places:
            if place in frame:
                given = frame[place].mask(frame[place].astype("string") == "")
                out[column] = out[column].fillna(given) if column in out else given
    if "created_at" in out:
        try:
            instants = pd.to_datetime(out["created_at"], format="ISO8601", utc=True)
        except (ValueError, TypeError):
            raise WrongTypeError(f"{path}: created_at holds what is no ISO 8601 time; export it as such") from None
        out["created_at"] = instants.groupby(out["account_id"]).transform("min")
    return out.drop_duplicates()


def enrich(profiles: "Profiles", files: Sequence[Enrichment]) -> list[dict[str, Any]]:
    """Add what files know to the profiles of a log: the earliest sign-up of any file, each payment and organisation.

    Addresses become networks that accounts share; where the log has addresses of its own, those alone count.

    Returns
    -------
    For each file its name, kind, columns, accounts, and how many accounts of the log it knows; of one that is read
    record by record, also how many it has and how many were set aside.
    """
    dated = [file.accounts.select(["account_id", "created_at"]) for file in files if "created_at" in _names(file)]
    if dated:
        earliest = pa.concat_tables(dated).group_by("account_id").aggregate([("created_at", "min")])
        profiles.enrich(earliest.rename_columns({"created_at_min": "created_at"}))
    told = []
    for file in files:
        others = [name for name in _names(file) if name != "created_at"]
        told.append(
            {
                "file": str(file.path),
                "kind": file.kind,
                "columns": [name for name in file.accounts.column_names if name != "account_id"],
                "n_accounts": pc.count_distinct(file.accounts["account_id"]).as_py(),
                "n_known": profiles.enrich(file.accounts.select(others)),
                **({"n_rows": file.n_rows, "n_rejected": len(file.rejected)} if file.n_rows else {}),
            }
        )
    return told


def _names(file: Enrichment) -> list[str]:
    """Give the columns that profiles take in, account first."""
    return [name for name in (*ACCOUNTS.names, "ip") if name in file.accounts.column_names]
