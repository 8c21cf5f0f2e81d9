"""What a command settles before it works: threads of linear algebra, and memory that is used again."""

import os
import subprocess
import sys

import pytest

_BATCHES = """
import resource, threading
{settle}
def write():
    for _ in range(40):
        bytearray(b"batch") * (8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=write)
thread.start(); thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
_THREADS = """
from detector.process import work_on_one_thread
work_on_one_thread()
import numpy, scipy.linalg, threadpoolctl
print(max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"))
"""


def _told(program: str, **environment: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", program]
    return int(subprocess.run(command, env={**kept, **environment}, capture_output=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other allocators are left alone")
def test_memory_of_a_batch_is_used_for_the_next() -> None:
    """A thread that makes and drops batches asks the system for the memory of a few, not of each."""
    again = "from detector.process import use_memory_again; use_memory_again()"
    assert 4 * _told(_BATCHES.format(settle=again)) < _told(_BATCHES.format(settle=""))


def test_linear_algebra_uses_one_thread() -> None:
    """However many processors there are; who asks for more gets them, where there are as many."""
    assert _told(_THREADS) == 1
    assert _told(_THREADS, OPENBLAS_NUM_THREADS="2") == min(2, os.cpu_count() or 1)
