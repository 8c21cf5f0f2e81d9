"""Labels are read as they stand; what is none is refused."""

from pathlib import Path

import pandas as pd
import pytest

from detector.errors import InputUnreadableError, TruthError
from detector.labels import read_labels


def labels(tmp_path: Path, text: str) -> pd.DataFrame:
    """Read labels from CSV text."""
    (tmp_path / "truth.csv").write_text(text, encoding="utf-8")
    return read_labels(tmp_path / "truth.csv")


def test_labels_by_hand(tmp_path: Path) -> None:
    """Names keep their leading zeros, flags are true and false in any usual spelling, a persona is the cohort."""
    found = labels(tmp_path, "account_id,persona,is_extraction\n007,fleet,True\nNA,person,0\n1e3,person,false\n")
    assert found.index.tolist() == ["007", "NA", "1e3"]
    assert found.is_extraction.tolist() == [True, False, False]
    assert found.cohort.tolist() == ["fleet", "person", "person"]


def test_cohort_without_persona(tmp_path: Path) -> None:
    """Where no persona is told, the label is the cohort."""
    assert labels(tmp_path, "account_id,is_extraction\na,1\nb,0\n").cohort.tolist() == ["extraction", "honest"]


@pytest.mark.parametrize("flag", ["yes", "", "2", "nan"])
def test_a_label_that_is_none_is_refused(tmp_path: Path, flag: str) -> None:
    """A word that is neither true nor false is not taken for true."""
    with pytest.raises(
        TruthError, match=r"truth\.csv: is_extraction holds what is neither true nor false; give true or"
    ):
        labels(tmp_path, f"account_id,is_extraction\na,true\nb,{flag}\n")


def test_a_null_label_in_parquet_is_refused(tmp_path: Path) -> None:
    """Absent is not honest."""
    pd.DataFrame({"account_id": ["a", "b"], "is_extraction": [True, None]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TruthError, match="neither true nor false"):
        read_labels(tmp_path / "t.parquet")


def test_an_account_twice_is_refused(tmp_path: Path) -> None:
    """Which label would count is not guessed."""
    with pytest.raises(TruthError, match=r"truth\.csv: an account_id stands in two rows; keep one row per account"):
        labels(tmp_path, "account_id,is_extraction\na,true\na,false\n")


@pytest.mark.parametrize(
    ("header", "missing"), [("account_id,label", "is_extraction"), ("id,is_extraction", "account")]
)
def test_a_missing_column_is_named(tmp_path: Path, header: str, missing: str) -> None:
    """Both columns are needed."""
    with pytest.raises(TruthError, match=f"no column '{missing}.*labels need account_id and is_extraction"):
        labels(tmp_path, f"{header}\na,true\n")


def test_unreadable_labels_are_named(tmp_path: Path) -> None:
    """A missing file, and one that is not what its name says."""
    (tmp_path / "t.parquet").write_text("no", encoding="utf-8")
    for name in ("none.csv", "t.parquet"):
        with pytest.raises(InputUnreadableError, match=f"{name}: labels cannot be read; give Parquet or CSV"):
            read_labels(tmp_path / name)
