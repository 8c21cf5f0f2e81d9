"""Logs of what traces requests: Langfuse and OpenTelemetry."""

import json

from tests.detector.engines.preset_logs.writing import (
    AT,
    CHAT,
    END,
    ISO,
    SAID,
    Case,
    attributes,
    lines,
    span,
    spans,
)

_LANGFUSE_EVENT = {
    "occurred_at": AT, "account_id": "acme-17", "request_id": "obs_1", "session_id": "s1", "ip": "203.0.113.9",
    "model": "m-x", "operation": "answer", **SAID, "input_tokens": 420, "output_tokens": 911,
    "max_output_tokens": 64, "temperature": 0.5, "status_code": 500, "latency_ms": 1500.0, "cost_usd": 0.5,
}  # fmt: skip


def _langfuse(name: str, **more: object) -> Case:
    record = {
        "id": "obs_1", "traceId": "tr_1", "type": "GENERATION", "startTime": ISO, "endTime": END, "projectId": "p1",
        "name": "answer", "level": "ERROR", "userId": "acme-17", "sessionId": "s1", "providedModelName": "m-x",
        "modelParameters": {"temperature": 0.5, "max_tokens": 64}, "metadata": {"ip": "203.0.113.9"},
        "usageDetails": {"input": 420, "output": 911, "total": 1331}, "totalCost": 0.5,
        "input": json.dumps(CHAT), "output": json.dumps({"role": "assistant", "content": "Elbe."}),
    }  # fmt: skip
    other = {**record, "id": "obs_2", "type": "SPAN"}
    plain = {**record, "id": "obs_3", "input": "just text", "output": "[1, 2", "level": "DEFAULT"}
    event = {
        **_LANGFUSE_EVENT, "request_id": "obs_3", "prompt": "just text", "completion": "[1, 2", "status_code": 200
    }  # fmt: skip
    del event["system_prompt"]
    return Case(name, lines(*({**each, **more} for each in (record, other, plain))), [_LANGFUSE_EVENT, event])


def _langfuse_blob() -> Case:
    columns = {
        "id": "obs_1", "trace_id": "tr_1", "type": "GENERATION", "start_time": "2026-11-02 03:11:09.120",
        "end_time": "2026-11-02 03:11:10.620", "name": "answer", "level": "ERROR", "user_id": "acme-17",
        "session_id": "s1", "provided_model_name": "m-x", "total_cost": "0.5",
        "model_parameters": '{"temperature": 0.5, "max_tokens": 64}', "metadata": '{"ip": "203.0.113.9"}',
        "usage_details": '{"input": 420, "output": 911}', "input": json.dumps(CHAT), "output": "Elbe.",
    }  # fmt: skip
    row = ",".join('"' + value.replace('"', '""') + '"' for value in columns.values())
    return Case("langfuse-blob", f"{','.join(columns)}\n{row}\n", [_LANGFUSE_EVENT], "log.csv")


def _otel() -> Case:
    def parts(role: str, text: str) -> dict[str, object]:
        return {"role": role, "parts": [{"type": "text", "content": text}]}

    now = attributes(
        gen_ai__operation__name="chat", gen_ai__request__model="m", gen_ai__response__model="m-1",
        gen_ai__response__id="r1", gen_ai__conversation__id="c1", gen_ai__usage__input_tokens=8,
        gen_ai__usage__output_tokens=2, gen_ai__request__temperature=0.5, gen_ai__request__max_tokens=64,
        gen_ai__input__messages=json.dumps([parts("user", "Name a river."), parts("user", "Another.")]),
        gen_ai__output__messages=json.dumps([parts("assistant", "Elbe.")]),
        gen_ai__system_instructions=json.dumps([{"type": "text", "content": "Be brief."}]),
        gen_ai__response__finish_reasons={"arrayValue": {"values": [{"stringValue": "stop"}]}},
        user__id="u1", client__address="203.0.113.9", user_agent__original="curl/8.7",
    )  # fmt: skip
    older = attributes(
        gen_ai__system="x", llm__request__type="chat", gen_ai__request__model="m", gen_ai__usage__prompt_tokens=8,
        gen_ai__usage__completion_tokens=2, gen_ai__prompt__0__role="system",
        gen_ai__prompt__0__content="Be brief.", gen_ai__prompt__1__role="user", gen_ai__prompt__1__content="Another.",
        gen_ai__completion__0__role="assistant", gen_ai__completion__0__content="Elbe.", error__type="429",
    )  # fmt: skip
    inference = attributes(
        openinference__span__kind="LLM", llm__model_name="m", llm__token_count__prompt=8,
        llm__token_count__completion=2, llm__input_messages__0__message__role="user",
        llm__input_messages__0__message__content="Another.", input__value="{}", output__value="Elbe.",
        enduser__id="u3",
    )  # fmt: skip
    tool = attributes(gen_ai__operation__name="execute_tool", user__id="u1")
    text = spans(span(now), span(tool), span(older), resource=attributes(user__id="u2")) + spans(
        span(inference, status={"code": 2})
    )
    base = {"occurred_at": AT, "latency_ms": 1500.0, "input_tokens": 8, "output_tokens": 2, "model": "m"}
    events = [
        {
            **base, **SAID, "account_id": "u1", "request_id": "r1", "session_id": "c1", "ip": "203.0.113.9",
            "user_agent": "curl/8.7", "model": "m-1", "operation": "chat", "max_output_tokens": 64,
            "temperature": 0.5, "finish_reason": "stop",
        },
        {
            **base, **SAID, "account_id": "u2", "request_id": "s1", "session_id": "t1", "operation": "chat",
            "status_code": 429,
        },
        {
            **base, "account_id": "u3", "request_id": "s1", "session_id": "t1", "operation": "LLM",
            "prompt": "Another.", "completion": "Elbe.", "status_code": 500,
        },
    ]  # fmt: skip
    return Case("otel-genai", text, events)


CASES = (
    _langfuse("langfuse-v2", latency=1.5),
    _langfuse("langfuse-ui", latencyMs=1500),
    _langfuse_blob(),
    _otel(),
)
