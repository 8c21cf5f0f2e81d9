"""Reading scored accounts and the truth, and telling plainly when they do not fit."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from detector.errors import InputUnreadableError, NotScoredError, TruthError, nearest
from detector.reports.safe import unsafe_cell
from detector.tables import SCORED

TRUTH_COLUMNS = ("account_id", "persona", "is_extraction")
SCORED_COLUMNS = ("account_id", "score")

#: Columns whose every value is a name, and what means nothing in the others.
_NAMES = ("account_id", "persona")
_ABSENT = ["", "NA", "NaN", "nan", "null", "None"]


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet or CSV file; account ids are text.

    Raises
    ------
    InputUnreadableError
        The file is missing or is neither.
    """
    try:
        if path.suffix == ".csv":
            return _read_csv(path)
        rows = pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or "it is not a table"
        raise InputUnreadableError(f"{path}: cannot be read ({reason}); give a .parquet or .csv file") from error
    return rows.assign(account_id=rows["account_id"].astype(str)) if "account_id" in rows else rows


def _read_csv(path: Path) -> pd.DataFrame:
    """Read names as they stand, "NA" and "null" among them; those that `score` made safe as they were."""
    absent = {name: _ABSENT for name in pd.read_csv(path, nrows=0).columns if name not in _NAMES}
    rows = pd.read_csv(path, dtype=dict.fromkeys(_NAMES, str), keep_default_na=False, na_values=absent)
    is_ours = set(SCORED.names) <= set(rows.columns)
    return rows.assign(account_id=rows["account_id"].map(unsafe_cell)) if is_ours else rows


def read_scored(path: Path) -> pd.DataFrame:
    """Read scored accounts from the output folder of `score` or from a file.

    Raises
    ------
    NotScoredError
        The folder or file holds no scored accounts.
    InputUnreadableError
        The file cannot be read or names an account twice.
    """
    file = path / "accounts.parquet" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise NotScoredError(f"{path}: holds no accounts.parquet; give the --out folder of 'stillwatch score'")
    scored = read_table(file)
    for column in SCORED_COLUMNS:
        if column not in scored:
            hint = nearest(column, map(str, scored.columns))
            raise NotScoredError(f"{file}: has no column {column!r} ({hint}); give the output of 'stillwatch score'")
    if not pd.api.types.is_numeric_dtype(scored["score"]):
        raise NotScoredError(f"{file}: column 'score' does not hold numbers; give the output of 'stillwatch score'")
    twice = scored["account_id"].duplicated()
    if twice.any():
        raise InputUnreadableError(f"{file}: {int(twice.sum())} accounts are listed twice; give one row per account")
    return scored


def read_truth(path: Path) -> pd.DataFrame:
    """Read the truth.

    Raises
    ------
    TruthError
        A column is missing, or an account is listed twice.
    InputUnreadableError
        The file cannot be read.
    """
    truth = read_table(path)
    for column in TRUTH_COLUMNS:
        if column not in truth:
            hint = nearest(column, map(str, truth.columns))
            raise TruthError(f"{path}: has no column {column!r} ({hint}); give the truth.parquet of a simulation")
    if not pd.api.types.is_bool_dtype(truth["is_extraction"]):
        raise TruthError(f"{path}: column 'is_extraction' does not hold true and false in every row")
    twice = truth["account_id"].duplicated()
    if twice.any():
        raise TruthError(f"{path}: {int(twice.sum())} accounts are listed twice; give one row per account")
    return truth


def joined(scored: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Give every account of the truth its score; an unscored account has none.

    Raises
    ------
    TruthError
        Truth and scores share no account.
    """
    columns = [name for name in ("account_id", "score", "is_flagged", "action") if name in scored]
    table = truth[list(TRUTH_COLUMNS)].merge(scored[columns], on="account_id", how="left", validate="one_to_one")
    if not truth["account_id"].isin(scored["account_id"]).any():
        raise TruthError(
            f"truth ({len(truth)} accounts) and scores ({len(scored)}) share no account; "
            "give the truth of the log that was scored, and --pseudonymize with its key where it was scored under one"
        )
    return table
