"""A log without texts is read as codes, and nobody can tell from what comes of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines.coded import NotCodedError, coded_batches
from detector.profiles.store import Profiles
from detector.reading import fold_log
from tests.detector.engines.small_csv import Opener

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
N = 5000


def textless(**changed: Any) -> pa.Table:
    """Make a log of network identity and tokens, some columns changed."""
    columns: dict[str, Any] = {
        "occurred_at": pa.array([BEGIN + timedelta(seconds=i) for i in range(N)], pa.timestamp("us", "UTC")),
        "account_id": [f"a{i % 7}" for i in range(N)],
        "ip": ["" if i % 5 == 0 else None if i % 5 == 1 else f"10.0.{i % 3}.{i % 11}" for i in range(N)],
        "payment_id": [f"pay-{i % 4}" for i in range(N)],
        "input_tokens": pa.array([None if i % 9 == 0 else i for i in range(N)], pa.int32()),
        "temperature": [0.5] * N,
    }
    return pa.table({**columns, **changed})


def written(path: Path, table: pa.Table, **options: Any) -> Path:
    """Write a Parquet file of several row groups."""
    pq.write_table(table, path, row_group_size=2000, **options)
    return path


def same(one: Profiles, other: Profiles) -> bool:
    """Tell whether profiles agree in every field."""
    left, right = one.trimmed(), other.trimmed()
    fields = [(a.tolist(), b.tolist()) for name in left for a, b in zip(left[name], right[name], strict=True)]
    names = one.account_ids == other.account_ids and one.names == other.names and one.filled == other.filled
    return names and left.keys() == right.keys() and str(fields) == str([(a, a) for a, _ in fields])


@pytest.mark.parametrize("use_dictionary", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_profiles_are_those_of_the_database(
    tmp_path: Path, open_log: Opener, monkeypatch: pytest.MonkeyPatch, use_dictionary: bool, threads: int
) -> None:
    """Whether columns came as codes or as texts, profiles are the same; empty texts and nulls are neither's value."""
    path = written(tmp_path / "log.parquet", textless(), use_dictionary=use_dictionary)
    log = open_log(path, batch_rows=2048)
    assert any(isinstance(batch.column("ip"), pa.DictionaryArray) for batch, _ in log.marked(is_coded=True))
    coded = fold_log(log, threads=threads)
    assert log.counts()["n_read"] == N
    monkeypatch.setattr("detector.engines.scans.coded_batches", _refuse)
    assert same(fold_log(open_log(path, batch_rows=2048), threads=1), coded)


def _refuse(*_: Any) -> Any:
    raise NotCodedError


def test_texts_come_plain_unless_codes_are_asked_for(tmp_path: Path, open_log: Opener) -> None:
    """Who asks for a log's batches gets the canonical types."""
    log = open_log(written(tmp_path / "log.parquet", textless()))
    assert {batch.schema.field("account_id").type for batch in log.batches()} == {pa.string()}


def test_a_name_that_no_row_has_is_no_account(tmp_path: Path, open_log: Opener) -> None:
    """A dictionary may name what no row of the file, or of the window, holds."""
    names = pa.DictionaryArray.from_arrays(pa.array([1 + (i >= 10) for i in range(N)]), ["ghost", "early", "late"])
    log = open_log(written(tmp_path / "log.parquet", textless(account_id=names)))
    assert fold_log(log, threads=1).account_ids == ["early", "late"]
    begin_us = round(BEGIN.timestamp() * 1e6)
    assert fold_log(log, threads=1, window_us=(begin_us, begin_us + 5_000_000)).account_ids == ["early"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("account_id", ""), ("account_id", None), ("account_id", "a\0b"), ("input_tokens", -1), ("occurred_at", None)],
)
def test_a_bad_record_late_in_the_file_is_set_aside(
    tmp_path: Path, open_log: Opener, column: str, value: object
) -> None:
    """The record is rejected with its line, and all others are folded, as by the database."""
    table = textless()
    values = table.column(column).to_pylist()
    values[N - 2] = value
    place = table.schema.get_field_index(column)
    bad = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
    log = open_log(written(tmp_path / "log.parquet", bad), batch_rows=2048)
    profiles = fold_log(log, threads=2)
    assert log.rejected().column("line").to_pylist() == [N - 1]
    assert profiles.states["volume"].n_requests.sum() == N - 1


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": pa.array([float("nan")] * N)},
        {"temperature": pa.array([0.5] * N, pa.float32())},
        {"input_tokens": pa.array([1] * N, pa.uint64())},
        {"account_id": pa.array([b"\xff"] * N, pa.binary()).view(pa.string())},
        {"occurred_at": pa.array([BEGIN.replace(year=2201)] * N, pa.timestamp("us", "UTC"))},
        {"occurred_at": pa.array([BEGIN] * N, pa.timestamp("ms", "UTC"))},
    ],
)
def test_what_is_not_canonical_is_left_to_the_database(tmp_path: Path, changed: dict[str, pa.Array]) -> None:
    """No value is judged or converted here."""
    path = written(tmp_path / "log.parquet", textless(**changed))
    columns = textless().column_names
    with pytest.raises(NotCodedError):
        list(coded_batches(str(path), {name: name for name in columns}, columns, 2048))
