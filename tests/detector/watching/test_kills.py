"""A few kills at random instants; `tests/torture` does it fifty times, and after every operation."""

from pathlib import Path

from tests.torture.runs import Server, write_parts
from tests.torture.watches import draw_fleet, kill_often


def test_a_watch_that_is_killed_tells_the_same(tmp_path: Path) -> None:
    """Findings and standings are byte-equal to those of a watch that nobody killed."""
    write_parts(draw_fleet(20), tmp_path / "log", 2)
    server = Server(tmp_path)
    try:
        n, _ = kill_often(tmp_path, server, 3, seed=1)
    finally:
        server.close()
    assert n == 3
