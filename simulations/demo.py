"""The whole tool in one go: make a log, score it, measure the scores, say where to look.

``python -m simulations.demo`` writes ``./demo``, and removes only a ``./demo`` that an earlier run has made.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from detector.errors import OutputNotEmptyError, StillwatchError
from simulations.benchmark.evaluate import evaluate
from simulations.benchmark.sheet import show
from simulations.generate import generate
from simulations.settings import read_scenario

FOLDER = Path("demo")
#: A folder without this file is somebody else's and is never removed.
MARKER = ".made-by-stillwatch-demo"
SCENARIO = Path(__file__).parent.parent / "configs" / "quickstart.toml"
TOP_ROWS = 10


def make_room(folder: Path) -> None:
    """Remove an earlier demo and begin a new one.

    Raises
    ------
    OutputNotEmptyError
        The folder holds something that no demo wrote.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputNotEmptyError(f"{folder}: is no folder of an earlier demo; move it away")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise OutputNotEmptyError(f"{folder}: was not made by an earlier demo; move it away")
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    (folder / MARKER).write_text("This folder is removed by the next demo.\n", encoding="utf-8")


def score_command(folder: Path) -> list[str]:
    """Spell the command that scores the demo's log."""
    log = folder / "log"
    inputs = [str(log / "events.csv"), "--accounts", str(log / "accounts.parquet")]
    return [sys.executable, "-m", "detector.cli", "score", *inputs, "--out", str(folder / "scored")]


def top_rows(folder: Path, n: int = TOP_ROWS) -> list[dict[str, Any]]:
    """Read the most suspicious accounts, worst first, each with what it truly is."""
    scored = pq.read_table(
        folder / "scored" / "accounts.parquet", columns=["account_id", "score", "action", "n_events"]
    )
    truth = pq.read_table(folder / "log" / "truth.parquet", columns=["account_id", "persona"])
    known = scored.join(truth, "account_id", join_type="left outer")
    rows: list[dict[str, Any]] = known.sort_by([("score", "descending"), ("account_id", "ascending")])[:n].to_pylist()
    return rows


def row_text(row: dict[str, Any]) -> str:
    """Write an account as a line."""
    known = f"{row['account_id']:<22} {row['score']:>8.2f}  {row['action'] or '-':<9}"
    return f"{known} {row['n_events']:>6} requests  {row['persona'] or '-'}"


def run(folder: Path = FOLDER) -> int:
    """Run the demo.

    Returns
    -------
    Exit code: that of scoring, where scoring fails.
    """
    make_room(folder)
    audit = generate(read_scenario(SCENARIO), folder / "log", log_format="csv")
    print(f"made {audit['counts']['events']} requests in {folder / 'log'}", flush=True)
    scored = subprocess.run(score_command(folder), check=False)  # noqa: S603 - our own module, fixed arguments
    if scored.returncode:
        return scored.returncode
    figures = evaluate(folder / "scored", folder / "log" / "truth.parquet", out=folder / "figures.json")
    print("\nmost suspicious accounts, and what they are:")
    print("\n".join(row_text(row) for row in top_rows(folder)))
    print("\nagainst the truth:")
    show(figures)
    print(f"\nreport: {folder / 'scored' / 'report.html'}")
    return 0


def main() -> int:
    """Run the demo; print an error in one line."""
    try:
        return run()
    except StillwatchError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
