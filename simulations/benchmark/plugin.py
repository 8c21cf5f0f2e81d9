"""A pytest plugin for teams that prefer tests: `pytest --stillwatch-suite=ci` runs a suite once, tests look at it.

Tests marked `stillwatch` ask the fixture `stillwatch_benchmark` for what was found; without the option they are
skipped. Nothing is imported and nothing is run unless it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulations.benchmark.bench import Outcome

MARKER = "stillwatch: looks at a benchmark; skipped without --stillwatch-suite"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("stillwatch", "detectors benchmarked")
    group.addoption("--stillwatch-suite", metavar="SUITE.toml", help="A suite, or smoke, ci, full, replay.")
    group.addoption("--stillwatch-baseline", metavar="FILE", help="Fail where figures are worse than these.")
    group.addoption("--stillwatch-out", metavar="DIR", help="New or empty folder for the outputs.")
    group.addoption("--stillwatch-cache", metavar="DIR", default=".stillwatch-cache", help="Kept between runs.")
    group.addoption("--stillwatch-workers", metavar="N", type=int, help="Processes; 0 is none besides.")
    group.addoption("--stillwatch-detector", metavar="NAME", action="append", default=[], help="Besides; repeat.")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest the marker."""
    config.addinivalue_line("markers", MARKER)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a benchmark when none is asked for."""
    if config.getoption("--stillwatch-suite"):
        return
    skip = pytest.mark.skip(reason="needs --stillwatch-suite")
    for item in items:
        if item.get_closest_marker("stillwatch"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def stillwatch_benchmark(request: pytest.FixtureRequest) -> Outcome:
    """Run the suite of the command line, once."""
    from simulations.benchmark.bench import benchmark, write

    def given(name: str) -> Path | None:
        text = request.config.getoption(f"--stillwatch-{name}")
        return Path(text) if text else None

    suite = given("suite")
    if suite is None:
        pytest.skip("needs --stillwatch-suite")
    outcome = benchmark(
        suite,
        baseline=given("baseline"),
        cache=given("cache") or Path(".stillwatch-cache"),
        workers=request.config.getoption("--stillwatch-workers"),
        detectors=request.config.getoption("--stillwatch-detector"),
    )
    if (out := given("out")) is not None:
        write(outcome, out)
    return outcome
