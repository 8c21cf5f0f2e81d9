"""Runs of `stillwatch score` that can be killed: one process loads all it takes and forks one run after the other.

Charts are drawn by a process of its own, which has nothing to do with files; here they are blank.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from detector.pipeline import score
from detector.reports import artist
from detector.reports.publish import write_results
from detector.settings import ScoreSettings, load
from tests.detector.worlds import draw_events

ROOT = Path(__file__).parents[2]
_SERVER = """
import json, os, signal, sys
import detector.cli, detector.keeping
from pathlib import Path
from detector.__main__ import work
from tests.torture.faults import Faults, injected
from tests.torture.runs import warm
warm()
for line in sys.stdin:
    argv, err, folder, kill_at, kill_cpu_s = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0); os.dup2(0, 1)
        sys.argv = ["stillwatch", *argv]
        os.chdir(folder)
        signal.setitimer(signal.ITIMER_PROF, kill_cpu_s)
        with injected(Faults("kill", kill_at, Path(folder))):
            os._exit(work())
    print(child, flush=True)
    _, status, used = os.wait4(child, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)
"""


#: Ends a process without a word, as SIGKILL does: nothing of ours handles it.
DEADLY = -signal.SIGPROF


class Server:
    """Starts runs; each is a process of its own.

    Attributes
    ----------
    cpu_s: processor seconds of the last run that ended.
    """

    cpu_s = 0.0

    def __init__(self, scratch: Path) -> None:
        self._err = scratch / "stderr.txt"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def start(self, *argv: str, folder: Path = ROOT, kill_at: int = 0, kill_cpu_s: float = 0.0) -> int:
        """Start a run in a folder; gives its process id.

        Parameters
        ----------
        kill_at: it is killed after so many operations below the folder; 0 is not.
        kill_cpu_s: it is ended by `DEADLY` once it took so much of processors, whatever else they do; 0 is not.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = [argv, str(self._err), str(folder), kill_at, kill_cpu_s]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Wait for the run; gives its exit code, negative for a signal, and what it said."""
        assert self._process.stdout is not None
        code, cpu_s = self._process.stdout.readline().split()
        self.cpu_s = float(cpu_s)
        return int(code), self._err.read_text()

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.communicate()


def draw(n: int = 20_000) -> pa.Table:
    """Draw a log in order of time, of two hundred accounts."""
    return pa.Table.from_batches([draw_events(3, n=n, accounts=200)])


def write_parts(log: pa.Table, folder: Path, n: int, *, as_csv: bool = False) -> list[str]:
    """Write a log as n files."""
    folder.mkdir()
    edges = [place * log.num_rows // n for place in range(n + 1)]
    for place in range(n):
        part = log.slice(edges[place], edges[place + 1] - edges[place])
        if as_csv:
            pa.csv.write_csv(part, folder / f"part-{place}.csv")
        else:
            pq.write_table(part, folder / f"part-{place}.parquet")
    return sorted(str(path) for path in folder.iterdir())


def contents(out: Path) -> dict[str, Any]:
    """Give the bytes of each output; the run record without how long it took."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in out.iterdir()}
    found["run.json"] = {key: value for key, value in json.loads(found["run.json"]).items() if key != "timings_s"}
    return found


def _blank(spec: object) -> str:
    return "<svg></svg>"


def warm() -> None:
    """Load, by a run, what every run loads; from here on this process draws nothing."""
    artist._started = lambda: None
    artist.draw_here = _blank
    with tempfile.TemporaryDirectory() as folder:
        files = write_parts(draw(500), Path(folder) / "log", 2)
        settings = load(ScoreSettings, {"input": {"threads": 2}}, where="test")
        write_results(score(files, settings), Path(folder) / "out", report_accounts=2, draw=_blank)


def vm_peak_of(*argv: str) -> int:
    """Run once; gives the most address space that it held [bytes]."""
    code = (
        "import sys, os, re\nfrom detector.cli import main\nsys.argv[0] = 'stillwatch'\n"
        "try:\n main()\nexcept SystemExit:\n pass\n"
        "print(re.search(r'VmPeak:\\s+(\\d+)', open('/proc/self/status').read())[1]); sys.stdout.flush(); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True, cwd=ROOT)
    return int(done.stdout.split()[-1]) << 10


def environment(**given: str) -> dict[str, str]:
    """Give the environment with some variables changed."""
    return {**os.environ, **given}
