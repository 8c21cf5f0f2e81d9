"""Instants that wait for earlier ones. Gaps need the requests of an account in order; logs come a little out of order.

So instants wait until nothing earlier is to be expected, and are then folded in order. A look folds those that wait
onto a copy: what it sees of rhythm is what a run over the whole log would see.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.profiles.batch import NULL_INT, Batch
from detector.profiles.store import SLICES

RHYTHM = "rhythm"
Numbers = npt.NDArray[np.int64]
_SCHEMA = pa.schema([("account", pa.int64()), ("at", pa.int64()), ("n_requests", pa.int64())])


@dataclass
class Held:
    """Instants that wait: number of the account, Unix time [us], and the requests that the row stands for."""

    parts: list[tuple[Numbers, Numbers, Numbers]] = field(default_factory=list)

    def __len__(self) -> int:
        """Count the rows that wait."""
        return sum(len(part[0]) for part in self.parts)

    def add(self, account: Numbers, events: pa.RecordBatch) -> None:
        """Have the rows of a batch wait."""
        batch = Batch(events, account)
        self.parts.append((account, batch.times, batch.integers("n_requests")))

    def fold_onto(self, rhythm: Any, number_of: Numbers) -> None:
        """Fold all that waits, in order, and let it wait on.

        Parameters
        ----------
        rhythm: state of the slice.
        number_of: place in that state of each account, shape (n_accounts,).
        """
        account, at, n_requests = self._whole()
        _fold(rhythm, number_of[account], at, n_requests)

    def release(self, rhythm: Any, before_us: int, most: int) -> Numbers:
        """Fold what is of before an instant; of the rest, the oldest where more than `most` rows would wait.

        Returns
        -------
        Accounts that something was folded into.
        """
        account, at, n_requests = self._whole()
        if len(at) > most:
            before_us = max(before_us, int(np.partition(at, len(at) - most)[len(at) - most]))
        goes = at < before_us
        _fold(rhythm, account[goes], at[goes], n_requests[goes])
        self.parts = [(account[~goes], at[~goes], n_requests[~goes])]
        return np.unique(account[goes])

    def renumber(self, number_of: Numbers) -> None:
        """Number accounts anew; rows of those that became -1 are dropped."""
        account, at, n_requests = self._whole()
        known = number_of[account] >= 0
        self.parts = [(number_of[account][known], at[known], n_requests[known])]

    def table(self) -> pa.Table:
        """Give what waits as a table."""
        return pa.table(list(self._whole()), schema=_SCHEMA)

    @staticmethod
    def of(table: pa.Table) -> "Held":
        """Read what `table` gave.

        Raises
        ------
        ValueError
            It has other columns.
        """
        if table.schema != _SCHEMA:
            raise ValueError("other columns")
        account, at, n_requests = (column.to_numpy() for column in table.columns)
        return Held([(account, at, n_requests)])

    def _whole(self) -> tuple[Numbers, Numbers, Numbers]:
        if len(self.parts) != 1:
            columns = zip(*self.parts, strict=True) if self.parts else ([], [], [])
            account, at, n_requests = (np.concatenate([np.empty(0, np.int64), *column]) for column in columns)
            self.parts = [(account, at, n_requests)]
        return self.parts[0]


def _fold(rhythm: Any, account: Numbers, at: Numbers, n_requests: Numbers) -> None:
    instants = pa.array(at).cast(pa.timestamp("us", tz="UTC"))
    weights = pa.array(n_requests, mask=n_requests == NULL_INT)
    batch = Batch(pa.record_batch([instants, weights], names=["occurred_at", "n_requests"]), account)
    piece = SLICES[RHYTHM]
    piece.kernel(rhythm, batch.account, batch.order, *piece.prepare(batch))
