import io
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines import pieces, scans
from detector.engines.embedded import EmbeddedEngine, Log, Restart
from detector.errors import (
    AmbiguousColumnError,
    ConfigError,
    EmptyInputError,
    InputUnreadableError,
    MissingColumnError,
    NaiveTimestampError,
    StillwatchError,
    TooManyRejectsError,
    WrongTypeError,
)
from detector.logs.sources import read_chunks
from detector.settings import InputSettings
from detector.tables import EVENTS

Opener = Callable[..., Log]
Drain = Callable[..., pa.Table]
Writer = Callable[..., Path]

HEAD = b"occurred_at,account_id,prompt,output_tokens\n"
DAY = "2026-03-02T00:00:{:02d}Z"


def body(n: int, start: int = 0) -> bytes:
    """Records without a header, one a second."""
    times = (f"2026-03-02T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z" for i in range(start, n))
    return b"".join(f"{moment},a{i},p{i},{i}\n".encode() for i, moment in enumerate(times, start))


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


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"2026-03-02T00:00:00Z,x\n", "the record has 2 fields; the header has 4"),
        (b"2026-03-02T00:00:00Z,x,p,1,2\n", "the record has 5 fields; the header has 4"),
        (b",2026-03-02T00:00:00Z,x,p,\n", "the record has 5 fields; the header has 4"),
        (b'2026-03-02T00:00:00Z,x,"p"q,1\n', "text follows a closing quote"),
        (b'2026-03-02T00:00:00Z,x,"p,1\n', "a quote is opened and never closed"),
        (b"2026-03-02T00:00:00Z,x,\xff,1\n", "the record is not valid UTF-8"),
        (b"2026-03-02T00:00:00Z,x\x00y,p,1\n", "account_id holds a NUL byte; allowed is text without one"),
        (b"2026-03-02T00:00:00Z,,p,1\n", "account_id is missing; every record needs one"),
        (b",x,p,1\n", "occurred_at is missing; every record needs one"),
        (b"2026-03-02T00:00:00Z,x,p,1.5\n", "output_tokens cannot be read; allowed is a whole number"),
        (b"2026-03-02T00:00:00Z,x,p,-1\n", "output_tokens is negative; allowed is 0 or more"),
        (b"2026-02-30T00:00:00Z,x,p,1\n", "occurred_at cannot be read; allowed is ISO 8601 with a zone, or"),
        (b"2026-03-02T00:00:00,x,p,1\n", "occurred_at carries no zone; write one, or say which with --timezone UTC"),
        (b"1026-03-02T00:00:00Z,x,p,1\n", "occurred_at is out of range; allowed are the years 1970 to 2199"),
        (b"infinity,x,p,1\n", "occurred_at cannot be read"),
        (b"2026-03-02T00:00:00Z,x," + b"p" * (9 << 20) + b",1\n", "the record is longer than 8 MiB"),
    ],
)
def test_a_bad_csv_record_costs_itself_alone(
    bad: bytes, reason: str, csv_file: Writer, open_log: Opener, drain: Drain
) -> None:
    """Each sort of damage is set aside with its line and a reason that holds none of the text."""
    log = open_log(csv_file(HEAD + body(2) + bad + body(5, 2)), max_rejects=0.5)
    assert drain(log).column("account_id").to_pylist() == ["a0", "a1", "a2", "a3", "a4"]
    (reject,) = log.rejected().to_pylist()
    assert (reject["line"], reject["file"]) == (4, log.files[0].name)
    assert reject["reason"].startswith(reason)
    assert log.counts()["n_rows"] == 6


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"account_id":"x"\n', "the record is not JSON"),
        (b'{"account_id":"x","account_id":"y","occurred_at":"2026-03-02T00:00:00Z"}\n', "the record holds one key"),
        (b'{"account_id":NaN,"occurred_at":"2026-03-02T00:00:00Z"}\n', "the record holds NaN, which is not JSON"),
        (b'{"account_id":"\\ud800","occurred_at":"2026-03-02T00:00:00Z"}\n', "the record holds half of a surrogate"),
        (b'{"account_id":"x"}\n', "occurred_at is missing"),
        (b"null\n", "the record is not an object"),
        (b'{"account_id":"\xff","occurred_at":"2026-03-02T00:00:00Z"}\n', "the record is not valid UTF-8"),
        (b'{"account_id":' + b"[" * 10**5 + b"]" * 10**5 + b"}\n", "the record is nested too deeply"),
    ],
)
def test_a_bad_json_line_costs_itself_alone(
    bad: bytes, reason: str, tmp_path: Path, open_log: Opener, drain: Drain
) -> None:
    """JSON lines are checked as strictly, and blank lines are neither read nor rejected."""
    good = b"".join(b'{"occurred_at":"%s","account_id":"a%d"}\n\n' % (DAY.format(i).encode(), i) for i in range(4))
    path = tmp_path / "log.jsonl"
    path.write_bytes(good + bad + good)
    log = open_log(path, max_rejects=0.5)
    assert drain(log).column("account_id").to_pylist() == ["a0", "a1", "a2", "a3"] * 2
    (reject,) = log.rejected().to_pylist()
    assert reject["line"] == 9
    assert reject["reason"].startswith(reason)
    assert (log.counts()["n_rows"], log.counts()["n_blank"]) == (9, 8)


