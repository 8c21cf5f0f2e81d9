"""A small hand-made log in each format, and the events that it stands for. Written from the formats' schemas."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 11, 2, 3, 11, 9, 120000, tzinfo=UTC)
ISO = "2026-11-02T03:11:09.120Z"
END = "2026-11-02T03:11:10.620Z"
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Name a river."},
    {"role": "assistant", "content": "Rhine."},
    {"role": "user", "content": "Another."},
]
REPLY: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": "Elbe."}, "finish_reason": "stop"}]}
SAID = {"system_prompt": "Be brief.", "prompt": "Another.", "completion": "Elbe."}


@dataclass(frozen=True)
class Case:
    """A log of one format.

    Attributes
    ----------
    name: the preset that has to be chosen.
    text: the file.
    events: what is read, columns without a value left out.
    file: what it is called.
    """

    name: str
    text: str
    events: list[dict[str, Any]]
    file: str = "log.jsonl"


def lines(*records: object) -> str:
    """Write records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def attributes(**values: object) -> list[dict[str, object]]:
    """Write attributes as OTLP has them; a double underscore stands for a dot."""
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [
        {
            "key": key.replace("__", "."),
            "value": value if isinstance(value, dict) else {kinds[type(value)]: _otlp(value)},
        }
        for key, value in values.items()
    ]


def _otlp(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def spans(*each: dict[str, Any], resource: list[dict[str, object]] | None = None) -> str:
    """Write spans as one line of OTLP."""
    scope = {"resource": {"attributes": resource or []}, "scopeSpans": [{"scope": {}, "spans": list(each)}]}
    return lines({"resourceSpans": [scope]})


def span(found: list[dict[str, object]], **more: object) -> dict[str, object]:
    """One span of a second and a half."""
    times = {"startTimeUnixNano": "1793589069120000000", "endTimeUnixNano": "1793589070620000000"}
    return {"traceId": "t1", "spanId": "s1", "name": "chat", **times, "attributes": found, **more}


def _litellm_spend() -> Case:
    record = {
        "request_id": "r1", "call_type": "acompletion", "api_key": "9b1c", "spend": 0.0041, "prompt_tokens": 812,
        "completion_tokens": 1490, "startTime": ISO, "endTime": END, "model": "m-1", "model_group": "m",
        "user": "u_112", "end_user": "e1", "team_id": "t_3", "requester_ip_address": "203.0.113.9",
        "request_tags": ["User-Agent: python-httpx/0.27"], "session_id": "s1", "status": "success", "metadata": {},
        "proxy_server_request": {"messages": CHAT, "temperature": 1, "max_tokens": 64}, "response": REPLY,
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u_112", "request_id": "r1", "api_key_id": "9b1c", "org_id": "t_3",
        "end_user_id": "e1", "session_id": "s1", "ip": "203.0.113.9", "user_agent": "python-httpx/0.27",
        "model": "m", "operation": "acompletion", **SAID, "input_tokens": 812, "output_tokens": 1490,
        "max_output_tokens": 64, "temperature": 1.0, "status_code": 200, "finish_reason": "stop",
        "latency_ms": 1500.0, "cost_usd": 0.0041,
    }  # fmt: skip
    return Case("litellm-spend", lines(record), [event])


def _litellm_slp() -> Case:
    record = {
        "id": "r1", "trace_id": "t1", "call_type": "acompletion", "status": "failure", "startTime": 1793589069.12,
        "endTime": 1793589070.62, "response_time": 1.5, "model": "m-1", "model_group": "m", "messages": CHAT,
        "response": REPLY, "end_user": "e1", "requester_ip_address": "203.0.113.9", "response_cost": 0.25,
        "prompt_tokens": 8, "completion_tokens": 2, "request_tags": ["team", "User-Agent: curl/8.7"],
        "metadata": {
            "user_api_key_hash": "9b1c", "user_api_key_user_id": "u1", "user_api_key_team_id": "t3",
            "user_api_key_org_id": "o1",
        },
        "model_parameters": {"temperature": 0.2, "max_tokens": 64, "n": 2, "logprobs": True},
        "error_information": {"error_code": "429", "error_class": "RateLimitError"},
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "api_key_id": "9b1c", "org_id": "o1",
        "end_user_id": "e1", "session_id": "t1", "ip": "203.0.113.9", "user_agent": "curl/8.7", "model": "m",
        "operation": "acompletion", **SAID, "input_tokens": 8, "output_tokens": 2, "max_output_tokens": 64,
        "temperature": 0.2, "n_choices": 2, "wants_logprobs": True, "status_code": 429, "finish_reason": "stop",
        "latency_ms": 1500.0, "cost_usd": 0.25,
    }  # fmt: skip
    return Case("litellm-slp", lines(record), [event])


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


def _helicone() -> Case:
    record = {
        "request_id": "r1", "request_created_at": ISO, "request_body": {"messages": CHAT, "temperature": 0, "n": 1},
        "request_path": "/v1/chat/completions", "request_user_id": "u1", "request_properties": {},
        "request_model": "m", "response_id": "x1", "response_created_at": END, "response_body": REPLY,
        "response_status": 200, "response_model": "m-1", "delay_ms": 1500, "prompt_tokens": 8,
        "completion_tokens": 2, "country_code": "DE", "costUSD": 0.01,
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "country": "DE", "model": "m-1",
        "operation": "/v1/chat/completions", **SAID, "input_tokens": 8, "output_tokens": 2, "temperature": 0.0,
        "n_choices": 1, "status_code": 200, "finish_reason": "stop", "latency_ms": 1500.0, "cost_usd": 0.01,
    }  # fmt: skip
    return Case("helicone", lines(record), [event])


def _openai_usage() -> Case:
    def result(key: str, n: int) -> dict[str, object]:
        return {
            "object": "organization.usage.completions.result", "input_tokens": 100 * n, "output_tokens": 10 * n,
            "num_model_requests": n, "project_id": "proj_1", "user_id": None, "api_key_id": key, "model": "m",
        }  # fmt: skip

    buckets = [
        {"object": "bucket", "start_time": 1793588400, "results": [result("k1", 3), result("k2", 5)]},
        {"object": "bucket", "start_time": 1793592000, "results": []},
        {"object": "bucket", "start_time": 1793595600, "results": [result("k1", 7)]},
    ]  # fmt: skip
    page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}

    def event(hour: int, key: str, n: int) -> dict[str, object]:
        return {
            "occurred_at": datetime(2026, 11, 2, hour, tzinfo=UTC), "account_id": key, "api_key_id": key,
            "org_id": "proj_1", "model": "m", "input_tokens": 100 * n, "output_tokens": 10 * n, "n_requests": n,
        }  # fmt: skip

    return Case("openai-usage", lines(page), [event(3, "k1", 3), event(3, "k2", 5), event(5, "k1", 7)])


