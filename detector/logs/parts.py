"""Named values inside a log: rows of a list, attributes as a document, numbered messages as a chat; as SQL steps."""

from collections.abc import Sequence

from detector.logs.presets import NUMBER, Part
from detector.logs.quoting import quote_text
from detector.logs.steps import ROWS, Step, Steps

#: How OpenTelemetry types the value of an attribute that is one value; a list of texts comes as JSON.
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue")


def part_step(part: Part, values: Sequence[Step], steps: Steps) -> Step:
    """Take the steps of a part.

    Parameters
    ----------
    values: JSON of each of its paths that the file may have, at least one.

    Returns
    -------
    A value of type JSON. For ``rows`` it stands in as many rows as the list has elements; where there is no list, in
    one row that holds null, so that nothing vanishes uncounted.
    """
    found = [f"CASE WHEN json_type({value}) <> 'NULL' THEN {value} END" for value in values]
    first = steps.let(f"coalesce({', '.join(found)})", *values)
    if part.kind == "rows":
        rows = steps.let(
            f"CASE json_type({first}) WHEN 'ARRAY' THEN json_extract({first}, '$[*]') ELSE [NULL] END", first
        )
        return steps.let(f"{ROWS}{rows})", rows)
    if part.kind == "pairs":
        return _pairs(first, steps)
    if part.kind == "messages":
        return _numbered(first, part.keys, steps)
    text = f"json_extract_string({first}, '$')"
    inner = f"CASE json_type({first}) WHEN 'VARCHAR' THEN TRY_CAST({text} AS JSON) END"
    return steps.let(f"coalesce({inner}, {first})", first)


def _pairs(pairs: Step, steps: Steps) -> Step:
    """An object of the keys. A key that comes twice is an error of the record, since nobody knows which one counts."""
    typed = ", ".join(f"json_extract(pair, '$.value.{kind}')" for kind in _VALUES)
    entry = f"struct_pack(k := coalesce(json_extract_string(pair, '$.key'), ''), v := coalesce({typed}))"
    entries = f"list_transform(json_extract({pairs}, '$[*]'), lambda pair: {entry})"
    return steps.let(f"CASE json_type({pairs}) WHEN 'ARRAY' THEN to_json(map_from_entries({entries})) END", pairs)


def _numbered(document: Step, keys: Sequence[str], steps: Steps) -> Step:
    """A list of messages, null where there is none."""
    before, after = map(quote_text, keys[0].split(NUMBER))
    names = f"list_filter(json_keys({document}), lambda key: starts_with(key, {before}) AND suffix(key, {after}))"
    n_messages = steps.let(f"CASE json_type({document}) WHEN 'OBJECT' THEN nullif(len({names}), 0) END", document)
    role, content = (f"json_extract({document}, {_numbered_path(key)})" for key in keys)
    message = f"struct_pack(role := {role}, content := {content})"
    return steps.let(f"to_json(list_transform(range({n_messages}), lambda i: {message}))", document, n_messages)


def _numbered_path(key: str) -> str:
    before, after = key.split(NUMBER)
    return f"{quote_text('$.' + chr(34) + before)} || i || {quote_text(after + chr(34))}"
