"""Reading that cannot be fooled: any file ends in rows or in one clear error, within bounds of time and memory."""

import csv
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
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


def told_of(trials: list[Trial], faults: list[tuple[str, str, str]]) -> str:
    """Tell what runs did, by their codes, and what was the worst of each."""
    codes = ", ".join(f"{n} x {code}" for code, n in sorted(Counter(trial.code for trial in trials).items()))
    wall_s, cpu_s, kb = (max(getattr(trial, what) for trial in trials) for what in ("wall_s", "cpu_s", "peak_kb"))
    most = f"at most {wall_s:.1f} s, {cpu_s:.1f} s of processor, {kb >> 10} MiB"
    return f"{len(trials)} runs ({codes}), {len(faults)} faults {faults[:3] or ''}, {most}"


def does_not_add_up(out: Path, trial: Trial) -> list[str]:
    """Say what does not add up in the outputs of a run; a run that was refused has none."""
    if trial.code:
        return ["outputs of a refused run"] * out.exists()
    counts = json.loads((out / "run.json").read_text())["counts"]
    n_events = sum(pq.read_table(out / "accounts.parquet", columns=["n_events"])["n_events"].to_pylist())
    with (out / "rejected.csv").open(newline="", encoding="utf-8") as file:
        n_listed = sum(1 for _ in csv.reader(file)) - 1
    wrong = {
        "rows": counts["n_rows"] != counts["n_read"] + counts["n_rejected"],
        "requests of accounts": n_events != counts["n_read"],
        "rejects": n_listed != counts["n_rejected"],
    }
    return [what for what, is_so in wrong.items() if is_so]


@needs_torture
def test_the_material_is_whole(figures: Figures) -> None:
    """Every file that the manifest names is there."""
    missing = [entry["file"] for entry in manifest() if not hostile_file(entry).is_file()]
    figures.add("material", f"{len(missing)} files missing", "0", holds=not missing)


@needs_torture
@pytest.mark.parametrize("folder", ["parquet", "json", "strings", "csv"])
def test_every_file_ends_in_a_documented_way(
    folder: str, server: Server, tmp_path: Path, figures: Figures, tell: Callable[[str], None]
) -> None:
    """R1: by every reader, without traceback, signal, much time or much memory; R7: what must be refused is refused."""
    faults, taken, off, n_read, trials = [], [], [], 0, list[Trial]()
    for entry in manifest():
        if not str(entry["file"]).startswith(folder + "/"):
            continue
        for reader in READERS:
            path = tmp_path / f"log.{reader}"
            path.unlink(missing_ok=True)
            path.symlink_to(hostile_file(entry))
            trial = scored(server, path, tmp_path, by_hand=path)
            trials.append(trial)
            faults += [(entry["file"], reader, fault) for fault in trial.faults]
            taken += [(entry["file"], reader)] * (entry["expect"] == "reject" and trial.code == 0)
            off += [(entry["file"], reader, what) for what in does_not_add_up(tmp_path / "out", trial)]
            n_read += trial.code == 0
            if len(trials) % 150 == 0:
                tell(f"{len(trials)} runs, {len(faults)} faults")
    figures.add(f"R1 {folder}", told_of(trials, faults), f"0; {MAX_S} s, {MAX_KB >> 10} MiB", holds=not faults)
    figures.add(f"R2 {folder}", f"{n_read} read, {len(off)} off {off[:3] or ''}", "0 off", holds=not off)
    figures.add(f"R7 {folder}: must be refused, is read", f"{len(taken)} {taken[:3] or ''}", "0", holds=not taken)


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_cannot_cost_much(name: str, server: Server, tmp_path: Path, figures: Figures) -> None:
    """R9: what unfolds a thousandfold is read or refused within the bounds of any file."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(BOMBS[name], 6))
    trial = scored(server, path, tmp_path)
    told = f"code {trial.code}, {trial.wall_s:.1f} s, {trial.peak_kb >> 10} MiB"
    figures.add(f"R9 bomb {name}", told, f"{MAX_S} s, {MAX_KB >> 10} MiB", holds=not trial.faults)
