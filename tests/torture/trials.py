"""Runs of the command line, each in a process of its own with limits; what it did is told from outside.

A run as a user starts it spends a second on loading libraries. So one server loads them and forks a child per run,
which forks the one that works, as the command does.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What R1 allows a run. The limit on writable memory is looser: it counts what is reserved and never touched.
MAX_S, MAX_KB, DATA_BYTES = 20, 1 << 20, 3 << 30
#: Exit codes that are documented: of `detector.errors`, and 0. That of a process that died is none that may be seen.
CODES = {0, 1, 2, 3, *range(10, 36)}


@dataclass(frozen=True)
class Trial:
    """How a run ended.

    Attributes
    ----------
    code: exit code, or minus the number of the signal that ended the run.
    cpu_s: of all processors.
    peak_kb: most memory resident at once.
    said: what it wrote to standard error.
    """

    code: int
    wall_s: float
    cpu_s: float
    peak_kb: int
    said: str

    @property
    def faults(self) -> list[str]:
        """Name what a run must never do, whatever it is given."""
        found = {
            f"exit code {self.code}": self.code not in CODES,
            "a traceback": "Traceback" in self.said,
            f"{self.wall_s:.0f} s": self.wall_s > MAX_S,
            f"{self.peak_kb >> 10} MiB": self.peak_kb > MAX_KB,
            "no sentence": self.code != 0 and not self.said.strip(),
        }
        return [what for what, is_so in found.items() if is_so]


class Server:
    """Runs the command line in forked children, one at a time; what seems slow by the clock alone is run again.

    Others may use the machine, and a run that hangs does so every time.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *args: str, by_hand: Path | None = None, cwd: Path | None = None) -> Trial:
        """Run the command line.

        Parameters
        ----------
        by_hand: a log of which a user would map the columns by its header.
        """
        trial = self._run(*args, by_hand=by_hand, cwd=cwd)
        is_doubtful = trial.cpu_s <= MAX_S < trial.wall_s
        return self._run(*args, by_hand=by_hand, cwd=cwd) if is_doubtful else trial

    def _run(self, *args: str, by_hand: Path | None, cwd: Path | None) -> Trial:
        assert self._process.stdin and self._process.stdout
        asked = {"args": args, "by_hand": str(by_hand or ""), "cwd": str(cwd or ".")}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Trial(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Keep a server for a block."""
    server = Server()
    try:
        yield server
    finally:
        server.close()


def mapped_by_hand(path: Path) -> dict[str, str]:
    """Map the columns as a user would who looks at the header; nothing where there is none to look at."""
    import pyarrow.parquet as pq

    from detector.errors import StillwatchError
    from detector.logs.headers import read_csv_header, read_jsonl_header
    from detector.logs.sources import inspect_file

    try:
        file = inspect_file(path.name, str(path))
        if file.kind == "parquet":
            given = tuple(pq.read_schema(path).names)
        else:
            given = (read_csv_header(file, ",") if file.kind == "csv" else read_jsonl_header(file)).names
    except (StillwatchError, OSError, ValueError, TypeError, MemoryError):
        return {}
    names = [name for name in given if name]
    if not names:
        return {}
    chosen = {"occurred_at": names[0], "account_id": names[-1], "prompt": names[-1]}
    known = {"occurred_at": "timestamp", "account_id": "account_id", "prompt": "prompt"}
    return {column: known[column] if known[column] in names else name for column, name in chosen.items()}


def _child(asked: dict[str, Any], said: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (3 * MAX_S, 3 * MAX_S))
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(said, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.chdir(asked["cwd"])
    mapped = mapped_by_hand(Path(asked["by_hand"])) if asked["by_hand"] else {}
    options = [word for column, name in mapped.items() for word in ("--map", f"{column}={name}")]
    sys.argv = ["stillwatch", *asked["args"], *options]
    from detector.__main__ import run

    run()


def _trial(asked: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                _child(asked, said.fileno())
            except SystemExit as left:
                os._exit(left.code if isinstance(left.code, int) else 1)
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(99)
            os._exit(0)
        _, status, used = os.wait4(child, 0)
        said.seek(0)
        told = said.read(1 << 20).decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    took = {"wall_s": time.monotonic() - begin, "cpu_s": used.ru_utime + used.ru_stime, "peak_kb": used.ru_maxrss}
    return {"code": code, **took, "said": told}


def main() -> None:
    """Serve runs until standard input ends."""
    import simulations.cli  # noqa: F401 - loaded once for all children
    from tests.torture.runs import warm

    warm()
    for line in sys.stdin:
        print(json.dumps(_trial(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
