"""A generated folder is complete, reproducible to the byte, and audits itself."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.errors import OutputNotEmptyError, UsageError
from detector.settings import InputSettings
from detector.tables import EVENTS
from simulations.audit import Audit
from simulations.generate import generate
from simulations.settings import ScenarioSettings, read_scenario
from simulations.world import build
from simulations.writers import LOG_FORMATS

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.toml"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read_back(log: Path) -> pa.Table:
    """The log as the detector reads it."""
    with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
        return pa.Table.from_batches(list(opened.batches()))


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_same_seed_same_bytes(small: ScenarioSettings, tmp_path: Path, log_format: str) -> None:
    """Two runs of one scenario write the same bytes in every file."""
    for name in ("first", "second"):
        generate(small, tmp_path / name, log_format=log_format)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    expected = {f"events.{log_format}", "truth.parquet", "truth_requests.parquet", "accounts.parquet", "scenario.toml"}
    assert expected | {"audit.json"} == set(contents(tmp_path / "first"))


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_chunks_and_workers_leave_bytes_alone(
    small: ScenarioSettings, tmp_path: Path, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file has the same bytes whatever the chunk size and the number of workers, over many row groups too."""
    monkeypatch.setattr("simulations.writers.ROW_GROUP", 512)
    generate(small, tmp_path / "whole", log_format=log_format, chunk_rows=512, workers=1)
    generate(small, tmp_path / "small", log_format=log_format, chunk_rows=97, workers=3)
    generate(small, tmp_path / "large", log_format=log_format, chunk_rows=10_000)
    assert contents(tmp_path / "whole") == contents(tmp_path / "small") == contents(tmp_path / "large")


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_daily_files_hold_the_same_rows(small: ScenarioSettings, tmp_path: Path, log_format: str) -> None:
    """Each file holds the requests of its own day, in UTC, and all of them together are the log."""
    generate(small, tmp_path / "one", log_format=log_format)
    for name, chunk_rows in (("daily", 97), ("again", 10_000)):
        generate(small, tmp_path / name, log_format=log_format, is_daily=True, chunk_rows=chunk_rows)
    files = sorted((tmp_path / "daily" / "events").rglob(f"events.{log_format}"))
    assert [file.read_bytes() for file in files] == [
        file.read_bytes() for file in sorted((tmp_path / "again" / "events").rglob(f"events.{log_format}"))
    ]
    assert len(files) > 1
    for file in files:
        days = {f"day={instant:%Y-%m-%d}" for instant in read_back(file)["occurred_at"].to_pylist()}
        assert days == {file.parent.name}
    assert read_back(tmp_path / "daily" / "events") == read_back(tmp_path / "one" / f"events.{log_format}")


def test_cut_off_run_leaves_nothing(small: ScenarioSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped half way leaves no file at all, and the next run writes the whole log."""
    audited = Audit.add

    def stop(self: Audit, *rows: Any) -> None:
        audited(self, *rows)
        raise KeyboardInterrupt

    monkeypatch.setattr(Audit, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        generate(small, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(Audit, "add", audited)
    generate(small, tmp_path / "out")
    assert (tmp_path / "out" / "events.parquet").exists()


def test_requests_have_labels_of_their_own(small: ScenarioSettings, tmp_path: Path) -> None:
    """Each request of a campaign's account is labelled, harvest or cover, and the labels add up to the truth."""
    generate(small, tmp_path / "out")
    labels = pq.read_table(tmp_path / "out" / "truth_requests.parquet").to_pandas()
    truth = pq.read_table(tmp_path / "out" / "truth.parquet").to_pandas().set_index("account_id")
    found = labels.groupby("account_id")["is_extraction"].agg(["size", "sum"])
    members = truth[truth["is_extraction"]]
    assert found["size"].to_dict() == members["n_events"].to_dict()
    assert found["sum"].to_dict() == members["n_extraction_events"].to_dict()
    assert 0 < labels["is_extraction"].mean() < 1
    assert labels["request_id"].is_unique


def test_formats_hold_the_same_rows(small: ScenarioSettings, tmp_path: Path) -> None:
    """CSV and JSON lines read back to what Parquet holds; absent values stay absent."""
    for log_format in LOG_FORMATS:
        generate(small, tmp_path / log_format, log_format=log_format)
    whole = pq.read_table(tmp_path / "parquet" / "events.parquet")
    assert whole.schema.remove_metadata() == EVENTS
    options = pa.csv.ConvertOptions(column_types=EVENTS, strings_can_be_null=True, quoted_strings_can_be_null=False)
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    table = pa.csv.read_csv(tmp_path / "csv" / "events.csv", convert_options=options, parse_options=parse)
    assert whole.select(table.column_names).cast(table.schema).equals(table)
    lines = (tmp_path / "jsonl" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert whole["prompt"].to_pylist() == [row["prompt"] for row in rows]
    assert whole["output_tokens"].to_pylist() == [row["output_tokens"] for row in rows]


def test_resolved_scenario_makes_the_same_log(small: ScenarioSettings, tmp_path: Path) -> None:
    """The scenario in the folder is enough to make the folder again."""
    generate(small, tmp_path / "first")
    generate(read_scenario(tmp_path / "first" / "scenario.toml"), tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_filled_folder_is_left_alone(small: ScenarioSettings, tmp_path: Path) -> None:
    """Nothing is written over what is there already."""
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputNotEmptyError, match=r"mine\.txt"):
        generate(small, tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_unknown_format_is_refused(small: ScenarioSettings, tmp_path: Path) -> None:
    """The nearest format is named and nothing is written."""
    with pytest.raises(UsageError, match=r"--log-format 'parket' is unknown; nearest: 'parquet'"):
        generate(small, tmp_path / "out", log_format="parket")
    assert not (tmp_path / "out").exists()


def test_quickstart_is_clean(tmp_path: Path) -> None:
    """The shipped scenario has 60,000 to 100,000 requests, no leak, and no value of the extracting accounts alone."""
    report = generate(read_scenario(QUICKSTART), tmp_path / "out")
    assert 60_000 <= report["counts"]["events"] <= 100_000
    assert report["is_clean"], report
    assert [lack for lack in report["categorical"] if lack["only_in"] == "extraction"] == []
    assert report == json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))


def audited(small: ScenarioSettings, column: str) -> dict[str, Any]:
    """Audit the small log after one column was filled with the label."""
    world = build(small)
    audit = Audit(world)
    for records, events in world.rows():
        told = pa.array(world.is_member[records["account"]])
        values = pc.if_else(told, 77, 11).cast(EVENTS.field(column).type)
        if pa.types.is_dictionary(events.schema.field(column).type):
            values = values.dictionary_encode()
        audit.add(records, events.set_column(events.schema.get_field_index(column), column, values))
    return audit.report(world.accounts(), world.truth())


def test_audit_finds_a_telling_category(small: ScenarioSettings) -> None:
    """A column that is the label is reported, value by value."""
    report = audited(small, "user_agent")
    leaks = [lack for lack in report["categorical"] if not lack["is_by_chance"]]
    assert {("77", "extraction"), ("11", "honest")} <= {(lack["value"], lack["only_in"]) for lack in leaks}
    assert not report["is_clean"]


def test_audit_finds_a_telling_number(small: ScenarioSettings) -> None:
    """A number that is the label lets the tree reach an AUC of 1, beyond the limit."""
    report = audited(small, "latency_ms")
    tree = report["tree"]
    assert (tree["auc"], tree["columns"][0], tree["limit"], tree["is_within_limit"]) == (1.0, "latency_ms", 0.9, False)
    assert not report["is_clean"]
