"""The closed set of readers a preset may name: each turns JSON values into one text, as an SQL expression.

A preset is shared between people, so it can pick from these and never write SQL of its own.
"""

from collections.abc import Callable, Mapping, Sequence

from detector.logs.fields import Clock, Raw, instant_sql
from detector.logs.quoting import quote_text
from detector.logs.steps import Step, Steps

_USER_AGENT_TAG = "User-Agent: "
#: Where a message holds what was said: OpenAI, Anthropic and Bedrock; Gemini and OpenTelemetry.
_MESSAGE = ("$.content", "$.parts")
#: Where a response does: besides a message itself, the chat and completions interfaces of OpenAI, Bedrock's Converse.
_RESPONSE = (*_MESSAGE, "$.choices[0].message.content", "$.choices[0].text", "$.output.message.content")
#: Where an event of a stream does: Anthropic, Bedrock's Converse, OpenAI, Llama and Titan on Bedrock.
_DELTAS = (
    "$.delta.text",
    "$.contentBlockDelta.delta.text",
    "$.choices[0].delta.content",
    "$.generation",
    "$.outputText",
)
_IS_MODEL = "lambda role: coalesce(role IN ('assistant', 'model'), false)"

Reader = Callable[[Sequence[Step], Steps, Clock], Step]


def _content(json: Step, steps: Steps) -> Step:
    """Chat content: a text, or a list of parts of which those with a text count. A number is the text it was."""
    kind = _kind(json, steps)
    typed = "CASE json_extract_string(part, '$.type') WHEN 'text' THEN json_extract_string(part, '$.content') END"
    texts = f"lambda part: coalesce(json_extract_string(part, '$.text'), {typed})"
    parts = f"list_filter(list_transform(json_extract({json}, '$[*]'), {texts}), lambda part: part IS NOT NULL)"
    text = (
        f"CASE {kind} WHEN 'VARCHAR' THEN json_extract_string({json}, '$')"
        f" WHEN 'ARRAY' THEN nullif(array_to_string({parts}, chr(10)), '')"
        f" WHEN 'OBJECT' THEN NULL WHEN 'NULL' THEN NULL ELSE CAST({json} AS VARCHAR) END"
    )
    return steps.let(text, json, kind)


