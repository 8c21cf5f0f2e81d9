"""The shapes a log can be written in: our own columns, or those of another tool's export."""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

Shape = Callable[[pa.Table], pa.Table]


def stillwatch(events: pa.Table) -> pa.Table:
    """Keep our own columns."""
    return events


def litellm(events: pa.Table) -> pa.Table:
    """Write requests as rows of LiteLLM's spend logs, as its gateway stores them.

    Notes
    -----
    Prompts are nested in `proxy_server_request`, as JSON text; the user agent is a tag; a failed request has its code
    in `metadata`. What the export has no place for (payment, network number, log-probabilities) is left out.
    """
    n = events.num_rows
    ends = pc.add(events["occurred_at"], _milliseconds(events["latency_ms"]))
    succeeded = pc.equal(events["status_code"], 200)
    asked = pc.add(events["input_tokens"], pc.fill_null(events["output_tokens"], 0))
    columns = {
        "request_id": events["request_id"],
        "call_type": _repeated("acompletion", n),
        "api_key": events["api_key_id"],
        "spend": pc.fill_null(events["cost_usd"], 0.0),
        "total_tokens": asked,
        "prompt_tokens": events["input_tokens"],
        "completion_tokens": pc.fill_null(events["output_tokens"], 0),
        "startTime": events["occurred_at"],
        "endTime": ends,
        "model": events["model"],
        "model_group": events["model"],
        "user": events["account_id"],
        "end_user": events["end_user_id"],
        "metadata": _metadata(events, succeeded),
        "request_tags": _joined('["User-Agent: ', _escaped(events["user_agent"]), '"]'),
        "organization_id": events["org_id"],
        "requester_ip_address": events["ip"],
        "session_id": events["session_id"],
        "proxy_server_request": _request(events),
        "response": _response(events),
        "status": pc.if_else(succeeded, "success", "failure"),
    }
    return pa.table(columns)


SHAPES: Mapping[str, Shape] = {"stillwatch": stillwatch, "litellm": litellm}


def _milliseconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.round(pc.multiply(pc.fill_null(values, 0.0), 1000.0)), pa.int64()).cast(pa.duration("us"))


def _repeated(text: str, n: int) -> pa.Array:
    return pa.array([text]).take(pa.array([0] * n, pa.int8()))


def _escaped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write texts as JSON strings without their quotation marks; ours hold no other control character than these."""
    for plain, spelled in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        texts = pc.replace_substring(texts, plain, spelled)
    return texts


def _joined(*parts: pa.ChunkedArray | str) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*parts, "")


def _optional(start: str, values: pa.ChunkedArray, end: str = "") -> pa.ChunkedArray:
    """Write a piece of JSON where there is a value, and nothing where there is none."""
    return pc.fill_null(_joined(start, pc.cast(values, pa.string()), end), "")


def _request(events: pa.Table) -> pa.ChunkedArray:
    system = _optional('{"role": "system", "content": "', _escaped(events["system_prompt"]), '"}, ')
    return _joined(
        '{"model": "', events["model"], '", "messages": [', system,
        '{"role": "user", "content": "', pc.fill_null(_escaped(events["prompt"]), ""), '"}]',
        _optional(', "max_tokens": ', events["max_output_tokens"]),
        _optional(', "temperature": ', events["temperature"]),
        _optional(', "n": ', events["n_choices"]),
        _optional(', "logprobs": ', events["wants_logprobs"]), "}",
    )  # fmt: skip


def _response(events: pa.Table) -> pa.ChunkedArray:
    ended = _joined('{"choices": [{"finish_reason": "', events["finish_reason"], '"}]}')
    return pc.fill_null(ended, "{}")


def _metadata(events: pa.Table, succeeded: pa.ChunkedArray) -> pa.ChunkedArray:
    failed = _joined('{"error_information": {"error_code": "', pc.cast(events["status_code"], pa.string()), '"}}')
    return pc.if_else(succeeded, "{}", failed)
