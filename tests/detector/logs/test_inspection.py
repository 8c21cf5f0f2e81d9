import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.logs.inspection import redacted, traps_of, what_is_off
from detector.logs.presets import Format, Trap
from detector.logs.sheets import check_text, markdown_text, show_text
from detector.settings import InputSettings
from detector.tables import EVENTS
from tests.detector.engines.preset_logs import CASES

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"


def check(path: Path, **settings: object) -> str:
    """What is said of a log."""
    with EmbeddedEngine(InputSettings(threads=1, **settings)).open([str(path)]) as log:
        return check_text(log)


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("account_id", "customer-17", "cus… (11)"),
        ("account_id", "bob", "… (3)"),
        ("ip", "203.0.113.9", "203… (11)"),
        ("asn", 64500, "… (5)"),
        ("prompt", "the secret", "<text, 10 characters>"),
        ("user_agent", "x/1 (jo@example.org)", "x/1 (<EMAIL>)"),
        ("operation", "/v1/users/0123456789abcdef0123/chat", "/v1/users/<KEY>/chat"),
        ("model", "m" * 99, "m" * 40 + "…"),
        ("input_tokens", 8, "8"),
        ("occurred_at", datetime(2026, 11, 2, 3, tzinfo=UTC), "2026-11-02T03:00:00Z"),
        ("prompt", None, "-"),
    ],
)
def test_rows_are_shown_redacted(column: str, value: object, shown: str) -> None:
    """What kind of value a column holds is seen; no name, address or text is."""
    assert redacted(column, value) == shown


def form_with(trap: Trap) -> Format:
    """A preset with one trap."""
    return Format(name="f", title="F", traps=[trap])


@pytest.mark.parametrize(
    ("condition", "values", "n_rows", "applies"),
    [
        ({}, ["a"], 0, True),
        ({"if_empty": ["ip"]}, [None, None], 0, True),
        ({"if_empty": ["ip"]}, [None, "a"], 0, False),
        ({"if_empty": ["asn"]}, ["a"], 0, True),
        ({"if_alike": ["ip"]}, ["a"] * 20, 0, True),
        ({"if_alike": ["ip"]}, ["a"] * 19, 0, False),
        ({"if_alike": ["ip"]}, ["a"] * 20 + ["b"], 0, False),
        ({"if_repeated": ["ip"]}, ["a", "b", "a"], 0, True),
        ({"if_repeated": ["ip"]}, ["a", "b", None, None], 0, False),
        ({"if_rows": 50}, ["a"], 100, True),
        ({"if_rows": 50}, ["a"], 99, False),
        ({"if_rows": 50}, ["a"], 0, False),
    ],
)
def test_a_trap_is_shown_where_the_log_may_be_in_it(
    condition: dict[str, object], values: list[str | None], n_rows: int, applies: bool
) -> None:
    """Without a condition always; otherwise only where the first rows look like it."""
    trap = Trap.model_validate({"when": "w", "says": "s", **condition})
    rows = pa.table({"ip": pa.array(values, pa.string())})
    assert traps_of(form_with(trap), rows, n_rows) == ([trap] if applies else [])


def test_what_is_off_names_the_lacking_columns() -> None:
    """A full log lacks nothing; without prompts the detectors that read prompts are off, too."""
    rows = set(EVENTS.names) - {"n_requests"}
    assert what_is_off(rows) == []
    off = "\n".join(what_is_off(rows - {"prompt"}))
    assert "content features, for lack of prompt" in off
    assert "the detector prada, for lack of prompt" in off
    assert "for lack of a row per request" in "\n".join(what_is_off(EVENTS.names))


def test_a_check_tells_all_of_a_log(tmp_path: Path) -> None:
    """Preset and why, coverage, redacted rows, level, what is off, traps that apply and no others; no name."""
    path = tmp_path / "log.jsonl"
    path.write_text(CASES["otel-genai"].text.replace("u1", "alice@example.org"))
    said = check(path)
    assert "format: otel-genai (the columns resourceSpans are all present)" in said
    assert "evidence level: 4 (requests with prompts and completions)" in said
    lines = {line.split(" ", 1)[0]: " ".join(line.split()) for line in said.splitlines()}
    assert lines["account_id"] == "account_id 100.0% ali… (17) | … (2) | … (2)"
    assert lines["temperature"] == "temperature 33.3% 0.5 | - | -"
    assert lines["prompt"].endswith("<text, 8 characters> | <text, 8 characters> | <text, 8 characters>")
    assert "off: 3 of 6 economy features, for lack of cost_usd, payment_id" in said
    assert "beware, spans are sampled" in said
    assert "beware, the prompt is absent" not in said
    assert not any(hidden in said for hidden in ("alice", "Another", "Elbe", "203.0.113.9"))


