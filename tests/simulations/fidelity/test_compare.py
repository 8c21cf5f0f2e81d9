"""A generated log is as close to real traces as its tolerances say; a log that is not fails."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from detector.errors import InputUnreadableError
from simulations.fidelity.compare import TOLERANCES, compare
from simulations.generate import generate
from simulations.settings import ScenarioSettings, read_scenario

ROOT = Path(__file__).parents[3]
DEV = ROOT.parent / "shared" / "data" / "dev"
TRACES = (
    "servegen_client_rates.parquet", "servegen_client_tokens.parquet", "trace_azure_conv_2023.parquet",
    "burstgpt1_hour_of_day_secondary.csv", "trace_agent_calls.parquet", "prompts.parquet",
)  # fmt: skip


@pytest.fixture(scope="module")
def log(small: ScenarioSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log with its truth."""
    folder = tmp_path_factory.mktemp("fidelity") / "log"
    generate(small, folder)
    return folder


def compared(log: Path, out: Path, *traces: Path) -> dict[str, Any]:
    """Compare a log, with its truth."""
    return compare(log / "events.parquet", list(traces), out=out, truth=log / "truth.parquet")


@pytest.mark.shared
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_honest_log_is_like_real_traces(seed: int, tmp_path: Path) -> None:
    """Every distance is within its tolerance, on three seeds."""
    if not DEV.is_dir():
        pytest.skip("the shared traces are not beside the checkout")
    generate(read_scenario(ROOT / "configs" / "fidelity.toml", seed=seed), tmp_path / "log")
    report = compared(tmp_path / "log", tmp_path / "out", *(DEV / name for name in TRACES))
    beyond = {name: row for name, row in report["distances"].items() if not row["is_within"]}
    assert beyond == {}
    assert set(report["distances"]) == set(TOLERANCES)


def test_hours_are_compared_and_drawn(log: Path, tmp_path: Path) -> None:
    """A day with one busy hour is far from people's; figures and a picture are written."""
    trace = tmp_path / "hours.csv"
    pd.DataFrame({"hour": range(24), "session_count": [0] * 23 + [100]}).to_csv(trace, index=False)
    report = compared(log, tmp_path / "out", trace)
    row = report["distances"]["hours of the day (largest difference)"]
    assert (row["is_within"], report["is_within"], row["real"]) == (False, False, 1.0)
    assert json.loads((tmp_path / "out" / "fidelity.json").read_text(encoding="utf-8")) == report
    assert (tmp_path / "out" / "fidelity.svg").read_text(encoding="utf-8").startswith("<svg")


def test_unknown_trace_is_refused(log: Path, tmp_path: Path) -> None:
    """A trace with other columns is refused with the columns that would do, and nothing is written."""
    trace = tmp_path / "odd.csv"
    pd.DataFrame({"colour": ["red"]}).to_csv(trace, index=False)
    with pytest.raises(InputUnreadableError, match=r"odd\.csv: columns \['colour'\] are of no known trace"):
        compared(log, tmp_path / "out", trace)
    assert not (tmp_path / "out").exists()


def test_missing_files_are_refused(log: Path, tmp_path: Path) -> None:
    """A trace or a log that is not there is one error."""
    with pytest.raises(InputUnreadableError, match=r"gone\.parquet: cannot be read"):
        compared(log, tmp_path / "out", tmp_path / "gone.parquet")
    with pytest.raises(InputUnreadableError, match=r"events\.parquet: cannot be read"):
        compared(tmp_path, tmp_path / "out")
