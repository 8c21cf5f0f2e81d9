"""What cannot be read is one error that says what to do, and nothing else is reached."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.errors import (
    AmbiguousColumnError,
    ConfigError,
    EmptyInputError,
    InputUnreadableError,
    MissingColumnError,
    StillwatchError,
    WrongTypeError,
)
from detector.settings import InputSettings
from tests.detector.engines.small_csv import HEAD, Drain, Opener, Writer


def test_errors_say_what_to_do(csv_file: Writer, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Every way a log can be unusable has one sentence that names the file, the cause and the remedy."""
    with pytest.raises(ConfigError, match=r"--map: no canonical column is called 'acount_id'; nearest: 'account_id'"):
        EmbeddedEngine(InputSettings(map={"acount_id": "x"}))
    with pytest.raises(ConfigError, match="--timezone: no time zone has the name 'Mars'"):
        EmbeddedEngine(InputSettings(timezone="Mars"))
    cases: list[tuple[bytes, type[StillwatchError], str]] = [
        (b"", EmptyInputError, "the file is empty"),
        (b"occurred_at,account\n1,2\n", MissingColumnError, r"no column for account_id.*nearest: 'account'.*--map acc"),
        (b"occurred_at;account_id\n1;2\n", MissingColumnError, "the delimiter looks like a semicolon"),
        (b"occurred_at\taccount_id\n1\t2\n", MissingColumnError, "the delimiter looks like a tab"),
        (b"the secret, 1 2 3!\n", MissingColumnError, "does not look like a header"),
        (b"account_id,account_id\n1,2\n", AmbiguousColumnError, "names 'account_id' more than once"),
        (
            b"occurred_at,account_id,Account_ID\n1,2,3\n",
            AmbiguousColumnError,
            "'account_id' and 'Account_ID' differ by",
        ),
        (b"occurred_at,account_id, account_id\n1,2,3\n", AmbiguousColumnError, "'account_id' and ' account_id' differ"),
        ("occurred_at,account_id\n".encode("utf-16"), InputUnreadableError, "UTF-16"),
        (b"\x7fELF\x00\x00\x00", InputUnreadableError, "binary, not text"),
        (b"PK\x03\x04", InputUnreadableError, "a zip archive"),
        (b"[{}]", InputUnreadableError, "a JSON array"),
        (b"PAR1 no", InputUnreadableError, "not a whole Parquet file"),
        (b"\x1f\x8b\x08\x00", InputUnreadableError, "gzip stream is cut short"),
        (b"caf\xe9,x\n1,2\n", InputUnreadableError, "not UTF-8"),
    ]
    for payload, error, message in cases:
        path = csv_file(payload, name="case.csv")
        with pytest.raises(error, match=f"case.csv: .*{message}") as caught:
            open_log(path)
        assert "secret" not in str(caught.value)
    with pytest.raises(InputUnreadableError, match=r"absent\.csv: it cannot be opened \(No such file or directory\)"):
        open_log(tmp_path / "absent.csv")
    with pytest.raises(InputUnreadableError, match="no file matches"):
        open_log(tmp_path / "*.nothing")
    with pytest.raises(InputUnreadableError, match="the folder holds no file ending in"):
        (tmp_path / "void").mkdir()
        open_log(tmp_path / "void")


def test_a_compressed_file_cut_short_is_refused(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A truncated stream never passes for a short log."""
    import gzip

    random = os.urandom(40_000).hex()
    whole = gzip.compress(
        HEAD + b"".join(b"2026-03-02T00:00:00Z,a,%s,1\n" % random[i : i + 80].encode() for i in range(0, 80_000, 80))
    )
    for payload in (whole[: len(whole) // 2], whole[:-4]):
        with pytest.raises(InputUnreadableError, match="its gzip stream is cut short"):
            drain(open_log(csv_file(payload, name="cut.csv.gz")))


def test_types_that_cannot_be_a_field_are_refused(tmp_path: Path, open_log: Opener) -> None:
    """A list is no prompt, and two columns of one name are no account."""
    path = tmp_path / "log.parquet"
    base = {"occurred_at": [datetime(2026, 3, 2, tzinfo=UTC)], "account_id": ["a"]}
    for values, type_ in (([["x"]], r"VARCHAR\[\]"), ([{"x": 1}], "STRUCT"), ([b"x"], "BLOB")):
        pq.write_table(pa.table({**base, "prompt": values}), path)
        with pytest.raises(WrongTypeError, match=rf"log\.parquet: column 'prompt' has type {type_}.*--map prompt"):
            open_log(path)
    twice = pa.table([base["occurred_at"], ["a"], ["b"]], names=["occurred_at", "account_id", "account_id"])
    pq.write_table(twice, path)
    with pytest.raises(AmbiguousColumnError, match="names 'account_id' more than once"):
        open_log(path)


def test_the_database_reaches_nothing_but_the_log(csv_file: Writer, open_log: Opener) -> None:
    """Neither another file nor another setting is within reach of a query."""
    import duckdb

    log = open_log(csv_file())
    other = csv_file(name="other.csv")
    with pytest.raises(duckdb.PermissionException):
        log._session.execute(f"SELECT * FROM read_csv('{other}')")
    with pytest.raises(duckdb.InvalidInputException):
        log._session.execute("SET enable_external_access = true")
