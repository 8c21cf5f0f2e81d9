"""Work done beside other work, and given in order: nothing depends on which thread was faster."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
#: Items fetched while one is worked on; with one, the parts of a fold that end early leave a processor idle.
_AHEAD = 2


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Pass items through, fetching the next ones on a thread while the last is worked on; None ends them."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        pending = deque(reader.submit(next, items, None) for _ in range(_AHEAD))
        while (item := pending.popleft().result()) is not None:
            pending.append(reader.submit(next, items, None))
            yield item


def in_turn(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], *, ahead: int
) -> Iterator[tuple[T, R]]:
    """Work on items in a pool; gives each with what came of it, in their order.

    Parameters
    ----------
    ahead: items at most that are worked on while one is used; bounds what is held.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > ahead:
                first, made = waiting.popleft()
                yield first, made.result()
        while waiting:
            first, made = waiting.popleft()
            yield first, made.result()
    finally:
        for _, made in waiting:
            made.cancel()
