"""Values computed on the way from a log's columns to canonical ones, each named and computed once.

A document cast, parsed and searched again by every expression that needs a part of it costs time, and holds the
document in memory as many times; so each part becomes a column of a subquery, and those after it refer to its name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from detector.logs.quoting import quote_name, quote_text

#: Begins a value that stands for each element of a list, in a row each.
ROWS = "unnest("
_STEP_NAME = re.compile(r'"step \d+\.\d+"')


@dataclass(frozen=True)
class Step:
    """A value: the expression that gives it, and how many subqueries lie below. As text, the expression."""

    sql: str
    depth: int = 0

    def __str__(self) -> str:
        """Give the expression."""
        return self.sql


class Steps:
    """Collects the values of one file, in layers: a layer refers to those below it.

    Examples
    --------
    >>> steps = Steps()
    >>> body = steps.let("TRY_CAST(body AS JSON)", Step("body"))
    >>> steps.let(f"json_type({body})", body)
    Step(sql='"step 2.0"', depth=2)
    >>> steps.over("log", ['"step 2.0"'])
    '(SELECT *, json_type("step 1.0") AS "step 2.0" FROM (SELECT *, TRY_CAST(body AS JSON) AS "step 1.0" FROM log))'
    """

    def __init__(self) -> None:
        """Begin with the columns of the file alone."""
        self._layers: list[dict[str, str]] = []
        self._paths: dict[str, list[str]] = {}

    @property
    def has_documents(self) -> bool:
        """Whether parts of documents are wanted, which are held several times while they are taken apart."""
        return bool(self._paths)

    @property
    def has_rows(self) -> bool:
        """Whether one row becomes many, each of which holds for a while the document that it came from."""
        return any(sql.startswith(ROWS) for layer in self._layers for sql in layer)

    def let(self, sql: str, *inputs: Step) -> Step:
        """Name a value; the same expression is the same value.

        Parameters
        ----------
        inputs: the steps that the expression refers to.
        """
        depth = max((step.depth for step in inputs), default=0)
        if depth == len(self._layers):
            self._layers.append({})
        layer = self._layers[depth]
        return Step(layer.setdefault(sql, quote_name(f"step {depth + 1}.{len(layer)}")), depth + 1)

    def part(self, document: Step, path: str) -> Step:
        """Name a part of a document; all parts of one are found in one pass over it.

        Parameters
        ----------
        document: of type JSON.
        path: as the database writes it, such as ``$."messages"``.

        Returns
        -------
        A value of type JSON, null where the document has no such part.
        """
        paths = self._paths.setdefault(document.sql, [])
        if path not in paths:
            paths.append(path)
        parts = self.let(f"<{document}>", document)
        return self.let(f"{parts}[{paths.index(path) + 1}]", parts)

    def over(self, source: str, wanted: Iterable[str]) -> str:
        """Write what follows FROM for a query that refers to some steps.

        Parameters
        ----------
        source: the columns of the file; those that no wanted step needs may be absent.
        wanted: the expressions of the query.
        """
        passes = {
            f"<{document}>": f"json_extract({document}, [{', '.join(map(quote_text, paths))}])"
            for document, paths in self._paths.items()
        }
        layers = [{name: passes.get(sql, sql) for sql, name in layer.items()} for layer in self._layers]
        needed = {name for sql in wanted for name in _STEP_NAME.findall(sql)}
        for layer in reversed(layers):
            needed |= {name for step in needed & layer.keys() for name in _STEP_NAME.findall(layer[step])}
        for layer in layers:
            values = "".join(f", {sql} AS {name}" for name, sql in layer.items() if name in needed)
            source = f"(SELECT *{values} FROM {source})" if values else source
        return source
