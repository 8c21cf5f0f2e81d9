"""A rehearsal's folder: the log is that of the open loop, the same bytes from the same seed, whole or not at all."""

import errno
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import ConfigError, OutputNotEmptyError, UsageError
from simulations.generate import generate
from simulations.loop.defence import DefenceSettings
from simulations.loop.rehearsal import Rehearsal
from simulations.loop.simulate import looks_beside, simulate
from simulations.settings import ScenarioSettings
from simulations.writers import log_writer
from tests.simulations.loop.play import OBSERVE, attack_of, defence_of, world_of

FILES = {
    "events.parquet", "truth.parquet", "accounts.parquet", "ledger.parquet", "scenario.toml", "defence.toml",
    "attack.toml", "rehearsal.json", "outcome.json", "report.html",
}  # fmt: skip
#: How often the default run kills a rehearsal; more by hand.
KILLS = int(os.environ.get("STILLWATCH_KILLS", "5"))
ADAPTIVE: dict[str, Any] = {
    "respawn": {"is_on": True, "delay_days": 0.0, "per_day": 9},
    "tactics": [{"do": "split"}, {"do": "paraphrase"}],
    "pathways": [{"name": "same", "pool": 0.5}, {"name": "bought", "parameters": {"payments": 0}}],
}


def rehearsal_of(scenario: ScenarioSettings | None = None, **defence: Any) -> Rehearsal:
    """A defender who sees for itself and looks twice a day, and a campaign that reacts."""
    settings = defence_of(cadence_days=0.5, review={"delay_days": 0.0}, **defence)
    return Rehearsal(scenario or world_of(text=True), settings, attack_of(**ADAPTIVE))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of a rehearsal that nothing cut off."""
    out = tmp_path_factory.mktemp("whole") / "out"
    simulate(rehearsal_of(), out)
    assert not looks_beside(out).exists()
    return contents(out)


# -- bytes


@pytest.mark.parametrize("attack", [{}, ADAPTIVE])
def test_an_observed_world_is_the_generated_one(tmp_path: Path, attack: dict[str, Any]) -> None:
    """With a defence that only observes, log, accounts and truth are those of `generate`, with reserves or not."""
    scenario = world_of(text=True)
    simulate(Rehearsal(scenario, defence_of(measures=OBSERVE), attack_of(**attack)), tmp_path / "simulated")
    generate(scenario, tmp_path / "generated")
    simulated, generated = contents(tmp_path / "simulated"), contents(tmp_path / "generated")
    for name in ("events.parquet", "accounts.parquet", "truth.parquet", "scenario.toml"):
        assert simulated[name] == generated[name], name


@pytest.mark.parametrize("workers", [1, 3])
def test_same_seed_same_bytes(whole: dict[str, bytes], tmp_path: Path, workers: int) -> None:
    """Every file has the same bytes in every run, whatever the number of workers."""
    simulate(rehearsal_of(), tmp_path / "out", workers=workers)
    assert set(whole) == FILES
    assert [name for name, found in contents(tmp_path / "out").items() if found != whole[name]] == []


def test_chunks_change_nothing(whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of requests that are written at a time changes no decision, no request and no figure."""
    monkeypatch.setattr("simulations.loop.engine.CHUNK_ROWS", 97)
    simulate(rehearsal_of(), tmp_path / "out", workers=2)
    found = contents(tmp_path / "out")
    assert [name for name in FILES - {"outcome.json"} if found[name] != whole[name]] == []
    assert _rounded(json.loads(found["outcome.json"])) == _rounded(json.loads(whole["outcome.json"]))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return round(value, 6) if isinstance(value, float) else value


