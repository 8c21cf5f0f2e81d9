"""How fast a log is followed, how soon a finding is told, and what is held however long the stream is.

Run by `make bench`; asserts nothing. `STILLWATCH_BENCH_LOG` names a Parquet log to use instead of a generated one.
Everything runs on one processor; CPU seconds say more than the clock where the machine has other work.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.benchmarks.test_speed import ROOT, cost_of, log

__all__ = ["log"]

PIECE_ROWS, PIECES = 50_000, 12
#: Copies of a log, one after the other in time, under new names.
COPIES = 3
_PINNED = ["taskset", "-c", "0"] if shutil.which("taskset") else []
_OPTIONS = ("--threads", "1", "--quiet")
_COPY = {"csv": "(FORMAT csv, HEADER)", "jsonl": "(FORMAT json)", "parquet": "(FORMAT parquet)"}


def _source(log: Path) -> str:
    return f"read_csv('{log}', all_varchar = true)" if log.suffix == ".csv" else f"'{log}'"


def _cut(log: Path, folder: Path, kind: str, *, n: int, shift: int = 0, select: str = "*") -> int:
    """Write the first pieces of a log; gives how many rows they are."""
    folder.mkdir(exist_ok=True)
    rows = f"SELECT {select} FROM {_source(log)} LIMIT"
    sizes = []
    for place in range(n):
        part = f"{rows} {PIECE_ROWS} OFFSET {place * PIECE_ROWS}"
        path = folder / f"{shift + place:04d}.{kind}"
        sizes += duckdb.sql(f"SELECT count(*) FROM ({part})").fetchall()[0]
        if sizes[-1]:
            duckdb.sql(f"COPY ({part}) TO '{path}' {_COPY[kind]}")
    return int(sum(sizes))


def _watch(folder: Path, place: Path, *options: str) -> tuple[str, ...]:
    where = ("--state", str(place / "state"), "--out", str(place / "out"))
    return (*_PINNED, sys.executable, "-m", "detector", "watch", str(folder), *where, *_OPTIONS, *options)


def _clear(place: Path) -> None:
    for name in ("state", "out"):
        shutil.rmtree(place / name, ignore_errors=True)


def test_rate(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Events a second, of whole processes and of what a longer stream costs more, beside a run over the whole log."""
    lines = [
        f"{'':10}{'events':>10}{'clock s':>9}{'CPU s':>8}{'peak MB':>9}"
        f"{'events/CPU s':>14}{'sustained':>11}{'score CPU s':>13}"
    ]
    # The first process compiles kernels.
    _cut(log, tmp_path / "first", "csv", n=1)
    cost_of(*_watch(tmp_path / "first", tmp_path, "--once"))
    for kind in _COPY:
        found = []
        for n in (PIECES // 3, PIECES):
            folder = tmp_path / f"{kind}{n}"
            n_rows = _cut(log, folder, kind, n=n)
            _clear(tmp_path)
            found.append((n_rows, cost_of(*_watch(folder, tmp_path, "--once", "--idle", "never"))))
        (few, small), (many, large) = found
        command = (sys.executable, "-m", "detector", "score", str(folder), "--out", str(tmp_path / kind), *_OPTIONS)
        scored = cost_of(*_PINNED, *command)
        more_s = (large.cpu_s or 0) - (small.cpu_s or 0)
        sustained = f"{(many - few) / more_s:,.0f}" if many > few and more_s > 0 else ""
        lines.append(
            f"{kind:10}{many:10}{large.clock_s:9.1f}{large.cpu_s:8.1f}{large.peak_mb:9.0f}"
            f"{many / (large.cpu_s or 1):14,.0f}{sustained:>11}{scored.cpu_s:13.1f}"
        )
    with capsys.disabled():
        print("\n" + "\n".join(lines))


def test_latency(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the last line of a piece to the look that saw it, with a look every five seconds."""
    folder, live, delays = tmp_path / "pieces", tmp_path / "live", []
    _cut(log, folder, "csv", n=6)
    live.mkdir()
    status = tmp_path / "out" / "watch.json"
    process = subprocess.Popen(_watch(live, tmp_path, "--every", "5s"), cwd=ROOT)
    n_rows = 0
    for piece in sorted(folder.iterdir()):
        n_rows += sum(1 for _ in duckdb.sql(f"SELECT 1 FROM read_csv('{piece}', all_varchar = true)").fetchall())
        piece.rename(live / piece.name)
        began = time.monotonic()
        while process.poll() is None:
            if status.exists() and json.loads(status.read_text())["counts"]["n_rows"] >= n_rows:
                break
            time.sleep(0.05)
        delays.append(time.monotonic() - began)
        time.sleep(1.7)
    process.terminate()
    process.wait()
    with capsys.disabled():
        print("\nseconds to the look, --every 5s:", ", ".join(f"{delay:.1f}" for delay in delays))


def test_memory(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Peak memory over a stream and one three times as long, of ever new accounts, with and without forgetting."""
    folder, said = tmp_path / "copies", []
    (lasts_us,) = duckdb.sql(
        f"SELECT date_diff('us', min(occurred_at::TIMESTAMPTZ), max(occurred_at::TIMESTAMPTZ)) FROM"
        f" (FROM {_source(log)} LIMIT {2 * PIECE_ROWS})"
    ).fetchall()[0]
    days = lasts_us / 86_400e6 + 0.01
    for copy in range(COPIES):
        later = f"occurred_at::TIMESTAMPTZ + INTERVAL {round(copy * days * 86_400)} SECOND AS occurred_at"
        select = f"* REPLACE ({later}, account_id || '-{copy}' AS account_id)"
        _cut(log, folder, "csv", n=2, shift=2 * copy, select=select)
        for idle in (f"{days / 4:.4f}d", "never"):
            if copy in (0, COPIES - 1):
                _clear(tmp_path)
                cost = cost_of(*_watch(folder, tmp_path, "--once", "--idle", idle, "--every", "0s"))
                status = json.loads((tmp_path / "out" / "watch.json").read_text())["watch"]
                size = sum(path.stat().st_size for path in (tmp_path / "state").iterdir()) / 1e6
                said.append(
                    f"{copy + 1}x, --idle {idle:10} peak {cost.peak_mb:6.0f} MB, state {size:6.1f} MB, "
                    f"accounts {status['n_accounts_known']}, forgotten {status['forgotten']['n_accounts']}"
                )
    with capsys.disabled():
        print("\n" + "\n".join(said))