def test_no_record_loads_with_shifted_values(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """An empty field too many is seen, although the fast reader passes over it at the end of a line."""
    rows = b"2026-03-02T00:00:00Z,a,::1,\n"
    log = open_log(
        csv_file(b"occurred_at,account_id,ip,user_agent\n" + rows + b"2026-03-02T00:00:00Z,x,,::2,\n"), max_rejects=0.5
    )
    assert drain(log).column("account_id").to_pylist() == ["a"]
    assert log.rejected().column("reason").to_pylist() == ["the record has 5 fields; the header has 4"]


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


def test_half_a_line_ending_in_a_field_is_data(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """Some writers leave a carriage return unquoted; the record is whole all the same."""
    log = open_log(csv_file(HEAD + b"2026-03-02T00:00:00Z,x,p\rq,1\n"))
    assert drain(log).column("prompt").to_pylist() == ["p\rq"]


def test_a_bad_parquet_row_costs_itself_alone(tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """In Parquet the row number stands for the line."""
    path = tmp_path / "log.parquet"
    times = [datetime(2026, 3, 2, tzinfo=UTC)] * 3
    pq.write_table(pa.table({"occurred_at": times, "account_id": ["a", None, "b"]}), path)
    log = open_log(path, max_rejects=0.5)
    assert drain(log).column("account_id").to_pylist() == ["a", "b"]
    assert [(row["line"], row["reason"]) for row in log.rejected().to_pylist()] == [
        (2, "account_id is missing; every record needs one")
    ]


def test_a_nul_in_a_text_is_data(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """What a client can send does not get its record refused."""
    log = open_log(csv_file(HEAD + b"2026-03-02T00:00:00Z,x,p\x00q,1\n"))
    assert drain(log).column("prompt").to_pylist() == ["p\x00q"]


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


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1772409600", "2026-03-02T00:00:00+00:00"),
        ("1772409600.123456", "2026-03-02T00:00:00.123456+00:00"),
        ("1772409600123", "2026-03-02T00:00:00.123000+00:00"),
        ("1772409600123456", "2026-03-02T00:00:00.123456+00:00"),
        ("1772409600123456789", "2026-03-02T00:00:00.123456+00:00"),
        ("1.772409600e9", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02T05:30:00.1234567+0530", "2026-03-02T00:00:00.123456+00:00"),
        ("2026-03-01 19:00:00-05", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02T00:00Z", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02 00:00:00 UTC", "2026-03-02T00:00:00+00:00"),
    ],
)
def test_instants_are_understood(
    text: str, moment: str, csv_file: Writer, open_log: Opener, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ISO 8601 with a zone, and numbers by their magnitude; the machine's zone changes nothing."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    log = open_log(csv_file([[text, "a"]], ["occurred_at", "account_id"]))
    (found,) = drain(log).column("occurred_at").cast(pa.timestamp("us", "UTC")).to_pylist()
    monkeypatch.undo()
    time.tzset()
    assert found == datetime.fromisoformat(moment)


def test_naive_instants_are_refused(csv_file: Writer, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Unless a zone is given; in a zoned file a naive record is merely a bad one."""
    path = csv_file([["2026-03-02 00:00:00", "a"]] * 3, ["occurred_at", "account_id"])
    with pytest.raises(NaiveTimestampError, match=r"log\.csv: line 2: occurred_at carries no zone.*--timezone UTC"):
        drain(open_log(path))
    table = drain(open_log(path, timezone="Europe/Berlin"))
    assert table.column("occurred_at").to_pylist()[0] == datetime(2026, 3, 1, 23, tzinfo=UTC)
    typed = tmp_path / "naive.parquet"
    pq.write_table(pa.table({"occurred_at": [datetime(2026, 3, 2)], "account_id": ["a"]}), typed)
    with pytest.raises(NaiveTimestampError, match=r"naive\.parquet: column 'occurred_at' has type TIMESTAMP"):
        open_log(typed)
    assert drain(open_log(typed, timezone="UTC")).num_rows == 1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_instants_of_every_type_work(unit: str, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Zoned, naive with a zone given, and numbers."""
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    for type_ in (pa.timestamp(unit, "UTC"), pa.timestamp(unit)):
        plain = moment if type_.tz else moment.replace(tzinfo=None)
        path = tmp_path / f"{unit}-{type_.tz}.parquet"
        pq.write_table(pa.table({"occurred_at": pa.array([plain], type_), "account_id": ["a"]}), path)
        assert drain(open_log(path, timezone="UTC")).column("occurred_at").to_pylist() == [moment]
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    path = tmp_path / "number.parquet"
    pq.write_table(pa.table({"occurred_at": [int(moment.timestamp()) * scale], "account_id": [7]}), path)
    assert drain(open_log(path)).to_pylist() == [{"occurred_at": moment, "account_id": "7"}]


def test_columns_can_be_named_by_hand(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A mapping takes a column or a path into a JSON column, and goes before the preset."""
    row = [DAY.format(1), "x", '{"who": {"id": "u1"}, "a.b": ["p"]}']
    log = open_log(
        csv_file([row], ["when", "account_id", "meta"]),
        map={"occurred_at": "when", "account_id": "meta.who.id", "prompt": "meta.who.absent", "model": "meta"},
    )
    (record,) = drain(log).to_pylist()
    assert (record["account_id"], record["prompt"], record["model"]) == ("u1", None, row[2])


def test_errors_say_what_to_do(csv_file: Writer, tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Every way a log can be unusable has one sentence that names the file, the cause and the remedy."""
    with pytest.raises(ConfigError, match=r"--map: no canonical column is called 'acount_id'; nearest: 'account_id'"):
        EmbeddedEngine(InputSettings(map={"acount_id": "x"}))
    with pytest.raises(ConfigError, match="--timezone: no time zone has the name 'Mars'"):
        EmbeddedEngine(InputSettings(timezone="Mars"))
    cases: list[tuple[bytes, type[StillwatchError], str]] = [
        (b"", EmptyInputError, "the file is empty"),
        (b"occurred_at,account\n1,2\n", MissingColumnError, r"no column for account_id.*nearest: 'account'.*--map acc"),
        (b"occurred_at;account_id\n1;2\n", MissingColumnError, "the delimiter looks like a semicolon"),
        (b"occurred_at\taccount_id\n1\t2\n", MissingColumnError, "the delimiter looks like a tab"),
        (b"the secret, 1 2 3!\n", MissingColumnError, "does not look like a header"),
        (b"account_id,account_id\n1,2\n", AmbiguousColumnError, "names 'account_id' more than once"),
        ("occurred_at,account_id\n".encode("utf-16"), InputUnreadableError, "UTF-16"),
        (b"\x7fELF\x00\x00\x00", InputUnreadableError, "binary, not text"),
        (b"PK\x03\x04", InputUnreadableError, "a zip archive"),
        (b"[{}]", InputUnreadableError, "a JSON array"),
        (b"PAR1 no", InputUnreadableError, "not a whole Parquet file"),
        (b"\x1f\x8b\x08\x00", InputUnreadableError, "gzip stream is cut short"),
        (b"caf\xe9,x\n1,2\n", InputUnreadableError, "not UTF-8"),
    ]
    for payload, error, message in cases:
        path = csv_file(payload, name="case.csv")
        with pytest.raises(error, match=f"case.csv: .*{message}") as caught:
            open_log(path)
        assert "secret" not in str(caught.value)
    with pytest.raises(InputUnreadableError, match=r"absent\.csv: it cannot be opened \(No such file or directory\)"):
        open_log(tmp_path / "absent.csv")
    with pytest.raises(InputUnreadableError, match="no file matches"):
        open_log(tmp_path / "*.nothing")
    with pytest.raises(InputUnreadableError, match="the folder holds no file ending in"):
        (tmp_path / "void").mkdir()
        open_log(tmp_path / "void")


def test_rejects_beyond_the_limit_stop_the_run(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """The error counts, quotes three places and names the option; no row at all is an error of its own."""
    path = csv_file(HEAD + body(5) + b"secret\n" * 4)
    with pytest.raises(TooManyRejectsError, match=r"4 of 9 records \(44.44%\).*line 7:.*line 8:.*--max-rejects") as why:
        drain(open_log(path))
    assert "secret" not in str(why.value)
    assert drain(open_log(path, max_rejects=0.5)).num_rows == 5
    with pytest.raises(EmptyInputError, match="there is a header but no row"):
        drain(open_log(csv_file(HEAD)))
    with pytest.raises(EmptyInputError, match="all 2 records are malformed"):
        drain(open_log(csv_file(HEAD + b"x\ny\n")))


def test_a_compressed_file_cut_short_is_refused(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """A truncated stream never passes for a short log."""
    import gzip

    random = os.urandom(40_000).hex()
    whole = gzip.compress(
        HEAD + b"".join(b"2026-03-02T00:00:00Z,a,%s,1\n" % random[i : i + 80].encode() for i in range(0, 80_000, 80))
    )
    for payload in (whole[: len(whole) // 2], whole[:-4]):
        with pytest.raises(InputUnreadableError, match="its gzip stream is cut short"):
            drain(open_log(csv_file(payload, name="cut.csv.gz")))


def test_types_that_cannot_be_a_field_are_refused(tmp_path: Path, open_log: Opener) -> None:
    """A list is no prompt, and two columns of one name are no account."""
    path = tmp_path / "log.parquet"
    base = {"occurred_at": [datetime(2026, 3, 2, tzinfo=UTC)], "account_id": ["a"]}
    for values, type_ in (([["x"]], r"VARCHAR\[\]"), ([{"x": 1}], "STRUCT"), ([b"x"], "BLOB")):
        pq.write_table(pa.table({**base, "prompt": values}), path)
        with pytest.raises(WrongTypeError, match=rf"log\.parquet: column 'prompt' has type {type_}.*--map prompt"):
            open_log(path)
    twice = pa.table([base["occurred_at"], ["a"], ["b"]], names=["occurred_at", "account_id", "account_id"])
    pq.write_table(twice, path)
    with pytest.raises(AmbiguousColumnError, match="names 'account_id' more than once"):
        open_log(path)


def test_digests_are_of_the_stored_bytes(same_log: dict[str, Path], open_log: Opener, drain: Drain) -> None:
    """SHA-256 per file, compressed files as they are."""
    log = open_log(same_log["log.csv.gz"], same_log["csv"])
    drain(log)
    assert log.digests() == {
        str(p): sha256(p.read_bytes()).hexdigest() for p in (same_log["log.csv.gz"], same_log["csv"])
    }


def test_the_database_reaches_nothing_but_the_log(csv_file: Writer, open_log: Opener) -> None:
    """Neither another file nor another setting is within reach of a query."""
    import duckdb

    log = open_log(csv_file())
    other = csv_file(name="other.csv")
    with pytest.raises(duckdb.PermissionException):
        log._session.execute(f"SELECT * FROM read_csv('{other}')")
    with pytest.raises(duckdb.InvalidInputException):
        log._session.execute("SET enable_external_access = true")
