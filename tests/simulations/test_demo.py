"""The demo removes only what it made, and runs the commands a user would run."""

import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import OutputNotEmptyError
from detector.tables import SCORED
from simulations import demo


def test_earlier_demo_is_removed(tmp_path: Path) -> None:
    """A folder with the marker is emptied and marked again."""
    folder = tmp_path / "demo"
    demo.make_room(folder)
    (folder / "old.txt").write_text("old", encoding="utf-8")
    demo.make_room(folder)
    assert [path.name for path in folder.iterdir()] == [demo.MARKER]


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder without the marker, a file and a link are refused untouched."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputNotEmptyError, match="was not made by an earlier demo; move it away"):
        demo.make_room(folder)
    assert (folder / "mine.txt").read_text(encoding="utf-8") == "mine"
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OutputNotEmptyError, match="is no folder of an earlier demo"):
        demo.make_room(tmp_path / "link")


def test_score_command_is_the_users(tmp_path: Path) -> None:
    """The demo scores by the command line of the product."""
    command = demo.score_command(Path("demo"))
    assert command[1:] == [
        "-m", "detector.cli", "score", "demo/log/events.csv", "--accounts", "demo/log/accounts.parquet",
        "--out", "demo/scored",
    ]  # fmt: skip


def scored_folder(folder: Path, accounts: list[str]) -> None:
    """Write what scoring writes, with scores that fall along the list, and a truth where none is."""
    rows = [{"account_id": name, "score": -1.0 * i, "action": "none", "n_events": 4} for i, name in enumerate(accounts)]
    (folder / "scored").mkdir()
    (folder / "log").mkdir(exist_ok=True)
    if not (folder / "log" / "truth.parquet").exists():
        told = {"account_id": accounts, "persona": ["fleet"] * len(accounts)}
        pq.write_table(pa.table(told), folder / "log" / "truth.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema=SCORED), folder / "scored" / "accounts.parquet")


def test_top_rows_are_the_worst(tmp_path: Path) -> None:
    """The rows shown are the highest scores, worst first, one line each."""
    scored_folder(tmp_path, ["a", "b", "c"])
    rows = demo.top_rows(tmp_path, 2)
    assert [row["account_id"] for row in rows] == ["a", "b"]
    assert demo.row_text(rows[1]) == "b                         -1.00  none           4 requests  fleet"


def test_run_goes_from_log_to_report(
    tmp_path: Path, small: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Log, scores, figures and the place of the report; a failed scoring ends it with that exit code."""
    folder = tmp_path / "demo"

    def score(command: list[str], *, check: bool) -> "subprocess.CompletedProcess[str]":
        truth = pq.read_table(folder / "log" / "truth.parquet")
        scored_folder(folder, truth["account_id"].to_pylist())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(demo, "read_scenario", lambda path: small)
    monkeypatch.setattr(demo.subprocess, "run", score)
    assert demo.run(folder) == 0
    assert (folder / "figures.json").exists()
    assert f"report: {folder}/scored/report.html" in capsys.readouterr().out
    monkeypatch.setattr(demo.subprocess, "run", lambda command, check: subprocess.CompletedProcess(command, 7))
    assert demo.run(folder) == 7


def test_main_prints_errors_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours is one line and its own exit code."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert demo.main() == OutputNotEmptyError.exit_code
    assert capsys.readouterr().err.startswith("demo: demo: was not made by")