def _azure() -> Case:
    record = {
        "TimeGenerated": ISO, "CorrelationId": "r1", "OperationName": "chat", "ModelName": "m",
        "DeploymentName": "d", "PromptTokens": 8, "CompletionTokens": 2, "TotalTokens": 10,
        "RequestMessages": json.dumps(CHAT), "ResponseMessages": json.dumps([REPLY["choices"][0]["message"]]),
        "CallerIpAddress": "203.0.113.9:52110", "ApimSubscriptionId": "sub1", "ResponseCode": 200, "TotalTime": 1500,
        "RequestHeaders": {"User-Agent": "curl/8.7"}, "UserId": "e1",
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "sub1", "request_id": "r1", "api_key_id": "sub1", "end_user_id": "e1",
        "ip": "203.0.113.9", "user_agent": "curl/8.7", "model": "m", "operation": "chat", **SAID, "input_tokens": 8,
        "output_tokens": 2, "status_code": 200, "latency_ms": 1500.0,
    }  # fmt: skip
    return Case("azure-apim-llm", lines(record), [event])


def _bedrock() -> Case:
    arn = "arn:aws:sts::123456789012:assumed-role/app/u1"
    base = {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": ISO, "accountId": "123456789012",
        "identity": {"arn": arn}, "region": "eu-west-1", "requestId": "r1", "modelId": "m",
    }  # fmt: skip
    asked = {"system": "Be brief.", "messages": CHAT[1:], "max_tokens": 64, "temperature": 0.5}
    deltas = [
        {"type": "message_start"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "El"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "be."}},
    ]
    talk = [{"role": "user", "content": [{"text": "Another."}]}]
    converse = {
        "messages": talk,
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 64, "temperature": 0.5},
    }
    answer = {"output": {"message": {"role": "assistant", "content": [{"text": "Elbe."}]}}, "stopReason": "end_turn"}
    counts = {"inputTokenCount": 8}, {"outputTokenCount": 2}
    records = [
        {**base, "operation": "InvokeModelWithResponseStream", "input": {"inputBodyJson": asked, **counts[0]},
         "output": {"outputBodyJson": deltas, **counts[1]}},
        {**base, "operation": "Converse", "input": {"inputBodyJson": converse, **counts[0]},
         "output": {"outputBodyJson": answer, **counts[1]}},
        {**base, "operation": "InvokeModel", "input": {"inputBodyJson": {"inputText": "Another."}},
         "output": {"outputBodyJson": {"results": [{"outputText": "Elbe."}]}}, "requestMetadata": {"user_id": "u9"}},
        {**base, "operation": "Converse", "errorCode": "ThrottlingException", "input": {"inputBodyS3Path": "s3://b/data/x_input.json.gz"}},
    ]  # fmt: skip
    who = {"occurred_at": AT, "account_id": arn, "request_id": "r1", "api_key_id": arn, "model": "m"}
    full = {**who, **SAID, "input_tokens": 8, "output_tokens": 2, "max_output_tokens": 64, "temperature": 0.5}
    events = [
        {**full, "operation": "InvokeModelWithResponseStream"},
        {**full, "operation": "Converse", "finish_reason": "end_turn"},
        {**who, "account_id": "u9", "operation": "InvokeModel", "prompt": "Another.", "completion": "Elbe."},
        {**who, "operation": "Converse", "status_code": 429},
    ]
    return Case("bedrock", lines(*records), events)


