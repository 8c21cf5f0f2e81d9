"""The engine reads a log of any form into the same table, once, and says what it read."""

import io
import os
import sys
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines import pieces, scans
from detector.engines.embedded import Restart
from detector.logs.sources import read_chunks
from detector.tables import EVENTS
from tests.detector.engines.small_csv import DAY, HEAD, Drain, Opener, Writer, body


def expected() -> dict[str, list[object]]:
    """The small log as columns."""
    return {
        "occurred_at": [
            datetime(2026, 3, 2, 0, 0, 0, 4655, tzinfo=UTC),
            datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC),
            datetime(2026, 3, 2, 0, 0, 2, tzinfo=UTC),
        ],
        "account_id": ["a1", "ü2", "a1"],
        "model": ["m", None, "m,n"],
        "prompt": ['say "hi", twice\nplease', None, "naïve 🙂"],
        "input_tokens": [12, None, 0],
        "temperature": [0.5, None, -1.0],
        "wants_logprobs": [True, None, False],
    }


def test_every_form_of_a_log_gives_the_same_table(same_log: dict[str, Path], open_log: Opener, drain: Drain) -> None:
    """CSV, JSON lines, Parquet, compressed or not, with a mark or CRLF: the values and types are the same."""
    for name, path in same_log.items():
        log = open_log(path)
        table = drain(log)
        assert (name, table.to_pydict()) == (name, expected())
        assert table.schema == pa.schema([EVENTS.field(column) for column in log.columns])
        assert log.counts()["n_rows"] == 3


def test_the_exact_way_gives_the_same_table(same_log: dict[str, Path], open_log: Opener, drain: Drain) -> None:
    """A value does not depend on the way it was read."""
    for name, path in same_log.items():
        log = open_log(path)
        log._exact = set(log._scans)
        assert (name, drain(log).to_pydict()) == (name, expected())


def test_standard_input_reads_like_the_file(
    same_log: dict[str, Path], open_log: Opener, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes on standard input is recognised by its bytes, and nothing of it stays behind."""
    for path in same_log.values():
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(path.read_bytes())))
        log = open_log("-")
        assert drain(log).to_pydict() == expected()
        assert log.files[0].name == "standard input"


def test_several_files_are_one_log(tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """A folder, a glob and a list read alike, in name order; a column that a file lacks is null there."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.csv").write_bytes(b"account_id,occurred_at\nb,2026-03-02T00:00:00Z\n")
    (tmp_path / "in" / "a.jsonl").write_bytes(b'{"occurred_at":"2026-03-02T00:00:01Z","account_id":7,"ip":"::1"}\n')
    (tmp_path / "in" / "_SUCCESS").write_bytes(b"")
    for patterns in (["in"], ["in/*.*"], ["in/a.jsonl", "in"]):
        table = drain(open_log(*[tmp_path / pattern for pattern in patterns]))
        assert table.column("account_id").to_pylist() == ["7", "b"]
        assert table.column("ip").to_pylist() == ["::1", None]


