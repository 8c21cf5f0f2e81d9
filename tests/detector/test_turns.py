"""Work beside other work comes out in order, and no more of it is held than was asked for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from detector.turns import in_turn, read_ahead


def test_what_is_slow_holds_its_place() -> None:
    """Each item comes with its own result, in order, whoever is done first."""
    with ThreadPoolExecutor(3) as pool:
        found = list(in_turn(pool, lambda n: time.sleep(0.002 * (n % 3 == 0)) or n * n, range(12), ahead=3))
    assert found == [(n, n * n) for n in range(12)]


def test_no_more_than_asked_for_is_held() -> None:
    """Items are taken as they are used: a giant source is never read far ahead."""
    taken: list[int] = []

    def source() -> object:
        for n in range(100):
            taken.append(n)
            yield n

    with ThreadPoolExecutor(2) as pool:
        turns = in_turn(pool, lambda n: n, source(), ahead=2)
        next(turns)
        assert taken == [0, 1, 2]
        turns.close()


def test_items_are_fetched_on_another_thread_in_order() -> None:
    """All items come, in order, and their source runs beside who uses them."""
    threads = set()

    def source() -> object:
        for n in range(7):
            threads.add(threading.get_ident())
            yield n

    assert list(read_ahead(source())) == list(range(7))
    assert threads and threading.get_ident() not in threads
