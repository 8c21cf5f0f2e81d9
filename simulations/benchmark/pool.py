"""Work in processes of its own, so that what crashes or hangs costs its own result and nothing else.

Work is a function that yields what it has so far. When it ends badly, the caller is told after which piece, and may
hand in what is left.
"""

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from detector.errors import StillwatchError

Work = Callable[[Any], Iterator[Any]]
#: How often a worker that says nothing is looked at [s].
_PATIENCE_S = 0.5


@dataclass(frozen=True)
class Piece:
    """Something that a job has yielded."""

    job: Any
    value: Any


@dataclass(frozen=True)
class Broken:
    """A job that ended before its end, and why."""

    job: Any
    reason: str


def reason_of(error: Exception) -> str:
    """Say what went wrong; a foreign error may quote a log, so only its kind is told."""
    return str(error) if isinstance(error, StillwatchError) else f"it raises {type(error).__name__}"


def _be_quiet() -> None:
    """Let nothing that a detector or a library prints reach the page; what fails is told by its reason."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _serve(work: Work, pipe: Connection) -> None:
    _be_quiet()
    while (job := pipe.recv()) is not None:
        try:
            for value in work(job):
                pipe.send(("piece", value))
            pipe.send(("end", None))
        except Exception as error:
            pipe.send(("broken", reason_of(error)))


class _Worker:
    def __init__(self, work: Work) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process: SpawnProcess = spawn.Process(target=_serve, args=(work, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Any = None
        self.last: Any = None
        self.heard_at = time.monotonic()

    def give(self, job: Any) -> None:
        self.job, self.last, self.heard_at = job, None, time.monotonic()
        self.pipe.send(job)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(
    work: Work, jobs: Sequence[Any], *, workers: int, patience_s: Callable[[Any], float], rest: Callable[[Any], Any]
) -> Iterator[Piece | Broken]:
    """Run jobs.

    Parameters
    ----------
    work: importable function of a job; with no workers it runs here, and a crash is everybody's.
    patience_s: last piece of a job, or None, to the time that may pass until the next [s].
    rest: job to what is left of it after it broke, asked when `Broken` was taken; None is nothing.

    Yields
    ------
    Pieces in the order in which they come, and jobs that broke.
    """
    if not workers:
        yield from _here(work, deque(jobs), rest)
        return
    waiting, crew = deque(jobs), [_Worker(work) for _ in range(min(workers, len(jobs)))]
    try:
        while waiting or any(worker.job is not None for worker in crew):
            for worker in crew:
                if worker.job is None and waiting:
                    worker.give(waiting.popleft())
            busy = [worker for worker in crew if worker.job is not None]
            ready = wait([worker.pipe for worker in busy], timeout=_PATIENCE_S)
            for worker in busy:
                found = _heard(worker) if worker.pipe in ready else _silent(worker, patience_s(worker.last))
                if found is None:
                    continue
                job = worker.job
                if isinstance(found, Piece):
                    yield found
                    continue
                worker.job = None
                if isinstance(found, Broken):
                    yield found
                    if (left := rest(job)) is not None:
                        waiting.appendleft(left)
                    if not worker.process.is_alive():
                        worker.stop()
                        crew[crew.index(worker)] = _Worker(work)
    finally:
        for worker in crew:
            worker.stop()


def _heard(worker: _Worker) -> Any:
    """Read one message: a piece, a broken job, or an end, which is `Ellipsis`."""
    try:
        what, value = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        return Broken(worker.job, f"the process crashed (exit code {worker.process.exitcode})")
    worker.heard_at = time.monotonic()
    if what == "piece":
        worker.last = value
        return Piece(worker.job, value)
    return Broken(worker.job, value) if what == "broken" else ...


def _silent(worker: _Worker, timeout_s: float) -> Broken | None:
    if time.monotonic() - worker.heard_at <= timeout_s:
        return None
    worker.process.kill()
    worker.process.join()
    return Broken(worker.job, f"it took longer than {timeout_s:g} s")


def _here(work: Work, waiting: "deque[Any]", rest: Callable[[Any], Any]) -> Iterator[Piece | Broken]:
    while waiting:
        job = waiting.popleft()
        try:
            for value in work(job):
                yield Piece(job, value)
        except Exception as error:
            yield Broken(job, reason_of(error))
            if (left := rest(job)) is not None:
                waiting.appendleft(left)