def _vertex() -> Case:
    request = {
        "contents": [
            {"role": "user", "parts": [{"text": "Name a river."}]},
            {"role": "model", "parts": [{"text": "Rhine."}]},
            {"role": "user", "parts": [{"text": "Another."}, {"inlineData": {}}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 64, "candidateCount": 1},
        "labels": {"user_id": "u1"},
    }
    response = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Elbe."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 2, "thoughtsTokenCount": 5},
    }
    record = {
        "endpoint": "e", "deployed_model_id": "d", "logging_time": "2026-11-02 03:11:09.12 UTC", "request_id": "77",
        "request_payload": [], "response_payload": [], "model": "m", "api_method": "generateContent",
        "full_request": json.dumps(request), "full_response": response, "metadata": {"request_latency": 1500},
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "77", "model": "m", "operation": "generateContent",
        **SAID, "input_tokens": 8, "output_tokens": 7, "reasoning_tokens": 5, "max_output_tokens": 64,
        "temperature": 0.5, "n_choices": 1, "finish_reason": "STOP", "latency_ms": 1500.0,
    }  # fmt: skip
    return Case("vertex", lines(record), [event])


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


def _kong() -> Case:
    record = {
        "client_ip": "203.0.113.9", "started_at": 1793589069120, "workspace": "w1",
        "request": {"id": "r1", "uri": "/chat", "method": "POST", "headers": {"user-agent": "curl/8.7"}},
        "response": {"status": 200, "size": 5}, "latencies": {"request": 1500, "proxy": 1400},
        "consumer": {"id": "u1", "username": "acme"}, "authenticated_entity": {"id": "k1"},
        "ai": {"proxy": {
            "usage": {"prompt_tokens": 8, "completion_tokens": 2, "cost": 0.01},
            "meta": {"request_model": "m", "response_model": "m-1"},
            "payload": {"request": json.dumps({"messages": CHAT, "temperature": 0.5, "max_tokens": 64}),
                        "response": json.dumps(REPLY)},
        }},
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "api_key_id": "k1", "ip": "203.0.113.9",
        "user_agent": "curl/8.7", "model": "m", "operation": "/chat", **SAID, "input_tokens": 8, "output_tokens": 2,
        "max_output_tokens": 64, "temperature": 0.5, "status_code": 200, "finish_reason": "stop",
        "latency_ms": 1500.0, "cost_usd": 0.01,
    }  # fmt: skip
    return Case("kong", lines(record), [event])


def _portkey() -> Case:
    record = {
        "id": "r1", "trace_id": "t1", "created_at": ISO, "request": {"messages": CHAT, "temperature": 0.5},
        "response": REPLY, "is_success": True, "ai_org": "vendor", "ai_model": "m", "req_units": 8, "res_units": 2,
        "total_units": 10, "request_url": "/v1/chat/completions", "cost": 0.01, "cost_currency": "USD",
        "response_time": 1500, "response_status_code": 200, "metadata": {"_user": "u1", "api_key": "k1"},
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "api_key_id": "k1", "session_id": "t1",
        "model": "m", "operation": "/v1/chat/completions", **SAID, "input_tokens": 8, "output_tokens": 2,
        "temperature": 0.5, "status_code": 200, "finish_reason": "stop", "latency_ms": 1500.0,
    }  # fmt: skip
    return Case("portkey", lines(record), [event])


def _cloudflare() -> Case:
    record = {
        "id": "r1", "created_at": ISO, "provider": "vendor", "model": "m", "path": "chat/completions",
        "status_code": 200, "success": True, "cached": False, "duration": 1500, "tokens_in": 8, "tokens_out": 2,
        "cost": 0.01, "metadata": json.dumps({"user": "u1"}),
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "model": "m", "operation": "chat/completions",
        "input_tokens": 8, "output_tokens": 2, "status_code": 200, "latency_ms": 1500.0, "cost_usd": 0.01,
    }  # fmt: skip
    return Case("cloudflare-aig", lines(record), [event])


def _envoy() -> Case:
    record = {
        "start_time": ISO, "method": "POST", "x-envoy-origin-path": "/v1/chat/completions", "response_code": 200,
        "duration": 1500, "x-forwarded-for": "198.51.100.7, 10.0.0.1", "user-agent": "curl/8.7",
        "x-request-id": "r1", "downstream_remote_address": "[2001:db8::9]:52110", "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1", "gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 2,
        "x-user-id": "u1",
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "request_id": "r1", "ip": "2001:db8::9", "user_agent": "curl/8.7",
        "model": "m", "operation": "/v1/chat/completions", "input_tokens": 8, "output_tokens": 2,
        "status_code": 200, "latency_ms": 1500.0,
    }  # fmt: skip
    blank = {**record, "downstream_remote_address": "-", "user-agent": None}
    other = {**event, "ip": "198.51.100.7"}
    del other["user_agent"]
    return Case("envoy-aig", lines(record, blank), [event, other])


def _nginx() -> Case:
    text = (
        '203.0.113.9 - acme [02/Nov/2026:04:11:09 +0100] "POST /v1/chat/completions HTTP/1.1" 200 5321 "-" "curl/8.7"\n'
        '2001:db8::9 - - [02/Nov/2026:03:11:09 +0000] "POST /v1/x\\x22y HTTP/2.0" 429 - "https://a.example/" "-"\r\n'
    )
    at = AT.replace(microsecond=0)
    events = [
        {
            "occurred_at": at, "account_id": "acme", "ip": "203.0.113.9", "user_agent": "curl/8.7",
            "operation": "/v1/chat/completions", "status_code": 200,
        },
        {
            "occurred_at": at, "account_id": "2001:db8::9", "ip": "2001:db8::9", "operation": "/v1/x\\x22y",
            "status_code": 429,
        },
    ]  # fmt: skip
    return Case("nginx-combined", text, events, "access.log")


def _openrouter() -> Case:
    columns = {
        "generation_id": "r1", "created_at": "2026-11-02 03:11:09.120", "cost_total": "0.01", "tokens_prompt": "8",
        "tokens_completion": "7", "tokens_reasoning": "5", "model_permaslug": "vendor/m", "provider_name": "v",
        "streamed": "true", "user": "", "finish_reason_normalized": "stop", "generation_time_ms": "1500",
        "api_key_name": "k1", "app_name": "app",
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "k1", "request_id": "r1", "api_key_id": "k1", "model": "vendor/m",
        "input_tokens": 8, "output_tokens": 7, "reasoning_tokens": 5, "finish_reason": "stop",
        "latency_ms": 1500.0, "cost_usd": 0.01,
    }  # fmt: skip
    return Case("openrouter", f"{','.join(columns)}\n{','.join(columns.values())}\n", [event], "log.csv")


def _glasswally() -> Case:
    record = {
        "account_id": "u1", "timestamp": ISO, "model": "m", "prompt": "Another.", "system_prompt": "Be brief.",
        "system_prompt_hash": "h", "token_count": 8, "max_tokens": 64, "client_ip": "203.0.113.9",
        "asn_number": 64500, "asn_org": "x", "user_agent": "curl/8.7", "h2_settings_fp": "f1",
        "campaign_label": "c9",
    }  # fmt: skip
    event = {
        "occurred_at": AT, "account_id": "u1", "ip": "203.0.113.9", "asn": 64500, "user_agent": "curl/8.7",
        "tls_fingerprint": "f1", "model": "m", "system_prompt": "Be brief.", "prompt": "Another.",
        "input_tokens": 8, "max_output_tokens": 64,
    }  # fmt: skip
    return Case("glasswally", lines(record), [event])


def _stillwatch() -> Case:
    event = {"occurred_at": ISO, "account_id": "u1", "prompt": "Another.", "input_tokens": 8}
    return Case("stillwatch", lines(event), [{**event, "occurred_at": AT}])


CASES = {
    case.name: case
    for case in (
        _litellm_spend(), _litellm_slp(), _langfuse("langfuse-v2", latency=1.5),
        _langfuse("langfuse-ui", latencyMs=1500), _langfuse_blob(), _helicone(), _openai_usage(), _azure(),
        _bedrock(), _vertex(), _otel(), _kong(), _portkey(), _cloudflare(), _envoy(), _nginx(), _openrouter(),
        _glasswally(), _stillwatch(),
    )
}  # fmt: skip

#: Logs that are recognised and refused: preset to file.
REFUSED = {
    "openai-audit": lines(
        {
            "object": "list", "first_id": "a", "last_id": "a", "has_more": False,
            "data": [{"id": "a", "type": "login.succeeded", "effective_at": 1793589069}],
        }
    ),
    "cloudflare-logpush": lines(
        {"Gateway": "g", "Provider": "v", "Model": "m", "StatusCode": 200, "Metadata": {"data": "x"}}
    ),
}  # fmt: skip
