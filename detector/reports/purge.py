"""What a run left, removed: the files that its record names, and what killed runs left. Nothing else, ever."""

import stat
import tempfile
from pathlib import Path

from detector.claims import LAST_FILE, claim
from detector.errors import NotOursError, NotScoredError
from detector.hidden import SCRATCH, prefix_of
from detector.leftovers import find_leftovers, remove
from detector.reports.loading import read_run


def purge(folder: Path) -> list[Path]:
    """Remove a scored folder, and the hidden files that killed runs left beside it, in it and among temporary files.

    Parameters
    ----------
    folder: output of `score`; may be absent where a killed run has left something beside it.

    Returns
    -------
    What was removed, in that order. A folder that held more than the run wrote stays, with the rest in it.

    Raises
    ------
    NotOursError
        The folder was not made by a run, by its `run.json`, or there is nothing to remove; nothing was removed.
    BusyError
        A run is writing there; nothing was removed.

    Notes
    -----
    Files are unlinked, not overwritten: what a disk, a snapshot or a backup keeps is not reached from here.
    """
    files = _files_of(folder)
    place = folder.absolute()
    start = prefix_of(folder)
    beside = [*find_leftovers(place.parent, start), *find_leftovers(place, start)]
    temporary = find_leftovers(Path(tempfile.gettempdir()), SCRATCH)
    if not files and not beside and not temporary:
        raise NotOursError(f"{folder}: does not exist, and no killed run left anything beside it; give another folder")
    removed = [*files, *beside, *temporary]
    with claim(folder):
        for path in files:
            path.unlink(missing_ok=True)
        for path in (*beside, *temporary):
            remove(path)
    if files and not any(folder.iterdir()):
        folder.rmdir()
        removed.append(folder)
    return removed


def _files_of(folder: Path) -> list[Path]:
    """List the files of a run that are there, its record last, so that a purge that is cut off can be taken up."""
    if not folder.is_symlink() and not folder.exists():
        return []
    if folder.is_symlink() or not folder.is_dir():
        raise NotOursError(f"{folder}: is no folder; give the folder that `stillwatch score --out` wrote")
    try:
        names = read_run(folder / LAST_FILE).get("files")
    except NotScoredError as error:
        raise NotOursError(f"{error}; nothing was removed") from None
    if not isinstance(names, list) or LAST_FILE not in names or not all(map(_is_plain, names)):
        raise NotOursError(f"{folder / LAST_FILE}: is no record of a run that names its files; nothing was removed")
    there = [folder / name for name in names if (folder / name).is_symlink() or (folder / name).exists()]
    odd = next((path for path in there if not stat.S_ISREG(path.lstat().st_mode)), None)
    if odd is not None:
        raise NotOursError(f"{odd}: is no regular file, and a run writes no other; nothing was removed")
    return sorted(there, key=lambda path: (path.name == LAST_FILE, path.name))


def _is_plain(name: object) -> bool:
    return isinstance(name, str) and "\0" not in name and name not in ("", ".", "..") and Path(name).name == name
