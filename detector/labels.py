"""Labels: which accounts were extracting, and of which kind each was. What is no label is refused, never guessed."""

from pathlib import Path

import pandas as pd

from detector.errors import InputUnreadableError, TruthError

_FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def _read(path: Path) -> pd.DataFrame:
    """Read a file as it is: in CSV every cell is text, so that account 007 stays 007."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputUnreadableError(f"{path}: labels cannot be read; give Parquet or CSV") from error


def read_labels(path: Path) -> pd.DataFrame:
    """Read who was what.

    Returns
    -------
    Indexed by account: `is_extraction`, and `cohort`, its campaign or kind of customer where the file has one.

    Raises
    ------
    InputUnreadableError
        The file is missing or neither Parquet nor CSV.
    TruthError
        It lacks ``account_id`` or ``is_extraction``, names an account twice, or a label is neither true nor false.
    """
    labels = _read(path)
    missing = {"account_id", "is_extraction"} - set(labels)
    if missing:
        raise TruthError(f"{path}: no column {sorted(missing)[0]!r}; labels need account_id and is_extraction")
    if labels.account_id.duplicated().any():
        raise TruthError(f"{path}: an account_id stands in two rows; keep one row per account")
    told = labels.is_extraction.map(lambda value: _FLAGS.get(str(value).lower()))
    if told.isna().any():
        raise TruthError(f"{path}: is_extraction holds what is neither true nor false; give true or false")
    cohort = labels["persona"] if "persona" in labels else told.map({True: "extraction", False: "honest"})
    frame = pd.DataFrame({"is_extraction": told.astype(bool), "cohort": cohort.astype(str)})
    return frame.set_axis(pd.Index(labels.account_id.astype(str), name="account_id"))