def test_another_seed_other_bytes(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Another seed is another world, under the same defence and attack."""
    simulate(rehearsal_of(world_of(text=True, seed=6)), tmp_path / "out")
    same = {name for name, found in contents(tmp_path / "out").items() if found == whole[name]}
    assert same == {"defence.toml", "attack.toml"}


def test_the_folder_holds_together(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Truth and accounts name exactly those who sent a request, and counts are those of the log."""
    for name, data in whole.items():
        (tmp_path / name).write_bytes(data)
    events, truth, accounts, ledger = (
        pq.read_table(tmp_path / f"{name}.parquet").to_pandas() for name in ("events", "truth", "accounts", "ledger")
    )
    sent = events.groupby("account_id").size()
    assert truth.set_index("account_id")["n_events"].to_dict() == sent.to_dict()
    assert accounts["account_id"].tolist() == sorted(sent.index)
    outcome = json.loads(whole["outcome.json"])
    assert outcome["requests"]["sent"] == len(events)
    n_taken = sum(row["taken"] for row in outcome["campaigns"].values())
    assert 0 < n_taken < truth["n_extraction_events"].sum()
    created = accounts.set_index("account_id")["created_at"]
    assert (events.groupby("account_id")["occurred_at"].min() >= created).all()
    opened = ledger[ledger["what"] == "opens an account"]
    assert len(opened) and created[opened["account_id"].iloc[0]] == opened["at"].iloc[0]


def test_the_log_can_be_left_out(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Without the log all other files are the same."""
    simulate(rehearsal_of(), tmp_path / "out", keeps_log=False)
    assert contents(tmp_path / "out") == {name: data for name, data in whole.items() if name != "events.parquet"}


# -- whole or not at all


def test_a_killed_run_goes_on(whole: dict[str, bytes], tmp_path: Path) -> None:
    """A process that is killed at any instant leaves nothing under the final name; the next one ends with its bytes."""
    draw, out, told = random.Random(KILLS), tmp_path / "out", tmp_path / "told.txt"
    begin = get_context("forkserver")
    begin.set_forkserver_preload([__name__])
    for kill in range(KILLS):
        process = begin.Process(target=_rehearse, args=(out, told))
        process.start()
        if kill < KILLS - 1:
            time.sleep(draw.uniform(0.0, 1.2))
        else:
            _wait_for_looks(process, out)
        process.kill()
        process.join(120)
        if out.exists():  # it was whole before the kill came
            assert contents(out) == whole
            shutil.rmtree(out)
    process = begin.Process(target=_rehearse, args=(out, told))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert contents(out) == whole
    assert "an earlier run was cut off" in told.read_text(encoding="utf-8")
    assert not looks_beside(out).exists()


def _rehearse(out: Path, told: Path) -> None:
    with told.open("a", encoding="utf-8") as file:
        simulate(rehearsal_of(), out, say=lambda text: print(text, file=file, flush=True))


def _n_looks(out: Path) -> int:
    return len(list(looks_beside(out).glob("look-*.parquet")))


def _wait_for_looks(process: Any, out: Path) -> None:
    """Wait until a run has some looks, or is at its end."""
    while process.is_alive() and _n_looks(out) < 3:
        time.sleep(0.02)


def full_disk(*_: Any, **__: Any) -> None:
    """What a write does when the disk is full."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("at", ["ledger", "log", "look", "outcome"])
def test_a_full_disk_leaves_nothing_half_written(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Whatever write fails, nothing stands under the final name and no half folder is left; then it goes on."""
    told: list[str] = []
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        if at == "ledger":
            patched.setattr("simulations.loop.simulate.pq.write_table", _fails_for(pq.write_table, "ledger"))
        elif at == "look":
            patched.setattr("simulations.loop.simulate.pq.write_table", _fails_for(pq.write_table, ".look-"))
        elif at == "outcome":
            patched.setattr("simulations.loop.simulate.outcome_of", full_disk)
        else:
            patched.setattr("simulations.loop.simulate.log_writer", _full_after_a_while)
        with pytest.raises(OSError, match="No space left"):
            simulate(rehearsal_of(), out)
    n = {"look": 0, "log": _n_looks(out)}.get(at, 9)
    assert at != "log" or 0 < n < 9
    assert [path.name for path in tmp_path.iterdir()] == ([".out.looks"] if n else [])
    simulate(rehearsal_of(), out, say=told.append)
    assert contents(out) == whole
    assert told == ([f"an earlier run was cut off: {n} looks of it are used again"] if n else [])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@contextmanager
def _full_after_a_while(path: Path, log_format: str) -> Iterator[Callable[[pa.Table], None]]:
    with log_writer(path, log_format) as write:
        n_rows = 0

        def writing(events: pa.Table) -> None:
            nonlocal n_rows
            n_rows += events.num_rows
            write(events) if n_rows < 2000 else full_disk()

        yield writing


def _fails_for(write: Callable[..., None], name: str) -> Callable[..., None]:
    def writing(table: pa.Table, where: Path, *args: Any, **options: Any) -> None:
        if where.name.startswith(name):
            where.write_bytes(b"PAR1")
            full_disk()
        write(table, where, *args, **options)

    return writing


def test_looks_of_another_rehearsal_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another rehearsal has left is not used and not removed: the user is told what to do."""
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("simulations.loop.simulate.outcome_of", full_disk)
        with pytest.raises(OSError, match="No space"):
            simulate(rehearsal_of(), out)
    for other in (rehearsal_of(world_of(text=True, seed=9)), rehearsal_of(by="account")):
        with pytest.raises(UsageError, match=r"\.out\.looks: holds 9 looks of another rehearsal .*; remove the folder"):
            simulate(other, out)
    assert _n_looks(out) == 9 and not out.exists()
    shutil.rmtree(looks_beside(out))
    simulate(rehearsal_of(by="account"), out)
    assert set(contents(out)) == FILES


def test_a_wrong_setting_leaves_no_looks(tmp_path: Path) -> None:
    """A rehearsal that never began leaves nothing that another one would be refused for."""
    out, right = tmp_path / "out", rehearsal_of()
    wrong = Rehearsal(right.scenario, right.defence, attack_of(purse_usd=1.0))
    with pytest.raises(ConfigError, match="purse_usd = 1"):
        simulate(wrong, out)
    assert list(tmp_path.iterdir()) == []
    looks_beside(out).mkdir()
    (looks_beside(out) / "digest.txt").write_text("", encoding="utf-8")
    simulate(Rehearsal(world_of(days=1), DefenceSettings(), attack_of()), out)
    assert set(contents(out)) == FILES


def test_filled_folder_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written over what is there already, and no looks are begun beside it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputNotEmptyError, match=r"mine\.txt"):
        simulate(rehearsal_of(), tmp_path / "out")
    assert contents(tmp_path / "out") == {"mine.txt": b"keep"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
