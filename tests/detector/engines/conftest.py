"""A small log in every form a log comes in, and readers of it."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine, Log, Restart
from detector.settings import InputSettings
from detector.tables import EVENTS

HEADER = ("occurred_at", "account_id", "prompt", "input_tokens", "temperature", "wants_logprobs", "model")
ROWS = (
    ("2026-03-02T00:00:00.004655Z", "a1", 'say "hi", twice\nplease', "12", "0.5", "true", "m"),
    ("2026-03-02T01:00:01+01:00", "ü2", "", "", "", "", ""),
    ("2026-03-02T00:00:02Z", "a1", "naïve 🙂", "0", "-1", "false", "m,n"),
)

Opener = Callable[..., Log]


def csv_bytes(rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER, ending: str = "\n") -> bytes:
    """Write rows as the standard library writes CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def jsonl_bytes(rows: Sequence[Sequence[str]] = ROWS, header: Sequence[str] = HEADER) -> bytes:
    """Write rows as JSON lines; an empty value is left out."""
    objects = ({name: value for name, value in zip(header, row, strict=True) if value} for row in rows)
    return b"".join(json.dumps(item).encode() + b"\n" for item in objects)


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Opener]:
    """Open logs that are closed at the end of the test; no temporary file may be left then."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    opened: list[Log] = []

    def opener(*patterns: Path | str, **settings: Any) -> Log:
        engine = EmbeddedEngine(InputSettings(**{"threads": 1, **settings}))
        opened.append(engine.open([str(pattern) for pattern in patterns], scratch=scratch))
        return opened[-1]

    yield opener
    for log in opened:
        log.close()
    assert list(scratch.iterdir()) == []


@pytest.fixture
def drain() -> Callable[..., pa.Table]:
    """Read a log to the end as a caller does, beginning again once when told to."""

    def reader(log: Log, columns: Sequence[str] | None = None) -> pa.Table:
        schema = pa.schema([EVENTS.field(c) for c in log.columns if columns is None or c in columns])
        try:
            return pa.Table.from_batches(list(log.batches(columns)), schema=schema)
        except Restart:
            return pa.Table.from_batches(list(log.batches(columns)), schema=schema)

    return reader


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a CSV file of the small log, or of what is given."""

    def write(*args: Any, name: str = "log.csv", **kwargs: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(args[0] if args and isinstance(args[0], bytes) else csv_bytes(*args, **kwargs))
        return path

    return write


@pytest.fixture
def same_log(tmp_path: Path, csv_file: Callable[..., Path]) -> dict[str, Path]:
    """The same log in every form."""
    plain = csv_file()
    forms = {"csv": plain}
    payloads = {
        "crlf.csv": csv_bytes(ending="\r\n"),
        "bom.csv": b"\xef\xbb\xbf" + csv_bytes(),
        "log.jsonl": jsonl_bytes(),
        "log.csv.gz": gzip.compress(csv_bytes()),
        "log.jsonl.gz": gzip.compress(jsonl_bytes()),
        "disguised.csv": gzip.compress(csv_bytes()),
        "log.csv.zst": pa.compress(csv_bytes(), "zstd", asbytes=True),
        "log.jsonl.zst": pa.compress(jsonl_bytes(), "zstd", asbytes=True),
    }
    for name, payload in payloads.items():
        forms[name] = tmp_path / name
        forms[name].write_bytes(payload)
    forms["parquet"] = tmp_path / "log.parquet"
    values = [[value or None for value in column] for column in zip(*ROWS, strict=True)]
    pq.write_table(pa.table(dict(zip(HEADER, values, strict=True))), forms["parquet"])
    return forms
