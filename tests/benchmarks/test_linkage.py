"""Linkage at the size of a large provider, all stages in one process. Run by `make bench`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ACCOUNTS, LEAST_LINKS, MOST_S, MOST_GIB = 1_000_000, 10_000_000, 120.0, 4.0


@pytest.mark.benchmark(group="linkage")
def test_linkage_of_a_million_accounts(benchmark: pytest.FixtureRequest) -> None:
    """A million accounts and ten million links are clustered within two minutes and 4 GiB, on two threads."""
    command = [sys.executable, "tests/benchmarks/linkage_scale.py", str(ACCOUNTS), "2"]

    def link() -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout

    told = benchmark.pedantic(link, rounds=1)
    n_links, seconds, peak = (
        float(re.search(pattern, told)[1]) for pattern in (r"(\d+) links", r"([\d.]+) s \(", r"([\d.]+) GiB at")
    )
    benchmark.extra_info.update(seconds=seconds, peak_gib=peak)
    assert n_links >= LEAST_LINKS
    assert seconds <= MOST_S
    assert peak <= MOST_GIB
