"""Who an account is: the key, its user, team, organisation or payment, in the order asked for. Expressions, no values.

A name that stands in for an empty one says of what kind it is (``user:ann``), so that a team and a user of one name are
two accounts, and nobody becomes another by calling himself so.
"""

from collections.abc import Mapping, Sequence

from detector.logs.quoting import quote_text

#: Canonical column that holds a rung where a preset names no other place; a team has none.
COLUMN_OF = {"key": "api_key_id", "user": "account_id", "organisation": "org_id", "payment": "payment_id"}


def account_sql(found: Mapping[str, str]) -> str:
    """Write the name of an account.

    Parameters
    ----------
    found: rung to expression of its name, of type VARCHAR and null where it is empty; best first, at least one.

    Examples
    --------
    >>> account_sql({"team": "t"})
    't'
    """
    (first, name), *others = found.items()
    if not others:
        return name
    marks = [quote_text(f"{rung}:") for rung in found]
    is_marked = " OR ".join(f"starts_with({name}, {mark})" for mark in marks)
    parts = [f"CASE WHEN {is_marked} THEN {quote_text(f'{first}:')} || {name} ELSE {name} END"]
    parts += [f"{mark} || {other}" for mark, (_, other) in zip(marks[1:], others, strict=True)]
    return f"coalesce({', '.join(parts)})"


def rung_sql(found: Mapping[str, str], asked: tuple[str, ...]) -> str:
    """Write the place, in what was asked for, of the rung that names the account; one more than the last for none."""
    cases = " ".join(f"WHEN {name} IS NOT NULL THEN {asked.index(rung)}" for rung, name in found.items())
    return f"CAST(CASE {cases} ELSE {len(asked)} END AS TINYINT)"


def account_name(rung: str, name: str, asked: Sequence[str]) -> str:
    """Give the account that a name of a rung is, where a log has all rungs that were asked for; see `account_sql`.

    Examples
    --------
    >>> account_name("team", "t", ["team", "user"]), account_name("user", "ann", ["team", "user"])
    ('t', 'user:ann')
    """
    first, *others = asked
    if rung != first:
        return f"{rung}:{name}"
    is_marked = bool(others) and name.startswith(tuple(f"{one}:" for one in asked))
    return f"{first}:{name}" if is_marked else name
