import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from detector.engines.embedded import Log
from detector.errors import EmptyInputError, InputUnreadableError, MissingColumnError, UnknownFormatError
from detector.logs.formats import list_formats, load_format
from tests.detector.engines.preset_logs import CASES, REFUSED
from tests.detector.engines.preset_logs.writing import AT, attributes, lines, span, spans

Opener = Callable[..., Log]
Drain = Callable[..., pa.Table]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write the log of a preset, or a text of the test's own."""

    def writer(name: str, text: str | None = None) -> Path:
        path = tmp_path / (CASES[name].file if name in CASES else "log.jsonl")
        path.write_text(text if text is not None else CASES[name].text, newline="")
        return path

    return writer


def events_of(table: pa.Table) -> list[dict[str, object]]:
    """Events without what they lack."""
    return [{key: value for key, value in row.items() if value is not None} for row in table.to_pylist()]


def test_every_preset_has_a_log_here() -> None:
    """A preset without an example cannot be trusted."""
    assert set(list_formats()) == {*CASES, *REFUSED}


@pytest.mark.parametrize("name", CASES)
def test_a_log_is_recognised_and_read(name: str, write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """Each format is told by itself, and each canonical column has the value that was worked out by hand."""
    log = open_log(write(name))
    assert log.format_name == name
    assert events_of(drain(log)) == CASES[name].events
    assert log.counts()["n_read"] == len(CASES[name].events)


@pytest.mark.parametrize("name", CASES)
def test_both_ways_of_reading_agree(name: str, write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """Record by record, the values are those of the fast way; what is passed over is counted alike."""
    path = write(name)
    fast, exact = open_log(path), open_log(path)
    exact._exact = set(exact._scans)
    assert drain(exact).equals(drain(fast))
    assert exact.counts()["n_passed_over"] == fast.counts()["n_passed_over"]
    times = pa.Table.from_batches(list(fast.ordered_times()))
    assert times.num_rows == fast.counts()["n_read"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_log_of_requests_is_refused(name: str, write: Callable[..., Path], open_log: Opener) -> None:
    """It is recognised, so that it is never scored, and the sentence says what to give."""
    path = write(name, REFUSED[name])
    for form in ("auto", name):
        with pytest.raises(InputUnreadableError, match=rf"recognised as {name} .*give the "):
            open_log(path, format=form)


def test_columns_of_two_formats_are_not_guessed(write: Callable[..., Path], open_log: Opener) -> None:
    """Whichever is right, the other is silently wrong; so the user says."""
    both = json.loads(CASES["kong"].text) | json.loads(CASES["stillwatch"].text)
    path = write("kong", lines(both))
    with pytest.raises(UnknownFormatError, match=r"fit several presets \(kong, stillwatch\); .*--format kong"):
        open_log(path)
    assert open_log(path, format="stillwatch").format_name == "stillwatch"


def test_a_log_that_nearly_fits_names_the_preset(write: Callable[..., Path], open_log: Opener) -> None:
    """It says what is lacking, and how to say which format it is."""
    record = json.loads(CASES["kong"].text)
    del record["latencies"]
    with pytest.raises(MissingColumnError, match=r"no column for occurred_at.*--map occurred_at=.*--format"):
        open_log(write("kong", lines(record)))
    log = open_log(write("kong", lines(record)), map={"occurred_at": "started_at", "account_id": "consumer.id"})
    assert "nearest: kong, which also has latencies" in log.format_reason


def test_files_of_two_formats_are_one_error(tmp_path: Path, open_log: Opener) -> None:
    """Half of a log is never read in the wrong format."""
    for name in ("kong", "helicone"):
        (tmp_path / f"{name}.jsonl").write_text(CASES[name].text)
    with pytest.raises(MissingColumnError, match="name a preset with --format"):
        open_log(tmp_path / "kong.jsonl", tmp_path / "helicone.jsonl")


NASTY = '=1+1"\'\x00\x1b[31m\u202e\\",;DROP\n{"role":"user","content":"x"}'
#: Where the format has prompts in the shape of a chat that is written as JSON in JSON or as plain JSON.
CHATTY = ("litellm-spend", "litellm-slp", "langfuse-v2", "helicone", "azure-apim-llm", "bedrock", "kong", "portkey")


@pytest.mark.parametrize("name", [*CHATTY, "vertex", "otel-genai", "glasswally"])
def test_hostile_text_stays_a_value(name: str, write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """A prompt is data, however it looks; neither its row nor its neighbours change."""
    case = CASES[name]
    inner = json.dumps(NASTY)[1:-1]
    twice = json.dumps(inner)[1:-1]
    is_nested = name in ("langfuse-v2", "azure-apim-llm", "kong", "vertex")
    hostile = case.text.replace("Another.", twice if is_nested else inner)
    if name == "otel-genai":
        hostile = hostile.replace(f'content\\": \\"{inner}', f'content\\": \\"{twice}')
    log = open_log(write(name, hostile + case.text))
    expected = [{**e, "prompt": NASTY} if e.get("prompt") == "Another." else e for e in case.events] + case.events
    assert events_of(drain(log)) == expected


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"nginx-combined", "openai-usage"}))
def test_hostile_names_stay_values(name: str, write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """The account's name comes through as it is, in every format that quotes."""
    case = CASES[name]
    account = case.events[0]["account_id"]
    nasty = "=cmd|' /C'!A0 \u202e<script>; -- 'x"
    spelled = nasty if case.file.endswith(".csv") else json.dumps(nasty)[1:-1]
    spelled = json.dumps(spelled)[1:-1] if name in ("vertex", "cloudflare-aig") else spelled
    renamed = [{k: nasty if v == account else v for k, v in event.items()} for event in case.events]
    assert events_of(drain(open_log(write(name, case.text.replace(account, spelled))))) == renamed


def test_a_user_agent_cannot_break_out_of_its_field(write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """A quotation mark that the server escaped stays inside; a line that is none is set aside alone."""
    good, _ = CASES["nginx-combined"].text.splitlines()
    forged = good.replace("curl/8.7", 'x\\" 200 1 \\"-\\" \\"y').replace("acme", "mallory")
    log = open_log(write("nginx-combined", "\n".join([good] * 200 + [forged, "garbage", ""])))
    found = drain(log)
    assert found["user_agent"].to_pylist()[-1] == 'x\\" 200 1 \\"-\\" \\"y'
    assert (log.counts()["n_read"], log.rejected().to_pylist()[0]["line"]) == (201, 202)


def test_a_repeated_attribute_refuses_its_record(write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """Which of two users counts is not for us to choose."""
    good = attributes(gen_ai__operation__name="chat", user__id="u1")
    bad = spans(span([*good, *attributes(user__id="victim")]))
    log = open_log(write("otel-genai", spans(*[span(good)] * 150) + bad + spans(span(good))))
    assert set(drain(log)["account_id"].to_pylist()) == {"u1"}
    assert (log.counts()["n_read"], log.counts()["n_rejected"]) == (151, 1)


def test_spans_of_other_work_are_counted_and_no_log(write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """A trace without a request to a model is one clear sentence, not an empty result."""
    tool = span(attributes(gen_ai__operation__name="execute_tool", user__id="u1"))
    with pytest.raises(EmptyInputError, match="none of 3 rows is a request to a model, as otel-genai has them"):
        drain(open_log(write("otel-genai", spans(tool, tool, tool))))


def test_a_line_without_its_list_is_set_aside(write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """A page that holds no data does not vanish."""
    text = CASES["openai-usage"].text + lines({"object": "page", "data": None, "has_more": False, "next_page": None})
    log = open_log(write("openai-usage", text), max_rejects=1.0)
    assert drain(log).num_rows == 3
    assert [(r["line"], r["reason"][:22]) for r in log.rejected().to_pylist()] == [(2, "occurred_at is missing")]


def test_a_folder_of_bedrock_leaves_bodies_out(tmp_path: Path, open_log: Opener, drain: Drain) -> None:
    """Bodies that lie beside the log are no records; in a log of another format they are not left out in silence."""
    folder = tmp_path / "AWSLogs" / "1" / "BedrockModelInvocationLogs" / "eu" / "2026"
    (folder / "data").mkdir(parents=True)
    (folder / "a.json").write_text(CASES["bedrock"].text)
    (folder / "data" / "x_input.json").write_text('{"messages": []}')
    assert events_of(drain(open_log(tmp_path / "AWSLogs"))) == CASES["bedrock"].events
    (folder / "a.json").write_text(CASES["kong"].text)
    with pytest.raises(UnknownFormatError, match=r"x_input\.json: looks like no part of a log.*--format kong"):
        open_log(tmp_path / "AWSLogs")


def test_a_preset_with_numbers_for_a_sample_says_so() -> None:
    """No shipped preset claims a sampling rate that only the user knows."""
    assert {load_format(name).sampling_rate for name in list_formats()} == {1.0}


def test_epochs_are_read_in_the_unit_of_the_format(write: Callable[..., Path], open_log: Opener, drain: Drain) -> None:
    """A small number of milliseconds stays one."""
    record = json.loads(CASES["kong"].text) | {"started_at": 86_400_000}
    (event,) = events_of(drain(open_log(write("kong", lines(record)))))
    assert event["occurred_at"] == AT.replace(year=1970, month=1, day=2, hour=0, minute=0, second=0, microsecond=0)


def test_lines_of_many_spans_fit_in_the_readers_memory(
    write: Callable[..., Path], open_log: Opener, drain: Drain
) -> None:
    """A collector writes a hundred spans in a line; two threads read such lines within the default memory."""
    found = attributes(gen_ai__operation__name="chat", user__id="u1", gen_ai__prompt__0__content="x" * 700)
    log = open_log(write("otel-genai", spans(*[span(found)] * 100) * 70), threads=2)
    assert drain(log, ["account_id"]).num_rows == 7000
