"""Folders in use are held, and those of killed processes are found."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from detector.leftovers import find_leftovers, held, remove, scratch_folder

STAGING = ".stillwatch-"
WORKER = """
import sys, time, tempfile
from pathlib import Path
from detector.leftovers import held
folder = Path(tempfile.mkdtemp(prefix='.stillwatch-', dir=sys.argv[1]))
(folder / "part").write_text("prompt")
with held(folder):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_only_what_a_killed_process_left_is_found(tmp_path: Path) -> None:
    """While the process lives its folder is not listed; when it is killed outright, it is."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        assert find_leftovers(tmp_path, STAGING) == []
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    left = find_leftovers(tmp_path, STAGING)
    assert [path.name.startswith(STAGING) for path in left] == [True]
    remove(left[0])
    assert list(tmp_path.iterdir()) == []


def test_others_things_are_not_ours(tmp_path: Path) -> None:
    """Links, folders that others can read, and other names are passed over; a missing folder holds nothing."""
    (tmp_path / f"{STAGING}open").mkdir(mode=0o755)
    (tmp_path / f"{STAGING}link").symlink_to(tmp_path)
    (tmp_path / "mine").mkdir(mode=0o700)
    os.mkfifo(tmp_path / f"{STAGING}pipe", 0o600)
    assert find_leftovers(tmp_path, STAGING) == []
    assert find_leftovers(tmp_path / "none", STAGING) == []


def test_a_folder_moves_while_it_is_held(tmp_path: Path) -> None:
    """A staging folder becomes the output under its lock."""
    folder = tmp_path / f"{STAGING}one"
    folder.mkdir(mode=0o700)
    with held(folder):
        moved = folder.rename(tmp_path / f"{STAGING}two")
        assert find_leftovers(tmp_path, STAGING) == []
    assert find_leftovers(tmp_path, STAGING) == [moved]


def test_a_link_in_a_leftover_is_not_followed(tmp_path: Path) -> None:
    """What a link points to survives."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    folder = tmp_path / f"{STAGING}one"
    folder.mkdir(mode=0o700)
    (folder / "link").symlink_to(kept)
    remove(folder)
    assert (kept / "file").exists()


def test_a_scratch_folder_is_private_and_vanishes(tmp_path: Path) -> None:
    """Nobody else can look into it; after the block, and after a failure in it, nothing is left."""
    with pytest.raises(ValueError, match="stop"), scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_what_is_held_by_now_is_not_removed(tmp_path: Path) -> None:
    """Between being listed as left and being removed a folder may be taken; it stays."""
    folder = tmp_path / f"{STAGING}one"
    folder.mkdir(mode=0o700)
    assert find_leftovers(tmp_path, STAGING) == [folder]
    with held(folder):
        remove(folder)
        assert folder.exists()
    remove(folder)
    assert not folder.exists()
    with pytest.raises(FileNotFoundError), held(folder):
        pass
