"""Rehearsals of a sweep run beside one another, each in a process of one thread; what has finished is kept.

A cell that fails fails alone. A process that is killed breaks its pool: what had not finished then runs again in half
as many processes, at last one by one, so that only the guilty cell fails. No process outlives the one that started it.
"""

import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from detector.errors import StillwatchError
from detector.progress import Tell, silent
from simulations.loop.rehearsal import Rehearsal

_OUTCOME = "outcome.json"
_KILLED = "its process was killed from outside, as happens when memory runs out; give fewer --jobs or a smaller scale"


@dataclass(frozen=True)
class Cell:
    """One rehearsal of a sweep."""

    point: int
    """Number of its grid point, from 1."""
    settings: dict[str, Any]
    """What is swept, by full key."""
    rehearsal: Rehearsal

    @property
    def seed(self) -> int:
        """Seed of its world."""
        return self.rehearsal.scenario.seed

    def place(self, kept: Path) -> Path:
        """Give the folder that its outcome is kept in."""
        return kept / self.rehearsal.digest[:32]

    def outcome(self, kept: Path) -> dict[str, Any] | None:
        """Read its outcome, where it has finished."""
        path = self.place(kept) / _OUTCOME
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def run_cells(cells: Sequence[Cell], kept: Path, *, jobs: int, tell: Tell = silent) -> dict[int, str]:
    """Run all cells that have not finished.

    Parameters
    ----------
    kept: folder that holds a folder per finished cell.
    jobs: processes; changes no byte.

    Returns
    -------
    Why cells failed, by their place in `cells`.
    """
    waiting = [place for place, cell in enumerate(cells) if cell.outcome(kept) is None]
    n_before, began, failed = len(cells) - len(waiting), time.monotonic(), dict[int, str]()
    tell("cells", n_before, len(cells))
    for n_done, (place, reason) in enumerate(_reasons(cells, waiting, kept, min(jobs, len(waiting))), start=1):
        if reason is not None:
            failed[place] = reason
        left_s = (time.monotonic() - began) / n_done * (len(waiting) - n_done)
        n = n_before + n_done
        tell(f"cells, {n} of {len(cells)}, {_duration(left_s)} left", n, len(cells))
    return failed


def _duration(left_s: float) -> str:
    return f"some {left_s:.0f} s" if left_s < 90 else f"some {left_s / 60:.0f} min"


def _reasons(cells: Sequence[Cell], waiting: list[int], kept: Path, jobs: int) -> Iterator[tuple[int, str | None]]:
    """Run cells; gives each with why it failed as soon as it has ended."""
    if jobs <= 1:
        yield from ((place, rehearse(cells[place], kept)) for place in waiting)
        return
    while jobs > 1 and waiting:
        hit: list[int] = []
        for place, reason in _in_processes(cells, waiting, kept, jobs):
            if reason == _KILLED:
                hit.append(place)
            else:
                yield place, reason
        waiting, jobs = sorted(hit), jobs // 2
    for place in waiting:
        yield from _in_processes(cells, [place], kept, 1)


def _in_processes(cells: Sequence[Cell], waiting: list[int], kept: Path, jobs: int) -> Iterator[tuple[int, str | None]]:
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent)
    try:
        futures = {pool.submit(rehearse, cells[place], kept): place for place in waiting}
        for future in as_completed(futures):
            yield futures[future], _reason(future)
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise


def _reason(future: "Future[str | None]") -> str | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return _KILLED


def _end_with_parent() -> None:
    """Leave an interrupt to the parent, and end when it has ended, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def rehearse(cell: Cell, kept: Path) -> str | None:
    """Run a cell with one thread, and keep its outcome only; gives why it failed.

    Notes
    -----
    Of an error that is not ours only the kind and the place are told: its text may hold anything.
    """
    from simulations.loop.simulate import simulate

    place = cell.place(kept)
    try:
        simulate(cell.rehearsal, place, keeps_log=False, workers=1)
    except StillwatchError as error:
        return str(error)
    except Exception as error:
        where = extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}; this is a fault of the program"
    for path in place.iterdir():
        if path.name != _OUTCOME:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return None