def test_a_name_that_looks_like_a_glob_is_one_file(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A file is read under its own name, whatever characters that has."""
    csv_file(HEAD + body(5), name="log1.csv")
    path = csv_file(HEAD + body(3), name="log[1]*'.csv")
    assert drain(open_log(path)).num_rows == 3


def test_a_pipe_reads_like_a_file(tmp_path: Path, csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """As a shell makes one for the output of a command."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    payload = csv_file().read_bytes()
    writer = Thread(target=pipe.write_bytes, args=(payload,))
    writer.start()
    log = open_log(pipe)
    writer.join()
    assert (log.files[0].name, drain(log).num_rows) == (str(pipe), 3)


def test_two_files_restart_at_most_once(csv_file: Writer, open_log: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files are found out before the caller is told to begin again, and then all rows come."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1 << 16)
    monkeypatch.setattr(scans, "read_chunks", partial(read_chunks, chunk_bytes=1 << 14))
    first = csv_file(HEAD + body(9000) + b"2026-03-02T00:00:00Z,x,p,y\n", name="1.csv")
    second = csv_file(HEAD + body(9000) + b"\xff\n" + body(10), name="2.csv")
    log = open_log(first, second, batch_rows=2048)
    handed_out = 0
    with pytest.raises(Restart, match="begin again"):
        for batch in log.batches():
            handed_out += batch.num_rows
    assert handed_out > 0
    assert sum(batch.num_rows for batch in log.batches()) == 18010
    assert [(row["file"], row["line"]) for row in log.rejected().to_pylist()] == [
        (str(first), 9002),
        (str(second), 9002),
    ]


def test_no_restart_is_asked_for_before_rows_were_handed_out(csv_file: Writer, open_log: Opener) -> None:
    """A file that is bad from its first batch is read the exact way at once."""
    log = open_log(csv_file(HEAD + b"x\n" + body(300)))
    assert sum(batch.num_rows for batch in log.batches()) == 300


def test_ordered_times_are_the_rows_of_the_batches(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """Also where files are damaged; ordered by instant, whatever the order of the log."""
    log = open_log(csv_file(HEAD + b"x\n" + body(300)[::1], name="1.csv"), csv_file(HEAD + body(5), name="2.csv"))
    for read_first in (False, True):
        if read_first:
            drain(log)
        times = pa.Table.from_batches(list(log.ordered_times()))
        assert times.column_names == ["account_id", "occurred_at"]
        assert times.num_rows == 305
        assert times.column("account_id").to_pylist()[:4] == ["a0", "a0", "a1", "a1"]


@pytest.mark.parametrize("n_rows", [900_000, 1_100_000, 1_300_000])
def test_times_are_put_in_order_also_where_they_all_but_fit_in_memory(
    n_rows: int, tmp_path: Path, open_log: Opener
) -> None:
    """What does not fit is put on disk, at whatever size: none is lost, and none is out of order."""
    at = np.random.default_rng(n_rows).integers(0, 10**12, n_rows)
    accounts = pa.array([f"account-{number:06d}" for number in range(1000)]).take(pa.array(at % 1000))
    log = tmp_path / "log.parquet"
    pq.write_table(pa.table({"occurred_at": pa.array(at, pa.timestamp("us", "UTC")), "account_id": accounts}), log)
    times = pa.Table.from_batches(list(open_log(log, memory="64MB").ordered_times())).column("occurred_at")
    assert times.cast(pa.int64()).to_numpy().tolist() == np.sort(at).tolist()


def test_only_wanted_columns_are_read(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A column that is not asked for is neither handed out nor checked; batches are no longer than asked."""
    log = open_log(csv_file(HEAD + body(5000) + b"2026-03-02T00:00:00Z,x,p,many\n"), batch_rows=2048)
    batches = list(log.batches(["account_id", "occurred_at"]))
    assert batches[0].schema.names == ["occurred_at", "account_id"]
    assert max(batch.num_rows for batch in batches) == 2048
    assert (log.counts()["n_rejected"], drain(log).num_rows, log.counts()["n_rejected"]) == (0, 5000, 1)


def test_text_stays_unread_when_not_wanted(csv_file: Writer, open_log: Opener) -> None:
    """Without text no column holds any, and the evidence level is that of the rest."""
    path = csv_file()
    assert open_log(path).evidence_level == 3
    log = open_log(path, text=False)
    assert "prompt" not in log.columns
    assert log.evidence_level == 1


@pytest.mark.parametrize(
    ("extra", "value", "level"),
    [("completion", "c", 4), ("prompt", "p", 3), ("ip", "::1", 2), ("org_id", "o", 2), ("n_requests", "7", 0)],
)
def test_the_evidence_level_is_what_the_log_tells(
    extra: str, value: str, level: int, csv_file: Writer, open_log: Opener
) -> None:
    """An empty column tells nothing."""
    header = ["occurred_at", "account_id", extra]
    assert open_log(csv_file([[DAY.format(1), "a", value]], header)).evidence_level == level
    assert open_log(csv_file([[DAY.format(1), "a", ""]], header)).evidence_level == 1


def test_columns_can_be_named_by_hand(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A mapping takes a column or a path into a JSON column, and goes before the preset."""
    row = [DAY.format(1), "x", '{"who": {"id": "u1"}, "a.b": ["p"]}']
    log = open_log(
        csv_file([row], ["when", "account_id", "meta"]),
        map={"occurred_at": "when", "account_id": "meta.who.id", "prompt": "meta.who.absent", "model": "meta"},
    )
    (record,) = drain(log).to_pylist()
    assert (record["account_id"], record["prompt"], record["model"]) == ("u1", None, row[2])


def test_digests_are_of_the_stored_bytes(same_log: dict[str, Path], open_log: Opener, drain: Drain) -> None:
    """SHA-256 per file, compressed files as they are."""
    log = open_log(same_log["log.csv.gz"], same_log["csv"])
    drain(log)
    assert log.digests() == {
        str(p): sha256(p.read_bytes()).hexdigest() for p in (same_log["log.csv.gz"], same_log["csv"])
    }
