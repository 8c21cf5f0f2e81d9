"""Watches that are killed, and what must be there in the end."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.detector.features.small_logs import draw_log
from tests.torture.runs import Server

#: A look after each piece: where looks are does not depend on when the watch was killed.
OPTIONS = ("--quiet", "--threads", "1", "--every", "0s", "--idle", "never", "--set", "policy.budget=0.3")
#: Kills of one watch before it may end.
_IN_A_ROW = 6


def draw_fleet(requests: int) -> pa.Table:
    """Draw a log in order of time, of people and of a fleet that is found sooner or later."""
    return pa.Table.from_pandas(draw_log(requests=requests), preserve_index=False)


def arguments(folder: Path) -> list[str]:
    """Give the command line of a watch over `log` in a folder."""
    place = ["--state", str(folder / "state"), "--out", str(folder / "out")]
    return ["watch", str(folder / "log"), *place, "--once", *OPTIONS]


def found(folder: Path) -> dict[str, bytes]:
    """Give what a watch found; `watch.json` tells how long things took, and is left out."""
    return {name: (folder / "out" / name).read_bytes() for name in ("findings.jsonl", "accounts.parquet")}


def clear(folder: Path) -> None:
    """Forget a watch and what it found."""
    for name in ("state", "out"):
        shutil.rmtree(folder / name, ignore_errors=True)


def whole(folder: Path, server: Server) -> tuple[dict[str, bytes], float]:
    """Give what a watch finds that nobody kills, and how long it takes [s]."""
    times = []
    for _ in range(2):
        clear(folder)
        began = time.monotonic()
        server.start(*arguments(folder))
        assert server.end() == (0, "")
        times.append(time.monotonic() - began)
    expected = found(folder)
    clear(folder)
    return expected, min(times)


def kill_often(folder: Path, server: Server, n_kills: int, *, seed: int) -> tuple[int, int]:
    """Kill watches at random instants until they have ended; check that nothing is lost or doubled.

    Returns
    -------
    Kills, and watches that ended after some.
    """
    expected, length_s = whole(folder, server)
    assert expected["findings.jsonl"].count(b"\n") > 1
    rng, n, n_ended, in_a_row = np.random.default_rng(seed), 0, 0, 0
    while n < n_kills or in_a_row:
        child = server.start(*arguments(folder))
        if in_a_row < _IN_A_ROW and n < n_kills:
            time.sleep(float(rng.uniform(0, length_s)))
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        code, said = server.end()
        assert code in (0, -signal.SIGKILL), said
        if code:
            n, in_a_row = n + 1, in_a_row + 1
            continue
        assert found(folder) == expected
        n_ended, in_a_row = n_ended + bool(in_a_row), 0
        clear(folder)
    return n, n_ended
