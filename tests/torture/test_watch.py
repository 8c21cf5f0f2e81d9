"""Watches that are killed at random and at every operation: no finding is lost, none is told twice.

Run by `make torture`; prints what it did.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.torture.runs import Server, write_parts
from tests.torture.watches import arguments, clear, draw_fleet, found, kill_often, whole

N_KILLS = 50


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A process that starts runs."""
    made = Server(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("as_csv", [False, True])
def test_killed_at_any_instant_a_watch_tells_the_same(tmp_path: Path, server: Server, as_csv: bool) -> None:
    """Fifty kills each: findings and standings are byte-equal to those of a watch that nobody killed."""
    write_parts(draw_fleet(80), tmp_path / "log", 6, as_csv=as_csv)
    n, n_ended = kill_often(tmp_path, server, N_KILLS, seed=as_csv)
    print(f"\nkills {n}, watches that ended after some and were byte-equal {n_ended}")
    assert n_ended


def test_killed_after_any_operation_a_watch_tells_the_same(tmp_path: Path, server: Server) -> None:
    """After each open, write, sync and name, in commits and between them: the next watch ends byte-equal."""
    folder = tmp_path / "work"
    folder.mkdir()
    write_parts(draw_fleet(20), folder / "log", 2)
    (expected, _), at, code = whole(folder, server), 0, -1
    while code:
        at += 1
        clear(folder)
        server.start(*arguments(folder), folder=folder, kill_at=at)
        code, said = server.end()
        assert code in (0, -signal.SIGKILL), said
        if code:
            server.start(*arguments(folder), folder=folder)
            assert server.end() == (0, "")
        assert found(folder) == expected
        if at % 20 == 0:
            print(f"\nkilled after {at} operations so far")
    print(f"\nkilled after each of {at - 1} operations")


def test_killed_while_its_log_grows_a_watch_counts_each_row_once(tmp_path: Path, server: Server) -> None:
    """Lines are appended in bits while it is killed: rows add up, nobody is told of twice, all that stand are told."""
    (part,) = write_parts(draw_fleet(80), tmp_path / "whole", 1, as_csv=True)
    data, rng, log = Path(part).read_bytes(), np.random.default_rng(9), tmp_path / "log"
    log.mkdir()
    n_kills, ends = 0, sorted(rng.integers(3000, len(data), 12).tolist())
    for begin, end in zip([0, *ends], [*ends, len(data)], strict=True):
        with (log / "events.csv").open("ab") as file:
            file.write(data[begin:end])
        child = server.start(*arguments(tmp_path))
        time.sleep(float(rng.uniform(0, 1.5)))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        n_kills += server.end()[0] != 0
    server.start(*arguments(tmp_path))
    assert server.end() == (0, "")
    status = json.loads((tmp_path / "out" / "watch.json").read_text())
    assert status["counts"]["n_rows"] == status["counts"]["n_read"] == 38 * 80
    told = [json.loads(line) for line in found(tmp_path)["findings.jsonl"].splitlines()]
    keys = [(one["account_id"], one["action_recommended"]) for one in told]
    assert len(set(keys)) == len(keys)
    assert status["counts"]["n_flagged"] <= len({account for account, _ in keys})
    shutil.rmtree(log)
    print(f"\n{n_kills} kills while 13 bits came, {len(keys)} findings")
