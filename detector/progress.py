"""How far a long piece of work is, and how long it will take: on a terminal only, on standard error, after 2 s."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

#: Work shorter than this shows nothing [s].
PATIENCE_S = 2.0


class Tell(Protocol):
    """Takes what is being done, and how much of it is done out of how much, where that is known."""

    def __call__(self, label: str, done: int = 0, total: int | None = None) -> None:
        """Say it."""
        ...


def silent(label: str, done: int = 0, total: int | None = None) -> None:
    """Say nothing."""


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Tell]:
    """Yield something to tell progress to; it speaks when a person watches and the work takes long."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    words = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), words, BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)

        def tell(label: str, done: int = 0, total: int | None = None) -> None:
            described = f"{label} {done:,}" if done and total is None else label
            is_long = time.monotonic() - began > PATIENCE_S
            bar.update(task, description=described, completed=done, total=total, visible=is_long)

        yield tell
