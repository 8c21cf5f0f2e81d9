"""What happened, in order: every decision, every change of a key's state, every reaction. Append only."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from detector.tables import INSTANT

#: One row per thing that happened; `seq` is the order. `who` is defender, reviewer, customer or a campaign's name; null
#: is not applicable. `n` counts what a row is about where it is about no single account; `usd` is money spent by `who`.
LEDGER = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("at", INSTANT, nullable=False),
        pa.field("who", pa.string(), nullable=False),
        pa.field("what", pa.string(), nullable=False),
        ("account_id", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("n", pa.int64()),
        ("usd", pa.float64()),
    ]
)


@dataclass
class Ledger:
    """Takes in what happens; rows of one instant keep the order in which they came."""

    names: pa.Array
    """Id of every account, by number."""
    begins_us: int
    """Unix time at which the log begins [us]."""
    n_rows: int = 0
    _parts: list[pa.Table] = field(default_factory=list)

    def add(
        self,
        at_us: int,
        who: str,
        what: str,
        accounts: Any = None,
        *,
        state: Any = None,
        reason: Any = None,
        n: int | None = None,
        usd: float | None = None,
    ) -> None:
        """Note something, once for each account where accounts are given.

        Parameters
        ----------
        at_us: since the log began [us].
        accounts: account numbers, shape (n,); None is a row about no single account.
        state, reason: one for all rows, or shape (n,).
        """
        n_rows = 1 if accounts is None else len(accounts)
        if not n_rows:
            return
        values = {
            "seq": np.arange(self.n_rows, self.n_rows + n_rows),
            "at": np.full(n_rows, self.begins_us + at_us),
            "who": [who] * n_rows,
            "what": [what] * n_rows,
            "account_id": [None] if accounts is None else self.names.take(pa.array(accounts)),
            "state": _spread(state, n_rows),
            "reason": _spread(reason, n_rows),
            "n": [n] * n_rows,
            "usd": [usd] * n_rows,
        }
        arrays = [pa.array(values[f.name]).cast(f.type) for f in LEDGER]
        self._parts.append(pa.Table.from_arrays(arrays, schema=LEDGER))
        self.n_rows += n_rows

    def table(self) -> pa.Table:
        """Give all rows, columns of `LEDGER`."""
        return pa.concat_tables([LEDGER.empty_table(), *self._parts]).combine_chunks()


def _spread(value: Any, n: int) -> list[Any]:
    return [value] * n if value is None or isinstance(value, str) else list(value)
