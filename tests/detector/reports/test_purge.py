"""Purge removes what a run wrote and killed runs left, says so, and touches nothing else."""

import fcntl
import json
import tempfile
from pathlib import Path

import pytest

from detector.errors import BusyError, NotOursError
from detector.hidden import SCRATCH
from detector.leftovers import held
from detector.reports.publish import write_results
from detector.reports.purge import purge

#: How hidden files of the folder `scored` begin.
HIDDEN = ".stillwatch-scored."


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Temporary files lie in a folder of their own, so that no test looks at those of other processes."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def scored(results, tmp_path):
    """A folder that a run wrote."""
    out = tmp_path / "place" / "scored"
    write_results(results, out, report_accounts=5)
    return out


def _tree(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def test_a_run_is_removed_whole(scored, tmp_path):
    """Every file goes, then the folder; each is named, the record last, so that a purge cut off can go on."""
    names = {path.name for path in scored.iterdir()}
    removed = purge(scored)
    assert {path.name for path in removed} == names | {"scored"}
    assert [path.name for path in removed[-2:]] == ["run.json", "scored"]
    assert _tree(tmp_path / "place") == {}


def test_what_the_run_did_not_write_stays(scored, tmp_path):
    """A note and a folder of somebody else stay, and so does the folder that holds them."""
    (scored / "note.txt").write_text("mine")
    (scored / "more").mkdir()
    removed = purge(scored)
    assert scored not in removed
    assert _tree(scored) == {"more": None, "note.txt": b"mine"}


def test_a_purge_that_was_cut_off_goes_on(scored):
    """Files that are gone already are no obstacle."""
    (scored / "evidence.parquet").unlink()
    purge(scored)
    assert not scored.exists()


def test_leftovers_go_and_what_is_in_use_stays(scored, temporary):
    """Hidden folders of killed runs beside and in the folder, and their temporary files, go; a held one stays."""
    places = [
        scored.parent / f"{HIDDEN}a",
        scored / f"{HIDDEN}b",
        temporary / f"{SCRATCH}c",
        scored.parent / f"{HIDDEN}d",
    ]
    for place in places:
        place.mkdir(mode=0o700)
        (place / "part").write_text("prompt")
    with held(places[3]):
        removed = purge(scored)
        assert {p for p in removed if p in places} == set(places[:3])
    assert [place.exists() for place in places] == [False, False, False, True]


def test_leftovers_go_without_the_folder(tmp_path):
    """A run that was killed early left something beside its folder; where none did, that is said."""
    (tmp_path / f"{HIDDEN}a").mkdir(mode=0o700)
    assert purge(tmp_path / "scored") == [tmp_path / f"{HIDDEN}a"]
    with pytest.raises(NotOursError, match="does not exist"):
        purge(tmp_path / "scored")


def test_a_run_that_goes_on_is_left_alone(scored):
    """While another process writes to the folder, what it keeps there is no leftover."""
    kept = scored.parent / f"{HIDDEN}profiles"
    kept.touch(mode=0o600)
    with (scored.parent / f"{HIDDEN}lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            purge(scored)
    assert kept.exists()
    assert (scored / "run.json").exists()


def _no_record(folder):
    (folder / "run.json").unlink()


def _not_json(folder):
    (folder / "run.json").write_text("{")


def _other_tool(folder):
    (folder / "run.json").write_text('{"name": "somebody else", "files": ["a.csv"]}')


def _no_list(folder):
    (folder / "run.json").write_text(json.dumps({"files": "run.json"}))


def _link(folder):
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(folder.parent / "victim")


def _folder(folder):
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()


@pytest.mark.parametrize("spoil", [_no_record, _not_json, _other_tool, _no_list, _link, _folder])
def test_what_is_not_ours_is_refused_untouched(scored, spoil):
    """Without a record of ours, or with something odd under a name of ours, nothing is removed."""
    (scored.parent / "victim").write_text("x")
    (scored.parent / f"{HIDDEN}a").mkdir(mode=0o700)
    spoil(scored)
    before = _tree(scored.parent)
    with pytest.raises(NotOursError, match="nothing was removed"):
        purge(scored)
    assert _tree(scored.parent) == before


@pytest.mark.parametrize("name", ["../victim", "/etc/hostname", "..", ".", "", "a/b", "\0", 7])
def test_a_forged_record_reaches_no_other_file(scored, name):
    """Names that lead out of the folder are refused."""
    (scored.parent / "victim").write_text("x")
    (scored / "run.json").write_text(json.dumps({"files": ["run.json", name]}))
    with pytest.raises(NotOursError, match="nothing was removed"):
        purge(scored)
    assert (scored.parent / "victim").exists()


def test_a_link_to_a_run_is_refused(scored, tmp_path):
    """The folder itself is to be given."""
    (tmp_path / "link").symlink_to(scored)
    with pytest.raises(NotOursError, match="is no folder"):
        purge(tmp_path / "link")
    assert (scored / "run.json").exists()
