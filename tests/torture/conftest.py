"""Collects the figures of all themes into one table, printed at the end of the run; says how far long tests are."""

from collections.abc import Callable

import pytest

from tests.torture.corpus import Figures

_FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty table."""
    config.stash[_FIGURES] = Figures()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Take the figures of a test."""
    return request.config.stash[_FIGURES]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Say at once how far a test is."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    rows = config.stash[_FIGURES].table()
    if len(rows) > 1:
        terminalreporter.section("torture")
        terminalreporter.write_line("\n".join(rows))
