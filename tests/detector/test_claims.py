"""One run at a time writes to a place, and a killed one is in nobody's way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector import claims
from detector.claims import claim
from detector.errors import BusyError, OutputNotEmptyError
from detector.files import new_file
from detector.hidden import KEPT, hidden
from detector.reports.atomic import claimed, new_folder

HOLD = "import sys, time, pathlib\nfrom detector.reports.atomic import new_folder\n"
HOLD += "with new_folder(pathlib.Path(sys.argv[1])) as f:\n (f / 'a').write_text('a'); print('held', flush=True)\n"
HOLD += " time.sleep(60)\n"


@contextmanager
def _holder(out: Path) -> Iterator["subprocess.Popen[str]"]:
    """Hold a place in another process, a staged file in its staging folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_second_run_is_refused_until_the_first_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    """The error names the process that writes; once that is killed, its lock and its staging folder hinder nobody."""
    out = tmp_path / "out"
    if is_kept:
        out.mkdir()
        monkeypatch.chdir(out)
    with _holder(out) as process:
        with pytest.raises(BusyError, match=f"out: process {process.pid} is writing there"), new_folder(out):
            pytest.fail("the block must not run")
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(_names(tmp_path)) > 1 or is_kept
        with new_folder(out) as staging:
            (staging / "b").write_text("b")
    assert (_names(tmp_path), _names(out)) == (["out"], ["b"])


def test_a_claim_within_a_claim_passes_through(tmp_path: Path) -> None:
    """What a command has claimed, its writers may use; the place is free after the outer block alone."""
    out = tmp_path / "out"
    with claim(out):
        with new_folder(out):
            pass
        assert hidden(out, "lock").exists()
    assert _names(tmp_path) == ["out"]


def test_the_output_of_another_name_is_no_concern(tmp_path: Path) -> None:
    """Hidden files of a place whose name begins alike are left alone."""
    other = tmp_path / ".stillwatch-out.b.new-abcdefgh"
    other.mkdir()
    mine = tmp_path / ".stillwatch-out.new-abcdefgh"
    mine.mkdir()
    with claim(tmp_path / "out"):
        assert (other.exists(), mine.exists()) == (True, False)


def test_a_folder_filled_halfway_is_emptied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run was killed while it filled a folder that must be kept, the next one takes its files back."""
    monkeypatch.chdir(tmp_path)
    staging = hidden(tmp_path, "new-abcdefgh")
    staging.mkdir()
    for name in ("a", "b", claims.LAST_FILE):
        (staging / name).write_text(name)
    (tmp_path / "a").hardlink_to(staging / "a")
    with claimed(tmp_path):
        assert [name for name in _names(tmp_path) if not name.startswith(".")] == []
    assert _names(tmp_path) == []


def test_a_folder_filled_to_the_end_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the last file was there, a run has succeeded; so has nobody's file ever been taken."""
    monkeypatch.chdir(tmp_path)
    staging = hidden(tmp_path, "new-abcdefgh")
    staging.mkdir()
    (staging / claims.LAST_FILE).write_text("{}")
    (staging / "theirs").write_text("ours")
    (tmp_path / claims.LAST_FILE).hardlink_to(staging / claims.LAST_FILE)
    (tmp_path / "theirs").write_text("theirs")
    hidden(tmp_path, KEPT).write_text("kept")
    with pytest.raises(OutputNotEmptyError), claimed(tmp_path):
        pytest.fail("the block must not run")
    assert _names(tmp_path) == sorted([claims.LAST_FILE, "theirs"])


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A failed file leaves nothing; one that is there, or comes meanwhile, stays unless it may be
    replaced; a killed one's rest is used."""
    path = tmp_path / "file"
    (tmp_path / ".file.part").write_text("left by a killed run, longer than what comes")
    with pytest.raises(ZeroDivisionError), new_file(path) as staging:
        staging.write_text("half")
        raise ZeroDivisionError
    assert _names(tmp_path) == []
    with new_file(path) as staging:
        staging.write_text("first")
    with pytest.raises(OutputNotEmptyError, match="is there already"), new_file(path) as staging:
        pytest.fail("the work was begun")
    assert path.read_text() == "first"
    other = tmp_path / "other"
    with pytest.raises(OutputNotEmptyError, match="is there already"), new_file(other):
        other.write_text("somebody else's")
    assert other.read_text() == "somebody else's"
    other.unlink()
    with new_file(path, replaces=True) as staging:
        staging.write_text("third")
    assert (path.read_text(), _names(tmp_path)) == ("third", ["file"])


def test_holders_that_come_and_go_never_meet(tmp_path: Path) -> None:
    """Claimed in turns by several processes at once, a place is held by one at a time, also while locks are removed."""
    code = "import sys, pathlib, os\nfrom detector.claims import claim\nfrom detector.errors import BusyError\n"
    code += "out = pathlib.Path(sys.argv[1]); inside = out.with_name('inside'); n = 0\n"
    code += "while n < 200:\n try:\n  with claim(out):\n   inside.mkdir(); inside.rmdir(); n += 1\n"
    code += " except BusyError:\n  pass\n"
    began = time.monotonic()
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out")]) for _ in range(3)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0], f"{time.monotonic() - began:.1f} s, {os.getpid()}"
    assert _names(tmp_path) == []
