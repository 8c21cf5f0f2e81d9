"""Writing settings as TOML: scalars, then tables and lists of tables; nothing else occurs in ours."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any


def toml_text(values: Mapping[str, Any]) -> str:
    """Write nested settings; None is left out.

    Examples
    --------
    >>> print(toml_text({"seed": 3, "cohorts": [{"name": "people"}]}), end="")
    seed = 3
    <BLANKLINE>
    [[cohorts]]
    name = "people"
    """
    return _table(values, "")


def _table(values: Mapping[str, Any], path: str) -> str:
    known = {key: value for key, value in values.items() if value is not None}
    lines = [f"{key} = {_scalar(value)}\n" for key, value in known.items() if not _is_nested(value)]
    for key, value in known.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            lines.append(f"\n[{place}]\n{_table(value, place)}")
        elif _is_nested(value):
            lines.extend(f"\n[[{place}]]\n{_table(row, place)}" for row in value)
    return "".join(lines)


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    if isinstance(value, PurePath):
        return json.dumps(str(value), ensure_ascii=False)
    return repr(value)
