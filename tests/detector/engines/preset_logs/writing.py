"""What hand-made logs share: an instant, a conversation, a reply, and how lines and spans are written."""

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
