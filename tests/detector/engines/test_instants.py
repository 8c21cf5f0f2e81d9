"""Instants of every spelling and type are understood, and naive ones refused."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import (
    NaiveTimestampError,
)
from tests.detector.engines.small_csv import Drain, Opener, Writer


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1772409600", "2026-03-02T00:00:00+00:00"),
        ("1772409600.123456", "2026-03-02T00:00:00.123456+00:00"),
        ("1772409600123", "2026-03-02T00:00:00.123000+00:00"),
        ("1772409600123456", "2026-03-02T00:00:00.123456+00:00"),
        ("1772409600123456789", "2026-03-02T00:00:00.123456+00:00"),
        ("1.772409600e9", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02T05:30:00.1234567+0530", "2026-03-02T00:00:00.123456+00:00"),
        ("2026-03-01 19:00:00-05", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02T00:00Z", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02 00:00:00 UTC", "2026-03-02T00:00:00+00:00"),
    ],
)
def test_instants_are_understood(
    text: str, moment: str, csv_file: Writer, open_log: Opener, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ISO 8601 with a zone, and numbers by their magnitude; the machine's zone changes nothing."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    log = open_log(csv_file([[text, "a"]], ["occurred_at", "account_id"]))
    (found,) = drain(log).column("occurred_at").cast(pa.timestamp("us", "UTC")).to_pylist()
    monkeypatch.undo()
    time.tzset()
    assert found == datetime.fromisoformat(moment)


def test_naive_instants_are_refused(csv_file: Writer, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Unless a zone is given; in a zoned file a naive record is merely a bad one."""
    path = csv_file([["2026-03-02 00:00:00", "a"]] * 3, ["occurred_at", "account_id"])
    with pytest.raises(NaiveTimestampError, match=r"log\.csv: line 2: occurred_at carries no zone.*--timezone UTC"):
        drain(open_log(path))
    table = drain(open_log(path, timezone="Europe/Berlin"))
    assert table.column("occurred_at").to_pylist()[0] == datetime(2026, 3, 1, 23, tzinfo=UTC)
    typed = tmp_path / "naive.parquet"
    pq.write_table(pa.table({"occurred_at": [datetime(2026, 3, 2)], "account_id": ["a"]}), typed)
    with pytest.raises(NaiveTimestampError, match=r"naive\.parquet: column 'occurred_at' has type TIMESTAMP"):
        open_log(typed)
    assert drain(open_log(typed, timezone="UTC")).num_rows == 1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_instants_of_every_type_work(unit: str, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Zoned, naive with a zone given, and numbers."""
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    for type_ in (pa.timestamp(unit, "UTC"), pa.timestamp(unit)):
        plain = moment if type_.tz else moment.replace(tzinfo=None)
        path = tmp_path / f"{unit}-{type_.tz}.parquet"
        pq.write_table(pa.table({"occurred_at": pa.array([plain], type_), "account_id": ["a"]}), path)
        assert drain(open_log(path, timezone="UTC")).column("occurred_at").to_pylist() == [moment]
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    path = tmp_path / "number.parquet"
    pq.write_table(pa.table({"occurred_at": [int(moment.timestamp()) * scale], "account_id": [7]}), path)
    assert drain(open_log(path)).to_pylist() == [{"occurred_at": moment, "account_id": "7"}]
