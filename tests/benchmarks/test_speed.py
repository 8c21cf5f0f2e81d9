"""Where the time goes: whole commands side by side, and each stage of scoring. Run by `make bench`; asserts nothing.

`STILLWATCH_BENCH_LOG` names a log (CSV or Parquet, canonical columns) to use instead of a generated one.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.profiles.store import Profiles, columns_read
from detector.reading import fold_log
from detector.settings import InputSettings, ScoreSettings
from detector.subjects import describe

SCAN = """
import sys, duckdb
log = sys.argv[1]
source = f"read_csv('{log}')" if log.endswith(".csv") else f"'{log}'"
sums = "count(*), sum(length(prompt)), sum(output_tokens)"
duckdb.sql(f"SELECT account_id, {sums} FROM {source} GROUP BY 1").fetchall()
"""
ROOT = Path(__file__).parent.parent.parent


def run(*command: str) -> None:
    """Run a whole process, its output thrown away."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the log to measure on."""
    given = os.environ.get("STILLWATCH_BENCH_LOG")
    if given:
        return Path(given).resolve()
    out = tmp_path_factory.mktemp("bench") / "log"
    scenario = str(ROOT / "configs" / "quickstart.toml")
    command = [sys.executable, "-m", "detector", "generate", scenario, "--out", str(out), "--set", "scale=5"]
    run(*command, "--log-format", "csv")
    return out / "events.csv"


@pytest.mark.benchmark(group="whole process")
def test_scan(benchmark: pytest.FixtureRequest, log: Path) -> None:
    """The database reading and grouping the same file."""
    benchmark.pedantic(run, args=(sys.executable, "-c", SCAN, str(log)), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="whole process")
def test_score(benchmark: pytest.FixtureRequest, log: Path, tmp_path: Path) -> None:
    """`stillwatch score`, outputs and report included."""
    places = iter(str(tmp_path / f"scored{i}") for i in range(9))

    def score() -> None:
        run(sys.executable, "-m", "detector", "score", str(log), "--out", next(places), "--quiet")

    benchmark.pedantic(score, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="whole process")
def test_pandas(benchmark: pytest.FixtureRequest, log: Path) -> None:
    """A pandas and scikit-learn script that computes comparable features."""
    script = str(Path(__file__).parent / "pandas_script.py")
    benchmark.pedantic(run, args=(sys.executable, script, str(log)), rounds=1)


@pytest.mark.benchmark(group="stage")
def test_read(benchmark: pytest.FixtureRequest, log: Path) -> None:
    """Reading and checking, nothing folded."""

    def drain() -> None:
        with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
            for _ in opened.batches(columns_read(opened.columns)):
                pass

    benchmark.pedantic(drain, rounds=3)


@pytest.mark.benchmark(group="stage")
def test_fold(benchmark: pytest.FixtureRequest, log: Path) -> None:
    """Folding batches that lie in memory, on one thread."""
    with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
        columns = columns_read(opened.columns)
        batches = list(opened.batches(columns))

    def fold() -> None:
        profiles = Profiles(columns)
        for batch in batches:
            profiles.fold(batch)

    benchmark.pedantic(fold, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="stage")
def test_link_and_describe(benchmark: pytest.FixtureRequest, log: Path) -> None:
    """Links, clusters, and features of both."""
    with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
        profiles = fold_log(opened, threads=2)
    benchmark.pedantic(describe, args=(profiles, ScoreSettings()), rounds=3, warmup_rounds=1)
