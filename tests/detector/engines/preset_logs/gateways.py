"""Logs of gateways that requests pass."""

import json

from tests.detector.engines.preset_logs.writing import (
    AT,
    CHAT,
    END,
    ISO,
    REPLY,
    SAID,
    Case,
    lines,
)


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


CASES = (
    _litellm_spend(),
    _litellm_slp(),
    _helicone(),
    _kong(),
    _portkey(),
    _cloudflare(),
    _envoy(),
    _nginx(),
    _openrouter(),
    _glasswally(),
    _stillwatch(),
)
