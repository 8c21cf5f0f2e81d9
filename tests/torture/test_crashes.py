"""Killed, starved, on a failing disk, with changed files: right outputs or none. Minutes, so outside the default run.

With `--basetemp` on a file system in memory it takes half as long.
"""

import gzip
import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector import cli, errors
from detector.claims import KEPT, hidden
from detector.detectors.modelfile import load_model
from detector.errors import ModelError
from detector.keeping import kept_beside
from detector.pipeline import score
from detector.profiles.state import save
from detector.profiles.store import Profiles
from detector.reports.atomic import claimed
from detector.reports.publish import write_results
from detector.results import Results
from detector.settings import ScoreSettings, load
from tests.detector.profiles.test_state import check_damages
from tests.detector.worlds import COLUMNS, draw_events
from tests.torture.corpus import Figures
from tests.torture.faults import KINDS, Faults, injected
from tests.torture.runs import DEADLY, ROOT, Server, contents, draw, environment, vm_peak_of, write_parts

N_KILLS = 200
N_MUTATIONS = 1000
#: Kills of one run before it may end.
_IN_A_ROW = 4
Tell = Callable[[str], None]
#: Address space of which there is enough.
_CHARTS_BYTES = 100 << 30
#: Of us, and of the reader, which keeps a limit of its own.
_NO_MEMORY = (errors.MemoryLimitError.exit_code, errors.InputUnreadableError.exit_code)
_OPTIONS = ("--quiet", "--threads", "2", "--set", "policy.budget=0.05")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A process that starts runs."""
    made = Server(tmp_path)
    yield made
    made.close()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"log", "stderr.txt", "whole"}


@pytest.mark.parametrize("as_csv", [False, True])
def test_killed_at_any_instant_a_run_goes_on_to_the_same_bytes(
    tmp_path: Path, server: Server, as_csv: bool, tell: Tell, figures: Figures
) -> None:
    """A hundred kills each: nothing partial under a final name, and what ends is byte-equal, with nothing beside it."""
    write_parts(draw(2000), tmp_path / "log", 12, as_csv=as_csv)
    argv = ["score", str(tmp_path / "log"), *_OPTIONS[1:], "--set", "input.keep_s=0", "--out"]
    server.start(*argv, str(tmp_path / "whole"))
    assert server.end()[0] == 0
    whole, out, rng, most_s = contents(tmp_path / "whole"), tmp_path / "out", np.random.default_rng(1 + as_csv), 0.0
    n_kills, n_ended, n_resumed, in_a_row, cpu_s = 0, 0, 0, 0, server.cpu_s
    while n_kills < N_KILLS // 2 or in_a_row:
        is_killed = in_a_row < _IN_A_ROW and n_kills < N_KILLS // 2
        server.start(*argv, str(out), kill_cpu_s=float(rng.uniform(0.004, cpu_s)) if is_killed else 0.0)
        code, said = server.end()
        n_resumed += "an earlier run was cut off" in said
        assert code in (0, DEADLY), said
        if code:
            n_kills, in_a_row, most_s = n_kills + 1, in_a_row + 1, max(most_s, server.cpu_s)
            if n_kills % 20 == 0:
                tell(f"{n_kills} kills, {n_ended} ended, {n_resumed} went on")
        if not out.exists():
            assert code
            continue
        assert whole == contents(out)
        if not code:
            assert _names(tmp_path) == {"out"}
            n_ended, in_a_row = n_ended + 1, 0
        shutil.rmtree(out)
    told = f"{n_kills} kills up to {most_s:.2f} of {cpu_s:.2f} s; {n_ended} ended, byte-equal; {n_resumed} went on"
    figures.add(f"R11 kills, {'CSV' if as_csv else 'Parquet'}", told, "0 differ", holds=n_resumed > n_kills // 10)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What a run found."""
    files = write_parts(draw(3000), tmp_path_factory.mktemp("faults") / "log", 1)
    found = score(files, load(ScoreSettings, {"policy": {"budget": 0.05}}, where="test"))
    return Results(**vars(found) | {"run": {}})


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    """Some profiles to keep."""
    made = Profiles(COLUMNS)
    made.fold(draw_events(1))
    return made


