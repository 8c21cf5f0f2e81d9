"""Reading that cannot be fooled: any file ends in rows or in one clear error, within bounds of time and memory."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.corpus import Figures, hostile_file, manifest, needs_torture
from tests.torture.trials import MAX_KB, MAX_S, Server, Trial, serving

READERS = ("csv", "jsonl", "parquet")
HEAD = b"occurred_at,account_id,prompt,output_tokens\n"
ROW = b"2026-03-02T00:00:01Z,a,p,1\n"
OBJECT = b'{"occurred_at":"2026-03-02T00:00:01Z","account_id":"a"}\n'
#: Small files that unfold to 30 MB of what is slow to refuse.
BOMBS = {
    "blank.csv.gz": HEAD + ROW + b"\n" * (30 << 20),
    "fields.csv.gz": HEAD + ROW + b"x\n" * (15 << 20),
    "empty.csv.gz": HEAD + ROW + b",,,\n" * (7 << 20),
    "quotes.csv.gz": HEAD + ROW + b'"\n' * (15 << 20),
    "blank.jsonl.gz": OBJECT + b"\n" * (30 << 20),
    "empty.jsonl.gz": OBJECT + b"{}\n" * (10 << 20),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Runs the command line."""
    with serving() as found:
        yield found


def scored(server: Server, path: Path, folder: Path, *, by_hand: Path | None = None) -> Trial:
    """Score a log with whatever share of bad records."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    options = ("--timezone", "UTC", "--max-rejects", "1", "--quiet")
    return server.run("score", str(path), "--out", str(out), *options, by_hand=by_hand, cwd=folder)


@needs_torture
def test_the_material_is_whole(figures: Figures) -> None:
    """Every file that the manifest names is there."""
    missing = [entry["file"] for entry in manifest() if not hostile_file(entry).is_file()]
    figures.add("material", f"{len(missing)} files missing", "0", holds=not missing)


@needs_torture
@pytest.mark.parametrize("folder", ["parquet", "json", "strings", "csv"])
def test_every_file_ends_in_a_documented_way(folder: str, server: Server, tmp_path: Path, figures: Figures) -> None:
    """R1: by every reader, without traceback, signal, much time or much memory; R7: what must be refused is refused."""
    faults, taken, n_runs, slowest, most_kb = [], [], 0, 0.0, 0
    for entry in manifest():
        if not str(entry["file"]).startswith(folder + "/"):
            continue
        for reader in READERS:
            path = tmp_path / f"log.{reader}"
            path.unlink(missing_ok=True)
            path.symlink_to(hostile_file(entry))
            trial = scored(server, path, tmp_path, by_hand=path)
            n_runs, slowest, most_kb = n_runs + 1, max(slowest, trial.wall_s), max(most_kb, trial.peak_kb)
            faults += [(entry["file"], reader, fault) for fault in trial.faults]
            taken += [(entry["file"], reader)] * (entry["expect"] == "reject" and trial.code == 0)
    told = f"{n_runs} runs, {len(faults)} faults {faults[:3] or ''}, at most {slowest:.1f} s, {most_kb >> 10} MiB"
    figures.add(f"R1 {folder}", told, f"0; {MAX_S} s, {MAX_KB >> 10} MiB", holds=not faults)
    figures.add(f"R7 {folder}: must be refused, is read", f"{len(taken)} {taken[:3] or ''}", "0", holds=not taken)


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_cannot_cost_much(name: str, server: Server, tmp_path: Path, figures: Figures) -> None:
    """R9: what unfolds a thousandfold is read or refused within the bounds of any file."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(BOMBS[name], 6))
    trial = scored(server, path, tmp_path)
    told = f"code {trial.code}, {trial.wall_s:.1f} s, {trial.peak_kb >> 10} MiB"
    figures.add(f"R9 bomb {name}", told, f"{MAX_S} s, {MAX_KB >> 10} MiB", holds=not trial.faults)
