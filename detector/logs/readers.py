"""The closed set of readers a preset may name: each turns JSON values into one text, as an SQL expression.

A preset is shared between people, so it can pick from these and never write SQL of its own.
"""

from collections.abc import Callable, Mapping, Sequence

from detector.logs.fields import Clock, Raw, instant_sql
from detector.logs.steps import Step, Steps

_USER_AGENT_TAG = "User-Agent: "

Reader = Callable[[Sequence[Step], Steps, Clock], Step]


def _content(json: Step, steps: Steps) -> Step:
    """Chat content: a text, or a list of parts of which those with a text count."""
    kind = _kind(json, steps)
    parts = f"list_filter(json_extract_string({json}, '$[*].text'), lambda part: part IS NOT NULL)"
    text = (
        f"CASE {kind} WHEN 'VARCHAR' THEN json_extract_string({json}, '$')"
        f" WHEN 'ARRAY' THEN nullif(array_to_string({parts}, chr(10)), '') END"
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
    return _content(steps.let(f"json_extract({messages}[nullif({position}, 0)], '$.content')", messages, roles), steps)


def _last_user_message(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    """A bare text is the message itself, as in the completions and embeddings interfaces."""
    json = values[0]
    messages, roles = _messages(json, steps)
    last = f"len({roles}) + 1 - nullif(list_position(list_reverse({roles}), 'user'), 0)"
    message, kind = _message(messages, roles, last, steps), _kind(json, steps)
    several = f"array_to_string(json_extract_string({json}, '$[*]'), chr(10))"
    text = (
        f"CASE {kind} WHEN 'VARCHAR' THEN json_extract_string({json}, '$') WHEN 'ARRAY' THEN"
        f" coalesce({message}, CASE json_type({json}, '$[0]') WHEN 'VARCHAR' THEN {several} END) END"
    )
    return steps.let(text, kind, message)


def _system_message(values: Sequence[Step], steps: Steps, clock: Clock) -> Step:
    messages, roles = _messages(values[0], steps)
    first = ", ".join(f"nullif(list_position({roles}, '{role}'), 0)" for role in ("system", "developer"))
    return _message(messages, roles, f"least({first})", steps)


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


#: Readers that take JSON values.
JSON_READERS: Mapping[str, Reader] = {
    "text": _text,
    "last_user_message": _last_user_message,
    "system_message": _system_message,
    "user_agent_tag": _user_agent_tag,
}

#: Readers that take plain values.
PLAIN_READERS: Mapping[str, Reader] = {
    "elapsed_ms": _elapsed_ms,
    "sum": _sum,
    "seconds_as_ms": _seconds_as_ms,
    "success_status": _success_status,
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