def _write(results: Results, profiles: Profiles, out: Path) -> None:
    """Do all that a run does with files: claim, keep, keep again, write."""
    with claimed(out), kept_beside(out, print) as kept:
        for _ in range(2):
            save(profiles, kept.path, note={})
        write_results(results, out, report_accounts=2)


def _shown(out: Path) -> dict[str, bytes]:
    """Give what lies under final names."""
    paths = out.iterdir() if out.exists() else ()
    return {path.name: path.read_bytes() for path in paths if not path.name.startswith(".")}


def _place(folder: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> Path:
    """Give a new output: absent, below absent folders, or a folder that must be kept."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if way == "deep":
        return folder / "a" / "b" / "out"
    if way == "kept":
        (folder / "out").mkdir()
        monkeypatch.chdir(folder / "out")
    return folder / "out"


_FAULTS = [(kind, "absent") for kind in KINDS if kind != "kill"]
_FAULTS += [(kind, way) for kind in ("broken", "torn") for way in ("deep", "kept")]


@pytest.mark.parametrize(("kind", "way"), _FAULTS)
def test_whatever_operation_fails_there_is_one_message_and_nothing_else(
    results: Results, profiles: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], kind: str, way: str, figures: Figures,
) -> None:  # fmt: skip
    """Each open, write, sync, link, name and folder in turn: an exit code, a sentence, no output and no litter."""
    folder, at, codes = tmp_path / "work", 0, set[int]()
    monkeypatch.setattr(cli, "_add_plugins", lambda: None)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine").write_text("mine")
    with monkeypatch.context() as plain:
        _write(results, profiles, out := _place(folder, plain, way))
        whole = {path.name: path.read_bytes() for path in out.iterdir()}
    while True:
        at += 1
        out = _place(folder, monkeypatch, way)
        faults = Faults(kind, at, folder)
        monkeypatch.setattr(cli, "app", lambda: _write(results, profiles, out))  # noqa: B023
        code = 0
        with injected(faults):
            try:
                cli.main()
            except SystemExit as left:
                code = int(left.code or 0)
        said = capsys.readouterr().err
        found = _shown(out)
        if faults.n < at or kind == "short" or (kind == "interrupted" and not code):
            assert (code, found) == (0, whole)
            if faults.n < at:
                break
            continue
        assert (code > 2 or "no folder can be made there" in said, said.count("\n"), found) == (True, 1, {}), (at, said)
        codes.add(code)
        rest = {p for p in folder.rglob("*") if p != folder / "out" and not p.name.endswith(f".{KEPT}")}
        assert all(p.is_dir() and hidden(out, KEPT).is_relative_to(p) for p in rest), rest
    assert (tmp_path / "old" / "mine").read_text() == "mine"
    assert codes <= {2, errors.DiskFullError.exit_code, errors.WriteError.exit_code}
    told = f"failed at each of {at - 1} operations in turn, exit codes {sorted(codes)}"
    figures.add(f"R12 {kind}, {way}", told, "one message, nothing else", holds=at > 20)


@pytest.mark.parametrize("is_kept", [False, True])
def test_killed_after_any_operation_the_next_run_writes_all(
    tmp_path: Path, server: Server, is_kept: bool, tell: Tell, figures: Figures
) -> None:
    """After each open, write, sync, link and name: what is there is whole, and the next run leaves nothing else."""
    (log,) = write_parts(draw(1000), tmp_path / "log", 1)
    folder, argv = tmp_path / "work", ["score", log, *_OPTIONS, "--set", "input.keep_s=0", "--out"]
    out, code, at, n_whole = folder if is_kept else folder / "out", -1, 0, 0
    server.start(*argv, str(tmp_path / "whole"))
    assert server.end()[0] == 0
    whole = contents(tmp_path / "whole")
    while code:
        at += 1
        if at % 10 == 0:
            tell(f"killed after operation {at}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        server.start(*argv, str(out), folder=folder, kill_at=at)
        code, said = server.end()
        assert code in (0, -signal.SIGKILL), said
        shown = _shown(out)
        assert all(whole[name] == data for name, data in shown.items() if name != "run.json")
        server.start(*argv, str(out), folder=folder)
        if "run.json" in shown:
            n_whole += 1
            assert server.end()[0] == errors.OutputNotEmptyError.exit_code
        else:
            assert server.end() == (0, "")
        assert whole == contents(out)
        assert is_kept or _names(folder) == {"out"}
    told = f"killed after each of {at - 1} operations, {n_whole} had all outputs"
    figures.add(f"R11 operations, {'kept' if is_kept else 'new'} folder", told, "0 differ", holds=at > 20)


@pytest.mark.parametrize("what", ["AS", "DATA"])
def test_starved_of_memory_a_run_is_refused_or_right(what: str, tmp_path: Path, figures: Figures) -> None:
    """From more than enough down to a twentieth of the peak: outputs are right or absent, a refusal is one sentence.

    Of address space, which the engine of the charts reserves by the dozen gigabytes, and of what can be written to.
    """
    files = write_parts(draw(20_000), tmp_path / "log", 2)
    argv = ["score", *files, *_OPTIONS, "--out"]
    peak = vm_peak_of(*argv, str(tmp_path / "whole"))
    whole, ends = contents(tmp_path / "whole"), list[str]()
    limits = [_CHARTS_BYTES if what == "AS" else 2 * peak, *(peak * share // 100 for share in range(100, 0, -5))]
    for limit in limits:

        def starve(limit: int = limit) -> None:
            resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        done = subprocess.run(
            [sys.executable, "-m", "detector", *argv, str(tmp_path / "out")],
            preexec_fn=starve, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
        )  # fmt: skip
        is_clean = done.returncode in _NO_MEMORY and done.stderr.count("\n") == 1
        how = "right" if not done.returncode else "refused" if is_clean else f"{limit >> 20} MiB: {done.returncode}"
        ends.append(how)
        if (tmp_path / "out").exists():
            assert whole == contents(tmp_path / "out")
            shutil.rmtree(tmp_path / "out")
        else:
            assert done.returncode
        assert _names(tmp_path) == set()
    others = [end for end in ends if end not in ("right", "refused")]
    told = f"{ends.count('right')} right, {ends.count('refused')} refused; peak {peak >> 20} MiB {others or ''}"
    is_right = not others and ends[0] == "right"
    figures.add(f"R13 memory, {what}", told, "right, or exit 30 or 3 in a line", holds=is_right)


#: What says how a log was read, and not what was found.
_UNLIKE: dict[str, Any] = {"timings_s": {}, "settings": {}, "settings_digest": "", "inputs": [], "format": {}}


def _scored(files: list[str], out: Path, **given: Any) -> dict[str, Any]:
    settings = load(ScoreSettings, {"input": {"threads": 2, **given}, "policy": {"budget": 0.05}}, where="test")
    results = score(files, settings)
    results.run.update(_UNLIKE)
    write_results(results, out, report_accounts=5)
    found = contents(out)
    shutil.rmtree(out)
    return found


def test_nothing_depends_on_threads_chunks_or_the_order_of_files(tmp_path: Path, figures: Figures) -> None:
    """Every file is byte-equal for 1 to 8 threads, five sizes of chunks, shuffled files and shuffled rows."""
    log, out = draw(), tmp_path / "out"
    files, rng = write_parts(log, tmp_path / "log", 5), np.random.default_rng(2)
    whole = _scored(files, out)
    for threads in range(1, 9):
        assert whole == _scored(files, out, threads=threads), threads
    for batch_rows in (2048, 3000, 4096, 20_000, 1_000_000):
        assert whole == _scored(files, out, batch_rows=batch_rows), batch_rows
    for _ in range(5):
        assert whole == _scored([files[place] for place in rng.permutation(5)], out)
    pq.write_table(log.take(pa.array(rng.permutation(log.num_rows))), tmp_path / "shuffled.parquet")
    assert whole == _scored([str(tmp_path / "shuffled.parquet")], out)
    assert whole == _scored([str(tmp_path / "shuffled.parquet")], out, batch_rows=2048)
    figures.add("R8 threads, chunks, order", "8, 5, 5 + 2 shuffled: byte-equal", "0 differ", holds=True)


def test_nothing_depends_on_the_format(tmp_path: Path, figures: Figures) -> None:
    """CSV, JSON lines and Parquet, plain, .gz and .zst, give the same bytes."""
    log, out = draw(8000), tmp_path / "out"
    pq.write_table(log, tmp_path / "log.parquet")
    pa.csv.write_csv(log, tmp_path / "log.csv")
    with (tmp_path / "log.jsonl").open("w", encoding="utf-8") as lines:  # every digit, which pandas does not write
        lines.writelines(json.dumps(row, default=datetime.isoformat) + "\n" for row in log.to_pylist())
    for name in ("log.csv", "log.jsonl"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
        with pa.CompressedOutputStream(str(tmp_path / f"{name}.zst"), "zstd") as stream:
            stream.write(data)
    whole = _scored([str(tmp_path / "log.parquet")], out)
    for path in sorted(tmp_path.glob("log.[cj]*")):
        assert whole == _scored([str(path)], out), path.name
    figures.add("R8 formats", "7: Parquet, CSV and JSON lines, plain, gz, zst: byte-equal", "0 differ", holds=True)


def test_nothing_depends_on_the_environment(tmp_path: Path, figures: Figures) -> None:
    """Hash seeds, time zones and locales change no byte."""
    files, found = write_parts(draw(8000), tmp_path / "log", 2), []
    zones, locales = ("UTC", "Asia/Kathmandu", "America/St_Johns"), ("C", "C.UTF-8", "tr_TR.UTF-8")
    for seed, zone, locale in zip(("0", "1", "4242"), zones, locales, strict=True):
        argv = [sys.executable, "-m", "detector", "score", *files, *_OPTIONS, "--out", str(tmp_path / "out")]
        given = environment(PYTHONHASHSEED=seed, TZ=zone, LC_ALL=locale)
        subprocess.run(argv, check=True, cwd=ROOT, env=given, timeout=300)
        found.append(contents(tmp_path / "out"))
        shutil.rmtree(tmp_path / "out")
    assert found[0] == found[1] == found[2]
    figures.add("R8 hash seeds, zones, locales", "3 of each: byte-equal", "0 differ", holds=True)


def test_every_damage_to_what_is_kept_is_found(tmp_path: Path, profiles: Profiles, figures: Figures) -> None:
    """A thousand flips, cuts, additions, exchanges and blanks."""
    save(profiles, tmp_path / "kept", note={})
    n = check_damages(tmp_path / "kept", N_MUTATIONS, seed=9)
    figures.add("R15 damages to kept profiles", f"{n} of {n} refused", "all", holds=n > N_MUTATIONS * 3 // 4)


def test_every_mutation_of_a_model_is_refused_by_name(tmp_path: Path, figures: Figures) -> None:
    """A thousand flips, cuts, additions and exchanges in the shipped model, each named."""
    data = resources.files("detector.detectors").joinpath("combined.json").read_bytes()
    path, rng, n = tmp_path / "mutant.json", np.random.default_rng(5), 0
    while n < N_MUTATIONS:
        at, kind = int(rng.integers(len(data) - 8)), rng.integers(5)
        mutant = [
            data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :],
            data[:at],
            data[:at] + data[at : at + 1] + data[at:],
            data[:at] + data[at + 1 :],
            data[:at] + data[at : at + 8][::-1] + data[at + 8 :],
        ][kind]
        if mutant == data:
            continue
        n += 1
        path.write_bytes(mutant)
        with pytest.raises(ModelError, match=r"mutant\.json: "):
            load_model(path)
    figures.add("R22 mutations of the model", f"{n} of {n} refused by name", "all", holds=True)
