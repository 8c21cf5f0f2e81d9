"""The closed set of readers a preset may name: each turns JSON values into one text, as an SQL expression.

A preset is shared between people, so it can pick from these and never write SQL of its own.
"""

from collections.abc import Callable, Mapping, Sequence

from detector.logs.fields import Clock, Raw, instant_sql

_USER_AGENT_TAG = "User-Agent: "

Reader = Callable[[Sequence[str], Clock], str]


def _content(json: str) -> str:
    """Chat content: a text, or a list of parts of which those with a text count."""
    parts = f"list_filter(json_extract_string({json}, '$[*].text'), lambda part: part IS NOT NULL)"
    return (
        f"CASE json_type({json}) WHEN 'VARCHAR' THEN json_extract_string({json}, '$')"
        f" WHEN 'ARRAY' THEN nullif(array_to_string({parts}, chr(10)), '') END"
    )


def _text(values: Sequence[str], clock: Clock) -> str:
    return _content(values[0])


def _message(json: str, roles: str, position: int) -> str:
    messages = f"json_extract({json}, '$[*]')"
    chosen = f"list_filter({messages}, lambda m: json_extract_string(m, '$.role') IN ({roles}))[{position}]"
    return _content(f"json_extract({chosen}, '$.content')")


def _last_user_message(values: Sequence[str], clock: Clock) -> str:
    """A bare text is the message itself, as in the completions and embeddings interfaces."""
    json = values[0]
    return (
        f"CASE json_type({json}) WHEN 'VARCHAR' THEN json_extract_string({json}, '$')"
        f" WHEN 'ARRAY' THEN coalesce({_message(json, repr('user'), -1)},"
        f" CASE json_type({json}, '$[0]') WHEN 'VARCHAR' THEN array_to_string(json_extract_string({json}, '$[*]'),"
        f" chr(10)) END) END"
    )


def _system_message(values: Sequence[str], clock: Clock) -> str:
    json = values[0]
    roles = "'system', 'developer'"
    return f"CASE json_type({json}) WHEN 'ARRAY' THEN {_message(json, roles, 1)} END"


def _user_agent_tag(values: Sequence[str], clock: Clock) -> str:
    """Of several tags the greatest is taken: the one with the version, where the same name comes without."""
    tags = f"json_extract_string({values[0]}, '$[*]')"
    chosen = f"list_max(list_filter({tags}, lambda tag: starts_with(tag, '{_USER_AGENT_TAG}')))"
    return f"CASE json_type({values[0]}) WHEN 'ARRAY' THEN substr({chosen}, {len(_USER_AGENT_TAG) + 1}) END"


def _elapsed_ms(values: Sequence[str], clock: Clock) -> str:
    begins, ends = (instant_sql(Raw(value), clock) for value in values)
    return f"CAST((epoch_us({ends}) - epoch_us({begins})) / 1000.0 AS VARCHAR)"


def _sum(values: Sequence[str], clock: Clock) -> str:
    """Null only where every part is null."""
    some = f"coalesce({', '.join(values)}) IS NOT NULL"
    total = " + ".join(f"coalesce(TRY_CAST({value} AS DECIMAL(29, 9)), 0)" for value in values)
    return f"CASE WHEN {some} THEN CAST(TRY_CAST({total} AS DOUBLE) AS VARCHAR) END"


def _seconds_as_ms(values: Sequence[str], clock: Clock) -> str:
    return f"CAST(TRY_CAST({values[0]} AS DOUBLE) * 1000 AS VARCHAR)"


def _success_status(values: Sequence[str], clock: Clock) -> str:
    return f"CASE lower({values[0]}) WHEN 'success' THEN '200' END"


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


def reader_sql(reader: str, values: Sequence[str], clock: Clock) -> str:
    """Write the expression that a reader gives for its values.

    Parameters
    ----------
    reader: one of `READER_NAMES`.
    values: SQL expressions, JSON for those of `JSON_READERS` and text for the others.
    clock: how instants are understood.

    Returns
    -------
    An SQL expression of type VARCHAR, null where the values hold no such thing.
    """
    return (JSON_READERS.get(reader) or PLAIN_READERS[reader])(values, clock)
