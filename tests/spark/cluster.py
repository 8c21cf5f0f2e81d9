"""A standalone cluster on loopback, of the classes that come with pyspark: one master, some workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

HOST = "127.0.0.1"
#: Heap of a daemon, which only keeps books; executors are given theirs by the session.
_DAEMON_MEMORY = "384m"
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Cluster:
    """A running cluster: where its master listens, and the processes of its workers."""

    master: str
    workers: tuple[int, ...]

    def busy_s(self) -> list[float]:
        """Give the processor time that each worker and all that it started have taken so far [s]."""
        parents, taken = {}, {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(status.parent.name)] = int(fields[1])
            taken[int(status.parent.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

        def is_below(process: int, worker: int) -> bool:
            return process == worker or (process in parents and is_below(parents[process], worker))

        return [sum(took for process, took in taken.items() if is_below(process, worker)) for worker in self.workers]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_DAEMON_MEMORY": _DAEMON_MEMORY,
        "SPARK_WORKER_DIR": str(folder / name),
        "SPARK_LOCAL_DIRS": str(folder / f"{name}-local"),
        "PYSPARK_PYTHON": sys.executable,
    }
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{arguments[0]}", *arguments[1:]]
    with (folder / f"{name}.log").open("wb") as log:
        # spark-class replaces itself by Java, so that this process is the daemon.
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def _wait_for_workers(page: int, n: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{page}/json/", timeout=5) as answer:
                if json.load(answer)["aliveworkers"] >= n:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise TimeoutError("the cluster did not come up")


@contextmanager
def running(folder: Path, *, n_workers: int) -> Iterator[Cluster]:
    """Run a cluster of workers with one core each; at the end its processes are ended, by their ids."""
    port, page = _free_port(), _free_port()
    master = f"spark://{HOST}:{port}"
    listens = ("--host", HOST, "--port", str(port), "--webui-port", str(page))
    started = [_start(folder, "master", "master.Master", *listens)]
    try:
        for number in range(n_workers):
            limits = ("--host", HOST, "--cores", "1", "--memory", "2g", "--webui-port", "0", master)
            started.append(_start(folder, f"worker-{number}", "worker.Worker", *limits))
        _wait_for_workers(page, n_workers)
        yield Cluster(master, tuple(process.pid for process in started[1:]))
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=60)
