"""The accounts file: read from CSV and Parquet alike, and nothing in it is guessed."""

import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import (
    AmbiguousColumnError,
    InputUnreadableError,
    MissingColumnError,
    NaiveTimestampError,
    StillwatchError,
    WrongTypeError,
)
from detector.logs.accounts import read_accounts
from detector.tables import ACCOUNTS

MIDNIGHT = pd.Timestamp("2026-03-02T00:00:00Z")


def written(tmp_path: Path, text: str, name: str = "accounts.csv") -> Path:
    """Write a file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def stored(tmp_path: Path, **columns: pa.Array) -> Path:
    """Write a Parquet file."""
    pq.write_table(pa.table(columns), tmp_path / "accounts.parquet")
    return tmp_path / "accounts.parquet"


def created(tmp_path: Path, *instants: str) -> list[pd.Timestamp]:
    """Read instants back from a CSV file."""
    rows = "\n".join(f"a{i},{instant}" for i, instant in enumerate(instants))
    return read_accounts(written(tmp_path, f"account_id,created_at\n{rows}\n"))["created_at"].to_pylist()


def test_csv_gives_the_contract(tmp_path: Path) -> None:
    """Known columns with their types, in the contract's order; others are passed over, empty cells are null."""
    table = read_accounts(
        written(tmp_path, "payment_id,note,account_id,created_at\np1,x,007,2026-03-02T00:00:00Z\n,y,NA,\n")
    )
    assert table.schema == pa.schema([ACCOUNTS.field(c) for c in ("account_id", "created_at", "payment_id")])
    assert table.to_pylist() == [
        {"account_id": "007", "created_at": MIDNIGHT, "payment_id": "p1"},
        {"account_id": "NA", "created_at": None, "payment_id": None},
    ]


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    """The same accounts in both kinds of file are the same table."""
    csv = written(tmp_path, "account_id,created_at\na,2026-03-02T00:00:00Z\nb,\n")
    instants = pa.array([MIDNIGHT, None], pa.timestamp("us", tz="UTC"))
    assert read_accounts(stored(tmp_path, account_id=pa.array(["a", "b"]), created_at=instants)) == read_accounts(csv)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_instants_of_any_unit(tmp_path: Path, unit: str) -> None:
    """Seconds to nanoseconds are read; what is finer than a microsecond is cut off, not refused."""
    finer = {"s": 0, "ms": 1_000_000, "us": 1_000, "ns": 1_999}[unit]
    per = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    instant = pa.array([(MIDNIGHT.value + finer) // per], pa.int64()).cast(pa.timestamp(unit, tz="UTC"))
    found = read_accounts(stored(tmp_path, account_id=pa.array(["a"]), created_at=instant))["created_at"]
    assert found.cast(pa.int64()).to_pylist() == [(MIDNIGHT.value + finer) // 1000]


def test_zones_are_converted(tmp_path: Path) -> None:
    """Offsets of any spelling, mixed in one column, are the same instant."""
    spelled = ("2026-03-02T00:00:00Z", "2026-03-02T01:00:00+01:00", "2026-03-01 19:00:00-0500", "2026-03-02T02:00+02")
    assert created(tmp_path, *spelled) == [MIDNIGHT] * 4


@pytest.mark.parametrize(
    "instants",
    [
        ("2026-03-02T00:00:00",),
        ("2026-03-02",),
        ("2026-03-02T00:00:00Z", "2026-03-02T00:00:00"),
        ("2026-03-02T00:00:00+01:00", "2026-03-02"),
        ("now",),
    ],
)
def test_naive_instants_are_refused(tmp_path: Path, instants: tuple[str, ...]) -> None:
    """One instant without a zone is enough; none is taken for UTC, and none for the wall clock."""
    with pytest.raises(
        NaiveTimestampError, match=r"accounts\.csv: created_at carries no zone; write it as 2026-03-02T"
    ):
        created(tmp_path, *instants)


def test_naive_parquet_is_refused(tmp_path: Path) -> None:
    """A typed column without a zone is as naive as text."""
    instants = pa.array([0], pa.timestamp("us"))
    with pytest.raises(NaiveTimestampError, match="carries no zone"):
        read_accounts(stored(tmp_path, account_id=pa.array(["a"]), created_at=instants))


@pytest.mark.parametrize("instant", ["yesterday", "02/03/2026", "1772409600", "2026-13-01T00:00:00Z", "an offset"])
def test_what_is_no_instant_is_refused(tmp_path: Path, instant: str) -> None:
    """Words, other orders of day and month, and epochs are not guessed at."""
    with pytest.raises(WrongTypeError, match=r"accounts\.csv: created_at holds what is no ISO 8601 time; give 2026-03"):
        created(tmp_path, "2026-03-02T00:00:00Z", instant)


@pytest.mark.parametrize("values", [pa.array([1772409600]), pa.array([1.5]), pa.array([True])])
def test_numbers_are_no_instants(tmp_path: Path, values: pa.Array) -> None:
    """A typed number in Parquet is no instant either, and no warning of a library comes with it."""
    with warnings.catch_warnings(), pytest.raises(WrongTypeError, match="no ISO 8601 time"):
        warnings.simplefilter("error")
        read_accounts(stored(tmp_path, account_id=pa.array(["a"]), created_at=values))


def test_all_null_instants_are_null(tmp_path: Path) -> None:
    """A column without a value says nothing and is no error."""
    assert created(tmp_path, "", "") == [None, None]


def test_an_account_twice_is_refused(tmp_path: Path) -> None:
    """Which row would count is not guessed."""
    with pytest.raises(
        AmbiguousColumnError, match=r"accounts\.csv: an account_id stands in two rows; keep one row per"
    ):
        read_accounts(written(tmp_path, "account_id,plan\na,free\na,pro\n"))


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    """Without `account_id` the nearest column is named."""
    with pytest.raises(MissingColumnError, match="no column 'account_id'; nearest: 'accountid'; name it account_id"):
        read_accounts(written(tmp_path, "accountid,plan\na,free\n"))


def test_rows_without_an_account_are_passed_over(tmp_path: Path) -> None:
    """A row that names nobody is about nobody."""
    assert read_accounts(written(tmp_path, "account_id,plan\n,free\na,pro\n")).to_pylist() == [
        {"account_id": "a", "plan": "pro"}
    ]


def test_text_columns_hold_text(tmp_path: Path) -> None:
    """A number where text belongs is refused in Parquet, where the type is known."""
    path = stored(tmp_path, account_id=pa.array(["a"]), payment_id=pa.array([17]))
    with pytest.raises(WrongTypeError, match=r"accounts\.parquet: a column holds what is not text; see the columns"):
        read_accounts(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01,\n", b"PAR1 and nothing more", b'a"b\n"c,d\n"'])
def test_what_is_neither_csv_nor_parquet(tmp_path: Path, content: bytes) -> None:
    """Empty, binary, cut short, badly quoted: an error of ours that names the file."""
    path = tmp_path / "accounts.csv"
    path.write_bytes(content)
    with pytest.raises((InputUnreadableError, MissingColumnError), match=r"accounts\.csv: "):
        read_accounts(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    """The system's reason is passed on."""
    with pytest.raises(InputUnreadableError, match=r"none.csv: accounts cannot be read \(No such file or directory\)"):
        read_accounts(tmp_path / "none.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder is refused like any other thing that is no file."""
    with pytest.raises(StillwatchError, match="accounts cannot be read"):
        read_accounts(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("account_id,payment_id\na,p\nb,p,q\n", "line 3: the record has 3 fields; the header has 2"),
        ("account_id,payment_id\na\n", "line 2: the record has 1 fields"),
        ("account_id,payment_id\nx,a,p\n", "line 2: the record has 3 fields"),
        ('account_id,payment_id\na,"p\nb,q\n', "line 2: a quote is opened and never closed"),
        ('account_id,payment_id\na,"p"\nb,"q"r\n', "line 3: text follows a closing quote"),
    ],
)
def test_a_malformed_record_refuses_the_file(tmp_path: Path, text: str, reason: str) -> None:
    """What belongs to one account is never read as another's: nothing is shifted, padded or guessed."""
    with pytest.raises(InputUnreadableError, match=reason):
        read_accounts(written(tmp_path, text))


def test_a_column_that_comes_twice_is_refused(tmp_path: Path) -> None:
    """In either kind of file, nobody knows which of two columns counts."""
    with pytest.raises(AmbiguousColumnError, match="'payment_id' more than once"):
        read_accounts(written(tmp_path, "account_id,payment_id,payment_id\na,p,q\n"))
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 2, ["account_id"] * 2), tmp_path / "twice.parquet")
    with pytest.raises(AmbiguousColumnError, match="'account_id' more than once"):
        read_accounts(tmp_path / "twice.parquet")
