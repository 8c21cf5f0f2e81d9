import csv
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engines.embedded import EmbeddedEngine
from detector.settings import InputSettings

NASTY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\",\n\r\t; '\\"), max_size=12)
ROWS = st.lists(st.tuples(NASTY.filter(lambda name: name and "\0" not in name), NASTY), min_size=1, max_size=6)
NAMES = ("account_id", "prompt", "occurred_at")
MOMENT = "2026-03-02T00:00:00Z"


def read(payload: bytes, *, exact: bool) -> list[tuple[str, str]]:
    """Account and prompt of each record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(payload)
        with EmbeddedEngine(InputSettings(threads=1)).open([str(path)]) as log:
            if exact:
                log._exact = set(log._scans)
            rows = pa.Table.from_batches(list(log.batches())).to_pylist()
            assert log.counts()["n_rejected"] == 0
    return [(row["account_id"], row["prompt"] or "") for row in rows]


def csv_payload(rows: Sequence[tuple[str, str]], ending: str) -> bytes:
    """The rows as the standard library writes CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending)
    writer.writerow(NAMES)
    writer.writerows([(*row, MOMENT) for row in rows])
    return text.getvalue().encode()


def parquet_payload(rows: Sequence[tuple[str, str]]) -> bytes:
    """The rows as Arrow writes Parquet."""
    sink = pa.BufferOutputStream()
    accounts, prompts = zip(*rows, strict=True)
    pq.write_table(pa.table([accounts, prompts, [MOMENT] * len(rows)], names=NAMES), sink)
    return sink.getvalue().to_pybytes()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=ROWS, ending=st.sampled_from(["\n", "\r\n"]), exact=st.booleans())
def test_any_text_survives_csv(rows: list[tuple[str, str]], ending: str, exact: bool) -> None:
    """What the standard library writes as CSV reads back equal, both ways."""
    assert read(csv_payload(rows, ending), exact=exact) == rows


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rows=ROWS, is_ascii=st.booleans(), exact=st.booleans())
def test_any_text_survives_json_lines(rows: list[tuple[str, str]], is_ascii: bool, exact: bool) -> None:
    """What the standard library writes as JSON reads back equal, both ways."""
    objects = [dict(zip(NAMES, (*row, MOMENT), strict=True)) for row in rows]
    payload = "".join(json.dumps(item, ensure_ascii=is_ascii) + "\n" for item in objects)
    assert read(payload.encode(), exact=exact) == rows


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows=ROWS, exact=st.booleans())
def test_any_text_survives_parquet(rows: list[tuple[str, str]], exact: bool) -> None:
    """What Arrow writes as Parquet reads back equal, both ways."""
    assert read(parquet_payload(rows), exact=exact) == rows
