import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from detector.engines.embedded import Log

HEADER = [
    "request_id",
    "call_type",
    "api_key",
    "spend",
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "startTime",
    "endTime",
    "model",
    "model_group",
    "user",
    "end_user",
    "team_id",
    "organization_id",
    "requester_ip_address",
    "metadata",
    "request_tags",
    "messages",
    "response",
    "proxy_server_request",
    "status",
    "request_duration_ms",
]

CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": [{"type": "text", "text": "part one"}, {"type": "image"}, {"text": "two"}]},
    ],
    "temperature": 0.25,
    "max_tokens": 64,
    "n": 3,
    "logprobs": True,
}
CUT = "start... (litellm_truncated 1234 chars) ...end"


def row(**values: object) -> list[str]:
    """A row of the export; documents are written as JSON."""
    base: dict[str, object] = {
        "request_id": "r1",
        "call_type": "acompletion",
        "api_key": "9b1c",
        "spend": "0.0041",
        "prompt_tokens": "812",
        "completion_tokens": "1490",
        "startTime": "2026-03-02 11:22:33.456",
        "endTime": "2026-03-02 11:22:34.456",
        "model": "vendor/m-1",
        "model_group": "m",
        "user": "u_112",
        "metadata": {"status": "success"},
        "request_tags": ["User-Agent: python-httpx", "User-Agent: python-httpx/0.27", "team:x"],
        "messages": {},
        "response": {},
        "proxy_server_request": {},
        "status": "success",
    }
    merged = base | values
    return [v if isinstance(v := merged.get(name, ""), str) else json.dumps(v) for name in HEADER]


def read(rows: list[list[str]], csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> list[dict[str, object]]:
    """The events of an export that has to be recognised by itself."""
    log = open_log(csv_file(rows, HEADER))
    assert log.format_name == "litellm-spend"
    assert "startTime" in log.format_reason
    return pa.Table.from_batches(list(log.batches())).to_pylist()


def test_an_export_with_prompts_fills_the_fields(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """The whole of a chat request is found in proxy_server_request, and the naive times are UTC."""
    response = {"choices": [{"message": {"content": "done"}, "finish_reason": "stop"}]}
    (event,) = read([row(proxy_server_request=CHAT, response=response)], csv_file, open_log)
    assert event["occurred_at"] == datetime(2026, 3, 2, 11, 22, 33, 456000, tzinfo=UTC)
    found = {key: event[key] for key in ("account_id", "user_agent", "model", "system_prompt", "prompt", "completion")}
    assert found == {
        "account_id": "u_112",
        "user_agent": "python-httpx/0.27",
        "model": "m",
        "system_prompt": "Be brief.",
        "prompt": "part one\ntwo",
        "completion": "done",
    }
    numbers = (
        "temperature",
        "max_output_tokens",
        "n_choices",
        "wants_logprobs",
        "latency_ms",
        "status_code",
        "cost_usd",
    )
    assert [event[key] for key in numbers] == [0.25, 64, 3, True, 1000.0, 200, 0.0041]


def test_other_kinds_of_request_have_prompts_too(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """Input of the responses and embeddings interfaces, prompt of the completions one, messages of older rows."""
    bodies: list[dict[str, object]] = [
        {"proxy_server_request": {"input": "plain input"}},
        {"proxy_server_request": {"input": ["e1", "e2"]}},
        {"proxy_server_request": {"input": [{"role": "user", "content": "typed"}]}},
        {"proxy_server_request": {"prompt": "old style"}},
        {"messages": [{"role": "user", "content": "older row"}]},
        {"proxy_server_request": "not json"},
    ]
    events = read([row(**body) for body in bodies], csv_file, open_log)
    assert [event["prompt"] for event in events] == [
        "plain input", "e1\ne2", "typed", "old style", "older row", None,
    ]  # fmt: skip


def test_cut_texts_are_counted_and_lose_the_mark(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """The gateway's own words are no part of a prompt."""
    rows = [row(proxy_server_request={"messages": [{"role": "user", "content": text}]}) for text in (CUT, "whole")]
    rows.append(row(proxy_server_request={"prompt": "a (litellm_truncated skipped 9 chars) b"}))
    log = open_log(csv_file(rows, HEADER))
    prompts = pa.Table.from_batches(list(log.batches())).column("prompt").to_pylist()
    assert prompts == ["startend", "whole", "a  b"]
    assert log.counts()["n_truncated"] == 2


def test_what_a_client_sent_never_refuses_its_row(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """A value inside the request document that cannot be its field is null; the row stays, so nobody can hide."""
    odd = {"messages": [{"role": "user", "content": "hi\u0000"}], "temperature": "hot", "max_tokens": -5, "n": [1]}
    (event,) = read([row(proxy_server_request=odd)], csv_file, open_log)
    assert (event["prompt"], event["temperature"], event["n_choices"]) == ("hi\u0000", None, None)


def test_fallbacks_go_in_order(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """The owner of the key, then its team, then the key; an error code, then the status."""
    failed = {"status": "failure", "error_information": {"error_code": "429"}}
    rows = [row(user="", team_id="t"), row(user="None"), row(metadata=failed, status="failure")]
    events = read(rows, csv_file, open_log)
    assert [event["account_id"] for event in events] == ["t", "9b1c", "u_112"]
    assert [event["status_code"] for event in events] == [200, 200, 429]


def test_without_stored_prompts_the_level_is_lower(csv_file: Callable[..., Path], open_log: Callable[..., Log]) -> None:
    """A preset maps the prompt, the coverage tells that none is there."""
    log = open_log(csv_file([row(requester_ip_address="203.0.113.9")] * 2, HEADER))
    shares = log.coverage()
    assert (log.evidence_level, shares["prompt"], shares["ip"], shares["account_id"]) == (2, 0.0, 1.0, 1.0)


def test_long_conversations_fit_in_the_readers_memory(
    csv_file: Callable[..., Path], open_log: Callable[..., Log]
) -> None:
    """Agents send tens of kilobytes a request; what the reader holds goes by bytes, not by rows."""
    talk = [
        {"role": ("user", "assistant")[i % 2], "content": f"turn {i} " + "of a long talk " * 200} for i in range(20)
    ]
    last = [{"role": "user", "content": "the end"}]
    rows = [row(request_id=f"r{i}", proxy_server_request={"messages": talk + last}) for i in range(600)]
    log = open_log(csv_file(rows, HEADER), memory="256MB")
    prompts = pa.Table.from_batches(list(log.batches())).column("prompt").to_pylist()
    assert prompts == ["the end"] * len(rows)


def test_some_columns_of_json_lines_can_be_read_alone(tmp_path: Path, open_log: Callable[..., Log]) -> None:
    """What other columns would need is neither read nor asked for."""
    record = dict(zip(HEADER, row(proxy_server_request=CHAT), strict=True))
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(record) + "\n")
    (batch,) = open_log(path).batches(["account_id", "prompt"])
    assert batch.to_pylist() == [{"account_id": "u_112", "prompt": "part one\ntwo"}]