def _text(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    return _content(values[0], steps)


def _kind(json: Step, steps: Steps) -> Step:
    return steps.let(f"json_type({json})", json)


def _messages(json: Step, steps: Steps) -> tuple[Step, Step]:
    """Messages of a list, null for anything else, and the role of each."""
    kind = _kind(json, steps)
    messages = steps.let(f"CASE {kind} WHEN 'ARRAY' THEN json_extract({json}, '$[*]') END", json, kind)
    return messages, steps.let(f"list_transform({messages}, lambda m: json_extract_string(m, '$.role'))", messages)


def _message(messages: Step, roles: Step, position: str, steps: Steps) -> Step:
    """The content of the message at a position, counted from 1; 0 and null are none."""
    return _content(_said(steps.let(f"{messages}[nullif({position}, 0)]", messages, roles), _MESSAGE, steps), steps)


def _object(json: Step, steps: Steps) -> Step:
    """A document if it is an object; nothing is searched for in others, which may be long."""
    kind = _kind(json, steps)
    return steps.let(f"CASE {kind} WHEN 'OBJECT' THEN {json} END", json, kind)


def _said(document: Step, paths: Sequence[str], steps: Steps) -> Step:
    """The first of some parts that a document has."""
    parts = ", ".join(f"json_extract({document}, {quote_text(path)})" for path in paths)
    return steps.let(f"coalesce({parts})", document)


def _last_user_message(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """A bare text is the message itself, as in the completions and embeddings interfaces; so is a single message."""
    json = values[0]
    messages, roles = _messages(json, steps)
    last = f"len({roles}) + 1 - nullif(list_position(list_reverse({roles}), 'user'), 0)"
    message, kind = _message(messages, roles, last, steps), _kind(json, steps)
    single = _content(_said(_object(json, steps), _MESSAGE, steps), steps)
    several = f"array_to_string(json_extract_string({json}, '$[*]'), chr(10))"
    text = (
        f"CASE {kind} WHEN 'VARCHAR' THEN json_extract_string({json}, '$') WHEN 'ARRAY' THEN"
        f" coalesce({message}, CASE json_type({json}, '$[0]') WHEN 'VARCHAR' THEN {several} END)"
        f" WHEN 'OBJECT' THEN {single} END"
    )
    return steps.let(text, kind, message, single)


def _system_message(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    messages, roles = _messages(values[0], steps)
    first = ", ".join(f"nullif(list_position({roles}, '{role}'), 0)" for role in ("system", "developer"))
    return _message(messages, roles, f"least({first})", steps)


def _reply(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """What the model said: a text, a message, the last one of a chat, the first choice of a response."""
    json = values[0]
    kind = _kind(json, steps)
    messages, roles = _messages(json, steps)
    last = f"len({roles}) + 1 - nullif(list_position(list_transform(list_reverse({roles}), {_IS_MODEL}), true), 0)"
    spoken = _message(messages, roles, last, steps)
    single, plain = _content(_said(_object(json, steps), _RESPONSE, steps), steps), _content(json, steps)
    text = f"CASE {kind} WHEN 'OBJECT' THEN {single} ELSE coalesce({spoken}, {plain}) END"
    return steps.let(text, kind, spoken, single, plain)


def _joined_deltas(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """The pieces of a streamed answer, put together."""
    json = values[0]
    pieces = ", ".join(f"json_extract_string(event, {quote_text(path)})" for path in _DELTAS)
    found = f"list_transform(json_extract({json}, '$[*]'), lambda event: coalesce({pieces}))"
    text = f"array_to_string(list_filter({found}, lambda piece: piece IS NOT NULL), '')"
    return steps.let(f"CASE json_type({json}) WHEN 'ARRAY' THEN nullif({text}, '') END", json)


def _user_agent_tag(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """Of several tags the greatest is taken: the one with the version, where the same name comes without."""
    json = values[0]
    tags = f"json_extract_string({json}, '$[*]')"
    chosen = f"list_max(list_filter({tags}, lambda tag: starts_with(tag, '{_USER_AGENT_TAG}')))"
    return steps.let(f"CASE json_type({json}) WHEN 'ARRAY' THEN substr({chosen}, {len(_USER_AGENT_TAG) + 1}) END", json)


def _elapsed_ms(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    begins, ends = (steps.let(instant_sql(Raw(value.sql), clock), value) for value in values)
    return steps.let(f"CAST((epoch_us({ends}) - epoch_us({begins})) / 1000.0 AS VARCHAR)", begins, ends)


def _sum(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """Null only where every part is null."""
    some = f"coalesce({', '.join(map(str, values))}) IS NOT NULL"
    total = " + ".join(f"coalesce(TRY_CAST({value} AS DECIMAL(29, 9)), 0)" for value in values)
    return steps.let(f"CASE WHEN {some} THEN CAST(TRY_CAST({total} AS DOUBLE) AS VARCHAR) END", *values)


def _seconds_as_ms(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    return steps.let(f"CAST(TRY_CAST({values[0]} AS DOUBLE) * 1000 AS VARCHAR)", *values)


def _success_status(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    return steps.let(f"CASE lower({values[0]}) WHEN 'success' THEN '200' END", *values)


def _address(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """The first address of a list, without its port."""
    first = steps.let(f"trim(split_part({values[0]}, ',', 1))", *values)
    text = (
        f"CASE WHEN starts_with({first}, '[') THEN split_part(substr({first}, 2), ']', 1)"
        f" WHEN regexp_matches({first}, '^[0-9.]+:[0-9]+$') THEN split_part({first}, ':', 1) ELSE {first} END"
    )
    return steps.let(text, first)


def _log_time(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """The instant as web servers write it, ``02/Nov/2026:03:11:09 +0000``."""
    instant = f"timezone('UTC', try_strptime({values[0]}, '%d/%b/%Y:%H:%M:%S %z'))"
    return steps.let(f"strftime({instant}, '%Y-%m-%dT%H:%M:%S.%fZ')", *values)


#: Readers that take JSON values.
JSON_READERS: Mapping[str, Reader] = {
    "text": _text,
    "last_user_message": _last_user_message,
    "system_message": _system_message,
    "reply": _reply,
    "joined_deltas": _joined_deltas,
    "user_agent_tag": _user_agent_tag,
}

#: Readers that take plain values.
PLAIN_READERS: Mapping[str, Reader] = {
    "elapsed_ms": _elapsed_ms,
    "sum": _sum,
    "seconds_as_ms": _seconds_as_ms,
    "success_status": _success_status,
    "address": _address,
    "log_time": _log_time,
}

#: How many paths a reader takes; those not named here take one. None is any number.
N_PATHS: Mapping[str, int | None] = {"elapsed_ms": 2, "sum": None}

READER_NAMES = tuple(sorted([*JSON_READERS, *PLAIN_READERS]))


def read_step(reader: str, values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """Take the steps of a reader.

    Parameters
    ----------
    reader: one of `READER_NAMES`.
    values: JSON for those of `JSON_READERS` and text for the others.
    steps: takes what the reader computes.
    clock: how instants are understood.

    Returns
    -------
    A value of type VARCHAR, null where the values hold no such thing.
    """
    return (JSON_READERS.get(reader) or PLAIN_READERS[reader])(values, steps, clock)
