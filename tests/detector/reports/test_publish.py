import hashlib
import json
import math
import stat

import pyarrow as pa
import pytest

from detector.errors import OutputNotEmptyError
from detector.reports import publish
from detector.reports.publish import write_results

FILES = {
    "accounts.parquet",
    "accounts.csv",
    "clusters.parquet",
    "evidence.parquet",
    "links.parquet",
    "timeline.parquet",
    "history.parquet",
    "lookalikes.parquet",
    "findings.jsonl",
    "report.html",
    "rejected.csv",
    "run.json",
}
STEPS = ["write_parquet", "write_csv", "write_findings", "write_report", "to_json"]


def _digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_all_files_appear_and_are_private(results, tmp_path):
    """A run writes exactly its files, readable by the owner only; excerpts only where there are some."""
    write_results(results, tmp_path / "out", report_accounts=5)
    assert set(_digests(tmp_path / "out")) == FILES | {"excerpts.parquet"}
    without = type(results)(**vars(results) | {"excerpts": results.excerpts.slice(0, 0)})
    write_results(without, tmp_path / "without", report_accounts=5)
    assert set(_digests(tmp_path / "without")) == FILES
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}


def test_equal_results_give_equal_bytes(make_results, tmp_path):
    """Written twice, from tables chunked differently, every file has the same bytes."""
    one, other = make_results(), make_results()
    halves = [other.evidence.slice(0, 5), other.evidence.slice(5)]
    chunked = pa.concat_tables(halves)
    write_results(one, tmp_path / "one", report_accounts=5)
    write_results(type(other)(**vars(other) | {"evidence": chunked}), tmp_path / "other", report_accounts=5)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "other")


def test_chunks_do_not_change_bytes(tmp_path):
    """A large table in many chunks is the same file as in one, page for page."""
    schema = pa.schema([("account_id", pa.string()), ("meaning", pa.string()), ("value", pa.float64())])
    rows = range(300_000)
    texts = {"account_id": [f"a{row // 30}" for row in rows], "meaning": [None if row % 7 else "m" for row in rows]}
    whole = pa.table(texts | {"value": [math.sin(row) for row in rows]}, schema)
    pieces = pa.concat_tables([whole.slice(start, 777) for start in range(0, len(rows), 777)])
    for name, table in (("whole", whole), ("pieces", pieces)):
        publish.write_parquet(table, schema, tmp_path / name)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("call", [1, 2, 5])
def test_a_failure_leaves_nothing(results, tmp_path, monkeypatch, step, call):
    """Whichever file fails, neither the folder nor a part of it is left."""
    real, calls = getattr(publish, step), []

    def failing(*args, **kwargs):
        calls.append(step)
        if len(calls) == call:
            raise OSError(28, "No space left on device")
        return real(*args, **kwargs)

    monkeypatch.setattr(publish, step, failing)
    n_calls = {"write_parquet": 5, "write_csv": 2}.get(step, 1)
    if call > n_calls:
        write_results(results, tmp_path / "out", report_accounts=1)
        assert n_calls == len(calls)
        return
    with pytest.raises(OSError, match="No space"):
        write_results(results, tmp_path / "out", report_accounts=1)
    assert list(tmp_path.iterdir()) == []


def test_a_filled_folder_is_refused(results, tmp_path):
    """Nothing is ever overwritten."""
    write_results(results, tmp_path / "out", report_accounts=1)
    with pytest.raises(OutputNotEmptyError, match=r"holds .* already"):
        write_results(results, tmp_path / "out", report_accounts=1)


def test_run_json_is_ascii_and_complete(results, tmp_path):
    """What was resolved is kept as it was, and the folder's files are named, so that they can be purged."""
    write_results(results, tmp_path / "out", report_accounts=1)
    text = (tmp_path / "out" / "run.json").read_bytes()
    assert text.isascii()
    assert results.run | {"files": sorted(FILES | {"excerpts.parquet"})} == json.loads(text)


def test_an_empty_run_can_be_written(results, tmp_path):
    """No account, no evidence, no facts about the run: all files are still there."""
    empty = {name: table.slice(0, 0) for name, table in vars(results).items() if name != "run"}
    write_results(type(results)(**empty, run={}), tmp_path / "out", report_accounts=5)
    assert set(_digests(tmp_path / "out")) == FILES
