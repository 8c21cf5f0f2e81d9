import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from detector.engines.embedded import Log
from detector.errors import StillwatchError
from detector.logs.headers import read_csv_header, read_jsonl_header
from detector.logs.sources import inspect_file

TORTURE = Path(__file__).parents[4] / "shared" / "torture"
needs_torture = pytest.mark.skipif(not TORTURE.is_dir(), reason="the hostile files are not beside the checkout")

HEADER = ["request_id", "occurred_at", "account_id", "prompt", "ip", "output_tokens", "model", "finish_reason"]
PROMPTS = ("plain", "with, comma", "multi\nline, text\nend", 'say "x", "y"')

#: Files of ours with a known outcome: rows read and records rejected.
OUTCOMES = {
    "csv/own__cr_only.csv": (8, 0),
    "csv/own__giant_row_then_good.csv.gz": (10, 1),
    "csv/own__latin1_in_utf8.csv": (6, 1),
    "csv/own__nul_bytes.csv": (6, 1),
    "csv/own__truncated_last_record.csv": (9, 1),
    "csv/own__unclosed_quote_swallows_rest.csv": (220, 1),
    "json/own__100k_keys.jsonl.gz": (11, 0),
    "json/own__bom_crlf_blanklines.jsonl": (10, 0),
    "json/own__duplicate_account_id.jsonl": (10, 1),
    "json/own__one_line_64MB.jsonl.gz": (10, 1),
    "json/own__truncated_tail.jsonl": (10, 1),
}


@pytest.fixture
def polluted(tmp_path: Path) -> Path:
    """A clean log of 60 records, and copies of it with one fault each."""
    clean = tmp_path / "clean.csv"
    with clean.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for i in range(60):
            moment = f"2026-03-02T00:{i:02d}:00Z"
            writer.writerow([f"r{i}", moment, f"a{i % 7}", PROMPTS[i % 4], f"::{i}", i, "m", ("stop", "")[i % 2]])
    command = [sys.executable, str(TORTURE / "pollute.py"), str(clean), str(tmp_path / "out"), "--every", "13"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return tmp_path


@needs_torture
def test_one_bad_record_costs_no_other(
    polluted: Path, open_log: Callable[..., Log], drain: Callable[..., pa.Table]
) -> None:
    """Blast radius 0: all records but the damaged one load unchanged, and that one never with shifted values."""

    def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, int]]:
        log = open_log(path, max_rejects=1.0)
        rows = drain(log).to_pylist()
        for row in rows:
            row["prompt"] = row["prompt"].replace("\0", "")  # a NUL in a text is data
        log.close()
        return rows, log.counts()

    clean = {row["request_id"]: row for row in read(polluted / "clean.csv")[0]}
    for line in (polluted / "out" / "expect.jsonl").read_text().splitlines():
        expect = json.loads(line)
        if expect["rule"] != "others":
            continue
        try:
            rows, counts = read(polluted / "out" / expect["file"])
        except StillwatchError:
            assert len(expect["victims"]) == len(clean), expect["file"]
            continue
        found = {row["request_id"]: row for row in rows}
        damaged = {name for name in clean if found.get(name) != clean[name]}
        assert damaged <= set(expect["victims"]), expect["file"]
        assert not damaged or counts["n_rejected"], expect["file"]
        assert all(found[name] == clean[name] for name in found), expect["file"]


def by_hand(path: Path) -> dict[str, str]:
    """Map the columns as a user would who looks at the header."""
    file = inspect_file(path.name, str(path))
    header = read_csv_header(file, ",") if file.kind == "csv" else read_jsonl_header(file)
    names = [name for name in header.names if name]
    chosen = {"occurred_at": names[0], "account_id": names[-1], "prompt": names[-1]}
    known = {"occurred_at": "timestamp", "account_id": "account_id", "prompt": "prompt"}
    return {column: known[column] if known[column] in names else name for column, name in chosen.items()}


@needs_torture
@pytest.mark.parametrize("folder", ["csv", "json"])
def test_hostile_files_end_in_rows_or_one_clear_error(
    folder: str, open_log: Callable[..., Log], drain: Callable[..., pa.Table]
) -> None:
    """No crash, no hang, no silent loss; where the outcome is known, it is that."""
    for path in sorted((TORTURE / "dev" / folder).iterdir()):
        begin = time.monotonic()
        outcome = OUTCOMES.get(f"{folder}/{path.name}")
        try:
            log = open_log(path, map=by_hand(path), timezone="UTC", max_rejects=1.0)
            n_rows = drain(log).num_rows
            log.close()
            counts = log.counts()
            assert n_rows == counts["n_read"]
            assert outcome in (None, (counts["n_read"], counts["n_rejected"])), path.name
        except StillwatchError as error:
            assert outcome is None, path.name
            assert str(error).count("\n") == 0
        except IndexError:
            continue  # a header without a name has nothing to map
        assert time.monotonic() - begin < 20, path.name
