"""What grows and what does not: memory with the length of a log, time with the length of a hostile text (R9, R10)."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector.excerpts import redact
from detector.logs.objects import ObjectReader
from detector.logs.resync import ResyncReader
from detector.profiles.store import Profiles
from detector.reports.caveats import remark
from detector.reports.safe import safe_cell, safe_text
from tests.detector.worlds import COLUMNS, draw_events
from tests.torture.corpus import TORTURE, Figures, needs_torture
from tests.torture.trials import Server, serving

#: Rows of the shorter log: enough for every buffer of the reader to be full.
N_ROWS = 150_000
MOST_MEMORY, MOST_TIME, MOST_COLLIDING, MOST_MS = 1.25, 2.5, 3.0, 50.0
#: Characters of the shorter text; the other is twice as long.
LENGTH = 100_000
#: Shorter than this, and the clock shows its own grain [s].
_GRAIN_S = 0.004


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Runs the command line."""
    with serving() as found:
        yield found


def write(log: pa.Table, path: Path, *, times: int) -> None:
    """Write a log so many times over, later each time."""
    at = log.schema.get_field_index("occurred_at")
    parts = []
    for place in range(times):
        later = pa.compute.add(log.column(at), pa.scalar(place * 14 * 86_400_000_000, pa.duration("us")))
        parts.append(log.set_column(at, log.field(at), later.cast(log.field(at).type)))
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, log.schema) as writer:
            for part in parts:
                writer.write_table(part, row_group_size=50_000)
    elif path.suffix == ".csv":
        with pa.csv.CSVWriter(path, log.schema) as writer:
            for part in parts:
                writer.write_table(part)
    else:
        for part in parts:
            text = part.to_pandas().to_json(orient="records", lines=True, date_format="iso", date_unit="us")
            with path.open("a", encoding="utf-8") as lines:
                lines.write(text)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_ten_times_the_log_takes_hardly_more_memory(
    suffix: str, server: Server, tmp_path: Path, figures: Figures
) -> None:
    """R9: the same accounts, ten times their requests, fresh processes."""
    log = pa.Table.from_batches([draw_events(3, n=N_ROWS, accounts=400)])
    peaks = []
    for times in (1, 10):
        path = tmp_path / f"log.{suffix}"
        path.unlink(missing_ok=True)
        write(log, path, times=times)
        trial = server.run("score", str(path), "--out", str(tmp_path / f"out{times}"), "--quiet", "--threads", "2")
        assert trial.code == 0, trial.said
        assert json.loads((tmp_path / f"out{times}" / "run.json").read_text())["counts"]["n_read"] == N_ROWS * times
        peaks.append(trial.peak_kb)
    ratio = peaks[1] / peaks[0]
    told = f"{peaks[0] >> 10} MiB, {peaks[1] >> 10} MiB with ten times {N_ROWS:,} rows: {ratio:.2f}"
    figures.add(f"R9 memory, {suffix}", told, f"{MOST_MEMORY}", holds=ratio <= MOST_MEMORY)


def cpu_s(work: Callable[[str], object], text: str) -> float:
    """Time some work: the best of five, in seconds of this process."""
    took = []
    for _ in range(5):
        began = time.process_time()
        work(text)
        took.append(time.process_time() - began)
    return min(took)


def folded(text: str) -> Profiles:
    """Fold four requests that are that text everywhere."""
    rows = draw_events(1, n=4)
    for column in ("prompt", "system_prompt", "user_agent"):
        at = rows.schema.get_field_index(column)
        rows = rows.set_column(at, rows.schema.field(at), pa.array([text] * 4, rows.schema.field(at).type))
    profiles = Profiles(COLUMNS)
    profiles.fold(rows)
    return profiles


def resynced(text: str) -> int:
    """Read the text as it is between two records."""
    return sum(1 for _ in ResyncReader([b"a,b\n" + text.encode("utf-8", "replace") + b"\na,b\n"], 2))


def quoted(text: str) -> int:
    """Read the text as the field of a record that nobody escaped."""
    return sum(1 for _ in ResyncReader([b'a,"' + text.encode("utf-8", "replace") + b'"\na,b\n'], 2))


def parsed(text: str) -> int:
    """Read the text as a line of JSON, and as a text in one."""
    raw = text.encode("utf-8", "replace").replace(b"\n", b" ") + b"\n"
    return sum(1 for _ in ObjectReader([raw, b'{"a":' + json.dumps(text).encode() + b"}\n"], ()))


WORKS: dict[str, Callable[[str], object]] = {
    "folding": folded,
    "CSV, raw": resynced,
    "CSV, in quotes": quoted,
    "JSON": parsed,
    "excerpts": redact,
    "cells": safe_cell,
    "printing": safe_text,
    "remarks": remark,
}


def hostile_texts() -> list[str]:
    """Give the texts of the corpus that are slow to search, and some of ours."""
    lines = (TORTURE / "dev" / "strings" / "redos_and_quadratic.jsonl").read_text(encoding="utf-8").split("\n")
    ours = ["a b ", "\u0430p", '","', '"\n', "[{", "\\", "1.", "A1-", "password:", "::", "a@b."]
    return [json.loads(line) for line in lines if line] + ours


@needs_torture
@pytest.mark.parametrize("name", WORKS)
def test_hostile_text_takes_time_as_it_is_long(name: str, figures: Figures) -> None:
    """R10: twice the text, at most two and a half times the processor; a text as it comes takes its milliseconds."""
    work, worst, most_ms = WORKS[name], (0.0, ""), 0.0
    work("begin")
    for text in hostile_texts():
        most_ms = max(most_ms, cpu_s(work, text) * 1e3 / (4 if name == "folding" else 1))
        once, twice = (cpu_s(work, (text * (length // len(text) + 1))[:length]) for length in (LENGTH, 2 * LENGTH))
        worst = max(worst, (twice / max(once, _GRAIN_S), text[:8]))
    told = f"{worst[0]:.2f} times for {worst[1]!a}; a record at most {most_ms:.1f} ms"
    holds = worst[0] <= MOST_TIME and most_ms <= MOST_MS
    figures.add(f"R10 {name}, twice as long", told, f"{MOST_TIME}; {MOST_MS:.0f} ms", holds=holds)


@needs_torture
def test_names_that_collide_elsewhere_are_names_like_others(figures: Figures) -> None:
    """R10: ids of one hash in many languages take no longer than random ones, and stay as many accounts."""
    lines = (TORTURE / "dev" / "strings" / "hash_collisions_java31.jsonl").read_text().split("\n")
    colliding, rng = [json.loads(line) for line in lines if line], random.Random(3)
    alike = ["".join(rng.choices("ABab", k=len(name))) for name in colliding]
    took = []
    for names in (alike, colliding):
        rows = draw_events(2, n=40_000)
        for column in ("account_id", "payment_id", "prompt"):
            at = rows.schema.get_field_index(column)
            values = [names[place % len(names)] for place in range(rows.num_rows)]
            rows = rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))
        best = 1e9
        for _ in range(3):
            profiles, began = Profiles(COLUMNS), time.process_time()
            profiles.fold(rows)
            best = min(best, time.process_time() - began)
            assert len(profiles) == len(set(names))
        took.append(best)
    ratio = took[1] / took[0]
    told = f"{len(colliding)} accounts, {ratio:.2f} times as long as random names"
    figures.add("R10 colliding names", told, f"{MOST_COLLIDING:.0f}", holds=ratio <= MOST_COLLIDING)
