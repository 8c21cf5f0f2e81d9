"""The kit for pipelines: the example repository runs as its pipelines and its tests would run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = ("-m", "pytest", "-q", "-p", "simulations.benchmark.plugin", "-p", "no:cacheprovider", "checks")
HERE = ("--stillwatch-out=first", "--stillwatch-workers=0")
ACTION, GITLAB = ROOT / "action.yml", ROOT / ".ci" / "stillwatch.gitlab-ci.yml"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example repository, checked out."""
    place = tmp_path_factory.mktemp("team") / "repository"
    shutil.copytree(ROOT / "tests" / "examples" / "team", place)
    return place


def run(team: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run something as a pipeline does: in the repository, options in the environment."""
    there = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=team, env=os.environ | there | variables, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_example_runs_as_pipelines_run_it(team: Path) -> None:
    """Its tests pass and leave a baseline; a worse detector fails the script of the action, which adds its summary."""
    script, summary = str(ROOT / ".ci" / "benchmark.sh"), team / "summary.md"
    summary.touch()
    common = {"STILLWATCH_SUITE": "benchmark.toml", "STILLWATCH_WORKERS": "0", "GITHUB_STEP_SUMMARY": str(summary)}
    passed = run(team, sys.executable, *TESTS, "--stillwatch-suite=benchmark.toml", *HERE)
    assert passed.returncode == 0 and "2 passed" in passed.stdout, passed.stdout
    shutil.copy(team / "first" / "baseline.json", team / "baseline.json")
    (team / "rules" / "volume.py").write_text(
        (team / "rules" / "volume.py").read_text(encoding="utf-8").replace("self.power * np", "-self.power * np"),
        encoding="utf-8",
    )
    worse = run(team, "bash", script, STILLWATCH_OUT="worse", STILLWATCH_BASELINE="baseline.json", **common)
    assert worse.returncode == 1, worse.stderr
    assert "## Stillwatch benchmark `team` against the baseline: failed" in summary.read_text(encoding="utf-8")
    assert "**worse** loud@1, level 3, volume: " in summary.read_text(encoding="utf-8")


def test_without_the_option_marked_tests_are_skipped(team: Path) -> None:
    """The plugin costs nothing and runs nothing unless a suite is named."""
    assert "2 skipped" in run(team, sys.executable, *TESTS).stdout


def test_inputs_pass_through_the_environment() -> None:
    """No script of the action or of the template holds an expression that a value is pasted into."""
    text = ACTION.read_text(encoding="utf-8")
    scripts = re.findall(r"^ +run: (.*)$", text, flags=re.M)
    assert len(scripts) == 2 and not any("${{" in script for script in scripts)
    declared = set(re.findall(r"^  ([a-z]+):\n    description:", text, flags=re.M))
    assert declared == set(re.findall(r"inputs\.([a-z]+)", text))
    assert not re.search(r"uses: (?!\./)", text)


def test_no_log_is_uploaded() -> None:
    """Artifacts are figures: no cache, no score and no baseline leaves by default."""
    kept = re.search(r"artifacts:\n(?:    .*\n?)+", GITLAB.read_text(encoding="utf-8"))
    assert kept is not None
    files = set(re.findall(r"STILLWATCH_OUT/(\S+)", kept[0]))
    assert files == {"benchmark.json", "summary.md", "leaderboard.html", "junit.xml"}
    assert "upload-artifact" not in ACTION.read_text(encoding="utf-8")
