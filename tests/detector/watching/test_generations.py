"""The state on disk: a generation is whole or not there, changes are written alone, damage is found."""

from pathlib import Path

import numpy as np
import pytest

from detector.errors import OutputNotEmptyError, StateError
from detector.profiles.state import save
from detector.profiles.store import Profiles
from detector.watching.folding import Folded
from detector.watching.generations import Generation, Store
from tests.detector.worlds import COLUMNS, draw_events


def _folded(n: int = 1, *, accounts: int = 20) -> Folded:
    folded = Folded(Profiles(COLUMNS))
    for seed in range(n):
        folded.fold([draw_events(seed, accounts=accounts)])
    return folded


def _check_equal(one: Folded, other: Folded, tmp_path: Path) -> None:
    assert one.held.table().equals(other.held.table())
    assert (one.recent.tolist(), one.now_us, one.forgotten) == (other.recent.tolist(), other.now_us, other.forgotten)
    for folded, name in ((one, "one"), (other, "other")):
        save(folded.profiles, tmp_path / name, note={})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_what_was_committed_comes_back_and_goes_on(tmp_path: Path) -> None:
    """Over whole sets and changes, with new accounts, released instants, and accounts forgotten in between."""
    store, folded = Store(tmp_path / "state"), _folded()
    store.open()
    for step in range(6):
        store.commit(Generation({"step": 0}, {"step": step}, b"line\n" * step), folded)
        again = Store(tmp_path / "state")
        found = again.load(threads=1)
        assert found is not None
        generation, read = found
        assert (generation.note, generation.findings) == ({"step": step}, b"line\n" * step)
        _check_equal(folded, read, tmp_path)
        folded, store = read, again
        folded.fold([draw_events(step, accounts=4, n=40), draw_events(step, accounts=22, n=40)][step % 2 :])
        folded.advance(2**62)
        folded.release(0 if step % 2 else None, 10**6)
        if step == 3:
            folded.now_us = int(np.median(folded.profiles.trimmed()["volume"].last_at)) + 864_000_001
            assert folded.forget(0.01)


def test_changes_are_written_alone_until_they_outgrow_the_whole(tmp_path: Path) -> None:
    """One account of twenty costs a fraction; after many the whole set is written anew; nothing is left over."""
    store, folded = Store(tmp_path), _folded()
    folded.release(None, 1)
    store.commit(Generation({}), folded)
    whole = max(path.stat().st_size for path in tmp_path.iterdir())
    n_files = []
    for step in range(25):
        folded.fold([draw_events(step, accounts=1, n=10)])
        folded.release(None, 1)
        store.commit(Generation({}), folded)
        changes = list(tmp_path.glob("profiles-*.kept"))
        n_files.append(len(changes))
        assert min(path.stat().st_size for path in changes) < whole or len(changes) == 1
    assert max(n_files) > 10
    assert n_files.count(1) == 1
    _, read = Store(tmp_path).load(threads=1) or (None, None)
    assert read is not None
    _check_equal(folded, read, tmp_path)


def test_a_commit_that_was_cut_off_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a generation whose manifest did not come are removed."""
    store, folded = Store(tmp_path), _folded()
    store.commit(Generation({}, {"n": 1}), folded)
    names = {path.name for path in tmp_path.iterdir()}
    for suffix in ("kept", "arrow", "jsonl"):
        stem = {"kept": "profiles", "arrow": "held", "jsonl": "findings"}[suffix]
        (tmp_path / f"{stem}-2.{suffix}").write_bytes(b"half")
        (tmp_path / f".{stem}-3.{suffix}.part").write_bytes(b"half")
    again = Store(tmp_path)
    again.open()
    found = again.load(threads=1)
    assert found is not None
    assert found[0].note == {"n": 1}
    again.clear()
    assert {path.name for path in tmp_path.iterdir()} == names


def test_every_damage_is_found(tmp_path: Path) -> None:
    """A flipped byte, a cut or a missing file, in each of its files."""
    Store(tmp_path).commit(Generation({}, {}, b"line\n"), _folded())
    rng = np.random.default_rng(1)
    for path in list(tmp_path.iterdir()):
        data = path.read_bytes()
        for _ in range(6):
            at = int(rng.integers(len(data)))
            for damaged in (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], data[:at]):
                path.write_bytes(damaged)
                with pytest.raises(StateError, match="remove"):
                    Store(tmp_path).load(threads=1)
        path.unlink()
        if path.name != "state.json":
            with pytest.raises(StateError, match="remove"):
                Store(tmp_path).load(threads=1)
        path.write_bytes(data)
    assert Store(tmp_path).load(threads=1)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Nothing in it is touched."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputNotEmptyError, match=r"holds 'mine\.txt', which no watch wrote"):
        Store(tmp_path).open()
    assert (tmp_path / "mine.txt").read_text() == "mine"
