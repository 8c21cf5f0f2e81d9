"""The commands of experiments: options reach the library, failed cells reach the exit code, examples are shown."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from detector.errors import GateError, UsageError
from simulations.cli import register
from simulations.loop import cells

RUN = CliRunner()
SCENARIO = """
name = "tiny"
starts_at = 2026-03-02T00:00:00Z
days = 1
text = false
[[cohorts]]
name = "people"
persona = "hobby_chat"
accounts = 10
[[cohorts]]
name = "fleet"
attacker = "fleet"
accounts = 4
"""


@pytest.fixture
def app() -> typer.Typer:
    """An application with nothing but our commands."""
    app = typer.Typer()
    register(app)
    return app


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    """A scenario without a look, of a day."""
    path = tmp_path / "tiny.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_help_has_an_example(app: typer.Typer, command: str) -> None:
    """Every command shows how it is called."""
    assert f"Example: stillwatch {command} " in RUN.invoke(app, [command, "--help"], env={"COLUMNS": "300"}).output


def test_a_sweep_and_its_comparison(app: typer.Typer, scenario: str, tmp_path: Path) -> None:
    """Seeds begin with --seed, --no-text and --set hold for every cell, and two points compare at once."""
    out = tmp_path / "grid"
    options = ["--sweep", "minutes=1", "--jobs", "1"]
    ambiguous = RUN.invoke(app, ["simulate", scenario, "--out", str(out), *options])
    options = ["--sweep", "cadence_days=0.5,2", "--seeds", "2", "--seed", "7", "--set", "days=1.5", "--jobs", "1"]
    swept = RUN.invoke(app, ["simulate", scenario, "--out", str(out), *options])
    compared = RUN.invoke(app, ["compare", str(out), "--json"])
    shown = RUN.invoke(app, ["compare", str(out)])

    assert "defence.appeals.minutes, defence.review.minutes" in str(ambiguous.exception)
    assert swept.exit_code == 0, swept.output
    assert "defence.cadence_days=0.5" in swept.output
    summary = json.loads((out / "sweep.json").read_text(encoding="utf-8"))
    assert (summary["seeds"], summary["points"][0]["rehearsal"]["scenario"]["days"]) == ([7, 8], 1.5)
    assert json.loads(compared.output)["differs"] == {"defence.cadence_days": [0.5, 2.0]}
    assert shown.output.startswith(json.loads(compared.output)["verdict"])


def test_failed_cells_fail_the_command(
    app: typer.Typer, scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could be run is written, the reason is told, and a script notices."""
    monkeypatch.setattr(cells, "rehearse", lambda cell, kept: "no luck")
    result = RUN.invoke(app, ["simulate", scenario, "--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "grid")])

    assert isinstance(result.exception, GateError)
    assert "2 of 2 cells failed" in str(result.exception)
    assert "point 1, seed 1 failed: no luck" in result.output
    assert (tmp_path / "grid" / "report.html").exists()


@pytest.mark.parametrize(("options", "reason"), [(["--seeds", "0"], "--seeds 0"), (["--jobs", "2"], "--jobs: is of")])
def test_options_that_do_not_fit_are_refused(
    app: typer.Typer, scenario: str, tmp_path: Path, options: list[str], reason: str
) -> None:
    """Nothing is ignored silently."""
    result = RUN.invoke(app, ["simulate", scenario, "--out", str(tmp_path / "out"), *options])

    assert isinstance(result.exception, UsageError)
    assert reason in str(result.exception)
