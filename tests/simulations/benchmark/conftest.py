"""A suite small enough to run here: two logs, users' detectors beside ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulations.benchmark.bench import Outcome, benchmark

LIBRARY = """
[[crowds.few.cohorts]]
name = "people"
persona = "hobby_chat"
accounts = 60
parameters = { requests = 6 }

[[scenarios]]
id = "loud@1"
title = "Two kinds of harvest."
crowd = "few"
days = 3

[[scenarios.cohorts]]
name = "bulk"
attacker = "bulk_harvest"
accounts = 12
parameters = { requests = 90, spread = 0.2 }

[[scenarios.cohorts]]
name = "fleet"
attacker = "fleet"
accounts = 8
parameters = { per_day = 10 }

[[scenarios]]
id = "quiet@2"
title = "Nobody harvests."
crowd = "few"
days = 3
"""
SUITE = """
name = "small"
version = 3
library = "library.toml"
levels = [3, 1]
budget = 0.05
timeout_s = 30
looks_days = 1.5
looked_at = ["loud@1"]

[[detectors]]
id = "glasswally"
name = "glasswally"

[[detectors]]
id = "mine"
object = "tests.simulations.benchmark.brought:Fast"

[[exclusions]]
detector = "glasswally"
levels = [1]
reason = "it would say little of such logs"
"""

Bench = Callable[..., Outcome]


@pytest.fixture(scope="session")
def suite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite and its library."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "library.toml").write_text(LIBRARY, encoding="utf-8")
    (folder / "suite.toml").write_text(SUITE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def bench(suite_folder: Path) -> Bench:
    """Runs the suite in this process, over one cache."""

    def run(*assignments: str, detectors: tuple[str, ...] = (), baseline: Path | None = None) -> Outcome:
        return benchmark(
            suite_folder / "suite.toml",
            baseline=baseline,
            cache=suite_folder / "cache",
            workers=0,
            detectors=[f"tests.simulations.benchmark.brought:{name}" for name in detectors],
            assignments=assignments,
        )

    return run


@pytest.fixture(scope="session")
def outcome(bench: Bench) -> Outcome:
    """The suite, run once."""
    return bench()
