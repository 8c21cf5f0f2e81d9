"""A bad record costs itself alone, whatever the form of the log, and is told with its reason."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines import tallies
from detector.errors import (
    EmptyInputError,
    TooManyRejectsError,
)
from tests.detector.engines.small_csv import DAY, HEAD, Drain, Opener, Writer, body


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
        (b'{"account_id":"x","occurred_at":"2026-03-02T00:00:00Z","other":NaN}\n', "the record holds NaN"),
        (b'{"account_id":"x","occurred_at":"2026-03-02T00:00:00Z",}\n', "the record is not JSON"),
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


@pytest.mark.parametrize("bad", [b't,x"y,p","1\n', b'x"""\n,t,p,",1\n', b't,x,",1\n"\n,",",""\n'])
@pytest.mark.parametrize("n_after", [0, 3])
def test_a_quote_left_open_swallows_nothing_unsaid(
    bad: bytes, n_after: int, csv_file: Writer, open_log: Opener, drain: Drain
) -> None:
    """Where quotation marks pair up though one was never closed, all good records load and the bad ones are listed."""
    log = open_log(csv_file(HEAD + body(2) + bad + body(2 + n_after, 2)), max_rejects=1.0)
    assert drain(log).column("account_id").to_pylist() == [f"a{i}" for i in range(2 + n_after)]
    assert log.counts()["n_rejected"] > 0


@pytest.mark.parametrize("twice", ['{"user":"x","user":"y"}', '{"u\\u0073er":"x","user":"y"}'])
def test_an_account_named_twice_inside_a_document_is_refused(
    twice: str, tmp_path: Path, open_log: Opener, drain: Drain
) -> None:
    """Readers differ in which of two equal keys counts, so such a record belongs to nobody; other keys may repeat."""
    path = tmp_path / "log.jsonl"
    documents = ('{"user":"a"}', twice, '{"user":"b","tag":1,"tag":2}')
    path.write_text("".join(f'{{"occurred_at":"{DAY.format(0)}","by":{each}}}\n' for each in documents))
    log = open_log(path, max_rejects=0.5, map={"account_id": "by.user"})
    assert drain(log).column("account_id").to_pylist() == ["a", "b"]
    assert log.rejected().column("reason").to_pylist() == ["account_id stands there twice; every record needs one"]


def test_more_bad_records_than_can_be_listed_stop_the_run(
    csv_file: Writer, open_log: Opener, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of nothing but bad records takes neither memory nor time without end, whatever share is allowed."""
    monkeypatch.setattr(tallies, "MOST_REJECTED", 5)
    assert drain(open_log(csv_file(HEAD + body(2) + b"x\n" * 5), max_rejects=1.0)).num_rows == 2
    for bad in (b"x\n", b",,,\n"):
        with pytest.raises(TooManyRejectsError, match="more than 5 records of a file are malformed, that on line 9"):
            drain(open_log(csv_file(HEAD + body(2) + bad * 6), max_rejects=1.0))


def test_a_log_put_together_of_several_is_told(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """The header in the middle is rejected as what it is, with a mark or without; no row around it is lost."""
    log = open_log(csv_file(HEAD + body(2) + HEAD + body(4, 2) + b"\xef\xbb\xbf" + HEAD + body(5, 4)), max_rejects=0.5)
    assert drain(log).column("account_id").to_pylist() == ["a0", "a1", "a2", "a3", "a4"]
    assert [(row["line"], row["reason"][:32]) for row in log.rejected().to_pylist()] == [
        (4, "the header stands here again, as"),
        (7, "the header stands here again, as"),
    ]
    counts = log.counts()
    assert (counts["n_rows"], counts["n_headers"], counts["n_begun_again"]) == (7, 2, 0)


def test_a_log_put_together_of_itself_is_told(csv_file: Writer, open_log: Opener, drain: Drain) -> None:
    """Its rows are all there, twice, and the reason says so."""
    log = open_log(csv_file((HEAD + body(3)) * 2), max_rejects=0.5)
    assert drain(log).column("account_id").to_pylist() == ["a0", "a1", "a2"] * 2
    assert log.rejected().column("reason")[0].as_py().endswith("the first record: its requests may count twice")
    assert (log.counts()["n_headers"], log.counts()["n_begun_again"]) == (1, 1)


@pytest.mark.parametrize(
    ("bad", "n_doubtful"),
    [
        (b'{"account_id":"x"}\n', 0),
        (b'{"account_id":"x\\u0000","occurred_at":"2026-03-02T00:00:00Z"}\n', 0),
        (b'{"account_id":"\\ud800","occurred_at":"2026-03-02T00:00:00Z"}\n', 0),
        (b'{"account_id":"x","prompt":' + b"[" * 501 + b"]" * 501 + b',"occurred_at":"2026-03-02T00:00:00Z"}\n', 0),
        (b'{"account_id":"x","account_id":"y","occurred_at":"2026-03-02T00:00:00Z"}\n', 1),
        (b'{"account_id":"x","occurred_at":"2026-03-02T00:00:00Z"\n', 1),
        (b"null\n", 1),
        (b'{"account_id":"\xff","occurred_at":"2026-03-02T00:00:00Z"}\n', 1),
    ],
)
def test_a_whole_json_object_casts_no_doubt_on_others(
    bad: bytes, n_doubtful: int, tmp_path: Path, open_log: Opener, drain: Drain
) -> None:
    """A bad value is its record's own; what is no object may be half of a text whose other half passed for a record."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"occurred_at":"2026-03-02T00:00:00Z","account_id":"a"}\n' * 3 + bad)
    log = open_log(path, max_rejects=0.5)
    assert drain(log).num_rows == 3
    assert (log.counts()["n_rejected"], log.counts()["n_doubtful"]) == (1, n_doubtful)


def test_any_bad_csv_record_casts_doubt_and_no_parquet_row_does(
    tmp_path: Path, csv_file: Writer, open_log: Opener, drain: Drain
) -> None:
    """A piece of a text can look like a record of CSV with a bad value; a row of Parquet has its place."""
    text = open_log(csv_file(HEAD + body(3) + b"2026-03-02T00:00:00Z,x,p,-1\n"), max_rejects=0.5)
    drain(text)
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    rows = [{"occurred_at": moment, "account_id": f"a{i}", "output_tokens": i - 1} for i in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    typed = open_log(tmp_path / "log.parquet", max_rejects=0.5)
    drain(typed)
    assert [(log.counts()["n_rejected"], log.counts()["n_doubtful"]) for log in (text, typed)] == [(1, 1), (1, 0)]
