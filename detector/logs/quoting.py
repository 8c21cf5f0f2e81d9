"""Names and texts as SQL: the only place where text of a user or a preset enters a query."""

from collections.abc import Sequence


def quote_name(name: str) -> str:
    """Write a column name as an SQL identifier.

    Examples
    --------
    >>> quote_name('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a text as an SQL literal.

    Examples
    --------
    >>> quote_text("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def json_path(steps: Sequence[str | int]) -> str:
    """Write keys and positions as a JSON path.

    Keys are always quoted, so a wildcard or a filter in a name stays a name.

    Examples
    --------
    >>> json_path(["choices", 0, "a*"])
    '$."choices"[0]."a*"'
    """
    parts = (f"[{step}]" if isinstance(step, int) else '."' + _escaped(step) + '"' for step in steps)
    return "$" + "".join(parts)


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')
