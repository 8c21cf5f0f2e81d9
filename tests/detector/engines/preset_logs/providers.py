"""Logs of model providers and of clouds."""

import json
from datetime import UTC, datetime

from tests.detector.engines.preset_logs.writing import (
    AT,
    CHAT,
    ISO,
    REPLY,
    SAID,
    Case,
    lines,
)


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


CASES = (
    _openai_usage(),
    _azure(),
    _bedrock(),
    _vertex(),
)
