import stat
from pathlib import Path

import pytest

from detector.errors import OutputNotEmptyError, UsageError
from detector.reports import atomic
from detector.reports.atomic import new_folder


def _fill(folder: Path) -> None:
    (folder / "a.txt").write_text("a")
    (folder / "run.json").write_text("{}")


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folder_appears_with_private_files(tmp_path):
    """The folder is 0700 and its files 0600, and nothing else is left."""
    with new_folder(tmp_path / "out") as staging:
        _fill(staging)
        assert not (tmp_path / "out").exists()
    assert _tree(tmp_path) == ["out", "out/a.txt", "out/run.json"]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}


def test_empty_folder_is_taken(tmp_path):
    """An empty folder may be given."""
    (tmp_path / "out").mkdir()
    with new_folder(tmp_path / "out") as staging:
        _fill(staging)
    assert _tree(tmp_path) == ["out", "out/a.txt", "out/run.json"]


def test_missing_parents_are_made_and_removed_on_failure(tmp_path):
    """Folders above `out` are made; after a failure they are gone too."""
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a" / "b" / "out") as staging:
        _fill(staging)
        raise ZeroDivisionError
    assert _tree(tmp_path) == []
    with new_folder(tmp_path / "a" / "b" / "out"):
        pass
    assert (tmp_path / "a" / "b" / "out").is_dir()


def test_an_interrupt_leaves_nothing(tmp_path):
    """Ctrl-C counts as a failure."""
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "out") as staging:
        _fill(staging)
        raise KeyboardInterrupt
    assert _tree(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_existing_content_is_refused(tmp_path, kind):
    """A file or a filled folder is refused before any work and kept as it is."""
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    before = _tree(tmp_path)
    with pytest.raises(OutputNotEmptyError, match="give another --out"), new_folder(out):
        pytest.fail("the block must not run")
    assert before == _tree(tmp_path)


def test_content_that_comes_meanwhile_is_kept(tmp_path):
    """A folder filled by somebody else while we wrote is not overwritten."""
    out = tmp_path / "out"
    with pytest.raises(OutputNotEmptyError, match="meanwhile"), new_folder(out) as staging:
        _fill(staging)
        out.mkdir()
        (out / "theirs").write_text("theirs")
    assert _tree(tmp_path) == ["out", "out/theirs"]


def test_a_file_in_the_way_is_a_usage_error(tmp_path):
    """A path below a file cannot be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no folder can be made there"), new_folder(tmp_path / "file" / "out"):
        pytest.fail("the block must not run")


def test_the_working_folder_is_filled_in_place(tmp_path, monkeypatch):
    """An empty working folder keeps its identity: the shell that stands in it sees the files."""
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    with new_folder(Path()) as staging:
        _fill(staging)
    assert _tree(tmp_path) == ["a.txt", "run.json"]
    assert before == tmp_path.stat().st_ino


def test_a_failed_move_into_a_kept_folder_is_undone(tmp_path, monkeypatch):
    """Where files are moved one by one, a failure takes back those already moved."""
    monkeypatch.chdir(tmp_path)
    put = atomic._put

    def failing(path: Path, target: Path) -> None:
        if path.name == atomic.LAST_FILE:
            raise OSError(28, "No space left on device")
        put(path, target)

    monkeypatch.setattr(atomic, "_put", failing)
    with pytest.raises(OSError, match="No space"), new_folder(Path()) as staging:
        _fill(staging)
    assert _tree(tmp_path) == []


def test_folders_inside_are_private_and_can_be_entered(tmp_path):
    """A folder within the output gets the mode of a folder, not that of a file."""
    with new_folder(tmp_path / "out") as staging:
        (staging / "day").mkdir()
        (staging / "day" / "events.csv").write_text("x")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*")}
    assert modes == {"day": 0o700, "events.csv": 0o600}
