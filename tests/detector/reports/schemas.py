"""The few words of JSON Schema that ours use, checked without a library: none is worth a dependency."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

_TYPES = {
    "string": str, "number": (int, float), "integer": int, "null": type(None), "array": list, "object": dict,
    "boolean": bool,
}  # fmt: skip
_KNOWN = frozenset(
    (
        *("$defs", "$ref", "$schema", "additionalProperties", "anyRequired", "const", "description", "enum", "format"),
        *("items", "maximum", "minimum", "minItems", "properties", "required", "title", "type", "uniqueItems"),
    )
)


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "it") -> Iterator[str]:
    """Say what of a value its schema forbids; `anyRequired` asks for one key of several."""
    assert set(schema) <= _KNOWN, f"{where}: the schema says what is not checked: {set(schema) - _KNOWN}"
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    yield from _of_type(value, schema, where)
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        yield f"{where}: {value!r} is not allowed"
    if isinstance(value, dict):
        yield from _of_object(value, schema, root, where)
    if isinstance(value, list):
        yield from _of_list(value, schema, root, where)
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value!r} is out of range"
    if schema.get("format") == "date-time" and isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield f"{where}: {value!r} is no instant"


def _of_type(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_bool = isinstance(value, bool)
    if kinds and not any(isinstance(value, _TYPES[kind]) and is_bool == (kind == "boolean") for kind in kinds):
        yield f"{where}: {value!r} is not {kinds}"


def _of_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], where: str) -> Iterator[str]:
    known = schema.get("properties", {})
    if missing := set(schema.get("required", ())) - set(value):
        yield f"{where}: lacks {missing}"
    if schema.get("additionalProperties") is False and set(value) - set(known):
        yield f"{where}: has the foreign {set(value) - set(known)}"
    if "anyRequired" in schema and not set(schema["anyRequired"]) & set(value):
        yield f"{where}: has none of {schema['anyRequired']}"
    for name in sorted(set(known) & set(value)):
        yield from complaints(value[name], known[name], root, f"{where}.{name}")


def _of_list(value: list[Any], schema: dict[str, Any], root: dict[str, Any], where: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{where}: holds only {len(value)}"
    if schema.get("uniqueItems") and any(one in value[:place] for place, one in enumerate(value)):
        yield f"{where}: repeats itself"
    for place, item in enumerate(value if "items" in schema else ()):
        yield from complaints(item, schema["items"], root, f"{where}[{place}]")