def test_a_check_warns_of_cut_texts_and_of_rows_without_an_account(tmp_path: Path) -> None:
    """What would be found out while scoring is said before."""
    cut = CASES["litellm-spend"].text.replace("Another.", "An (litellm_truncated skipped 9 chars) er.")
    nobody = CASES["litellm-spend"].text
    for name in ('"u_112"', '"t_3"', '"9b1c"'):
        nobody = nobody.replace(name, "null")
    path = tmp_path / "log.jsonl"
    path.write_text(CASES["litellm-spend"].text + cut + nobody)
    said = check(path)
    assert "beware, texts are cut: the gateway left out the middle in 1 of the first rows" in said
    assert "beware, 1 of the first rows cannot be read: line 3: account_id is missing" in said
    assert "beware, a request id occurs twice" in said


def test_a_check_of_a_log_without_requests_says_so(tmp_path: Path) -> None:
    """Nothing is filled, and the trap that explains it is shown."""
    path = tmp_path / "log.jsonl"
    path.write_text(CASES["otel-genai"].text.replace('"chat"', '"execute_tool"').replace('"LLM"', '"TOOL"'))
    said = check(path)
    assert " ".join(said.splitlines()[5].split()) == "occurred_at 0.0%"
    assert "beware, the account is absent" in said


def test_a_check_sees_a_full_page(tmp_path: Path) -> None:
    """An export that has exactly as many rows as a page holds is probably not whole."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'name = "mine"\ntitle = "Mine"\n[columns]\noccurred_at = ["created_at"]\naccount_id = ["metadata._user"]\n'
        '[[traps]]\nwhen = "full"\nsays = "fetch more"\nif_rows = 2\n'
    )
    path = tmp_path / "log.jsonl"
    path.write_text(CASES["portkey"].text * 2)
    assert "beware, full: fetch more" in check(path, format=str(mine))
    path.write_text(CASES["portkey"].text * 3)
    assert "beware, full" not in check(path, format=str(mine))


def test_the_page_of_formats_is_up_to_date() -> None:
    """Its generated part is what the presets say now; else: stillwatch formats list --markdown."""
    written = PAGE.read_text()
    assert written[written.index("| format |") :] == markdown_text()


def test_the_preset_on_the_page_of_formats_works(tmp_path: Path) -> None:
    """What users copy is a preset."""
    example = PAGE.read_text().split("```toml\n")[1].split("```")[0]
    (tmp_path / "mine.toml").write_text(example)
    asked = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    times = {"when": "2026-11-02T03:11:09", "done": "2026-11-02T03:11:10Z"}
    caller = {"id": "-", "key": "k"}
    record = json.dumps({**times, "caller": caller, "kind": "chat", "outcome": "denied", "body": asked}) + "\n"
    (tmp_path / "log.jsonl").write_text(record + record.replace('"chat"', '"health"'))
    settings = InputSettings(threads=1, format=str(tmp_path / "mine.toml"))
    with EmbeddedEngine(settings).open([str(tmp_path / "log.jsonl")]) as log:
        (event,) = pa.Table.from_batches(list(log.batches())).to_pylist()
        assert log.counts()["n_passed_over"] == 1
    assert (event["account_id"], event["prompt"], event["status_code"], event["latency_ms"]) == ("k", "hi", 429, 1000.0)


def test_a_preset_is_shown_whole() -> None:
    """Columns, the parts they refer to, which rows count, why it is refused, and its traps."""
    shown = show_text("otel-genai")
    assert "occurred_at        span.startTimeUnixNano" in shown
    assert "where span is each element of scope.spans" in shown
    assert 'requests are rows whose attributes."gen_ai.operation.name" or ' in shown
    assert "beware, spans are sampled" in shown
    assert "refused: its rows are sign-ins" in show_text("openai-audit")
