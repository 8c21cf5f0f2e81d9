"""The commands are thin: options reach the library, and importing them costs nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from detector.errors import ConfigError, GateError, UsageError
from simulations.cli import register

RUN = CliRunner()
QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.toml"
SMALLER = ["--set", "scale=0.05", "--set", "days=3", "--set", "cohorts.products.parameters.requests=50"]


@pytest.fixture
def app() -> typer.Typer:
    """An application with nothing but our commands."""
    app = typer.Typer()
    register(app)
    return app


def test_generate_writes_a_log(app: typer.Typer, tmp_path: Path) -> None:
    """The command writes the folder, takes seed and settings, and says what it did."""
    out = tmp_path / "log"
    options = ["--out", str(out), "--seed", "3", "--log-format", "csv", *SMALLER]
    result = RUN.invoke(app, ["generate", str(QUICKSTART), *options])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        "events.csv",
        "truth.parquet",
        "truth_requests.parquet",
        "accounts.parquet",
        "scenario.toml",
        "audit.json",
    }
    assert "seed = 3" in (out / "scenario.toml").read_text(encoding="utf-8")
    assert "requests, seed 3" in result.output


def test_errors_pass_through(app: typer.Typer, tmp_path: Path) -> None:
    """Our errors leave the command as they are, for the one place that prints them."""
    result = RUN.invoke(app, ["generate", str(QUICKSTART), "--out", str(tmp_path / "x"), "--set", "seeed=1"])
    assert isinstance(result.exception, ConfigError)
    assert "unknown key 'seeed'; nearest: 'seed'" in str(result.exception)


def test_evaluate_prints_and_writes(app: typer.Typer, tmp_path: Path) -> None:
    """The table is plain where no terminal is, ``--json`` prints the same JSON that the file holds."""
    RUN.invoke(app, ["generate", str(QUICKSTART), "--out", str(tmp_path / "log"), *SMALLER])
    truth = pq.read_table(tmp_path / "log" / "truth.parquet").to_pandas()
    scored = pd.DataFrame({"account_id": truth["account_id"], "score": truth["n_events"] * 1.0})
    scored.to_csv(tmp_path / "scored.csv", index=False)
    inputs = ["evaluate", str(tmp_path / "scored.csv"), str(tmp_path / "log" / "truth.parquet")]
    plain = RUN.invoke(app, [*inputs, "--out", str(tmp_path / "f.json")])
    assert plain.exit_code == 0, plain.output
    assert "auc_vs_machines" in plain.output and "\x1b" not in plain.output
    as_json = RUN.invoke(app, [*inputs, "--out", str(tmp_path / "f.json"), "--json", "--machine", "hobby_chat"])
    assert json.loads(as_json.output) == json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert json.loads(as_json.output)["auc_vs_people"] is None


@pytest.mark.parametrize("command", ["generate", "evaluate", "schema", "fidelity", "transfer", "delay", "benchmark"])
def test_help_has_an_example(app: typer.Typer, command: str) -> None:
    """Every command shows how it is called."""
    result = RUN.invoke(app, [command, "--help"], env={"COLUMNS": "300"})
    assert f"Example: stillwatch {command} " in result.output


def test_broken_log_fails_the_command(app: typer.Typer, tmp_path: Path) -> None:
    """A log that lacks what it declares is written, and the command fails with the code of a gate."""
    options = ["--out", str(tmp_path / "log"), "--set", 'declares=["plan", "temperature"]', "--no-text"]
    result = RUN.invoke(app, ["generate", str(QUICKSTART), *options])
    assert isinstance(result.exception, GateError)
    assert (tmp_path / "log" / "events.parquet").exists()


def test_schema_is_printed(app: typer.Typer) -> None:
    """The schema is JSON on standard output."""
    assert json.loads(RUN.invoke(app, ["schema"]).output)["title"] == "Stillwatch scenario"
    assert json.loads(RUN.invoke(app, ["schema", "findings"]).output)["title"] == "Stillwatch finding"
    unknown = RUN.invoke(app, ["schema", "finding"])
    assert (type(unknown.exception), str(unknown.exception)) == (
        UsageError,
        "schema 'finding': there is none of that; nearest: 'findings'",
    )


def test_litellm_shape_reads_back(app: typer.Typer, tmp_path: Path) -> None:
    """A log in LiteLLM's shape has its columns, and its nested texts are JSON."""
    options = ["--out", str(tmp_path / "log"), "--shape", "litellm", "--log-format", "jsonl", *SMALLER]
    assert RUN.invoke(app, ["generate", str(QUICKSTART), *options]).exit_code == 0
    with (tmp_path / "log" / "events.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    assert {"request_id", "call_type", "api_key", "spend", "startTime", "endTime"} <= set(rows[0])
    for row in rows:
        request = json.loads(row["proxy_server_request"])
        assert request["messages"][-1]["content"]
        assert json.loads(row["metadata"]) == {} or row["status"] == "failure"
        assert row["startTime"] <= row["endTime"]


def test_import_is_light() -> None:
    """Importing the commands loads none of the heavy libraries."""
    heavy = "{'numpy', 'pandas', 'numba', 'sklearn', 'scipy', 'pyarrow', 'duckdb'}"
    code = f"import sys, simulations.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=QUICKSTART.parents[1]
    )
    assert found.stdout.strip() == "[]"


def test_transfer_judges_models_side_by_side(app: typer.Typer, tmp_path: Path) -> None:
    """Each named model has its column; the file holds the same figures; a nameless log is refused."""
    for seed in ("1", "2"):
        RUN.invoke(app, ["generate", str(QUICKSTART), "--out", str(tmp_path / seed), "--seed", seed, *SMALLER])
    judged, out = ["--judge", str(tmp_path / "2"), "--rate", "0.1"], tmp_path / "transfer.json"
    result = RUN.invoke(app, ["transfer", "--train", f"mine={tmp_path / '1'}", *judged, "--out", str(out)])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert result.output.splitlines()[0].endswith("mine")
    assert {line.split()[0] for line in result.output.splitlines()[1:]} == set(figures["cohorts"])
    refused = RUN.invoke(app, ["transfer", "--train", str(tmp_path / "1"), *judged])
    assert isinstance(refused.exception, UsageError)
    assert "give NAME=DIR" in str(refused.exception)
