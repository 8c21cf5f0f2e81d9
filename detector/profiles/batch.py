"""A batch of events as kernels want it: account numbers, and columns as plain buffers without copies of strings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

#: Stands for null in integer columns.
NULL_INT = np.iinfo(np.int64).min
#: Chosen: with more accounts than this for each row of a batch, counting them costs more than comparing rows.
_MOST_PER_ROW = 16


@njit(cache=True, nogil=True)
def _by_account(account: Any, rows: Any, n_accounts: Any) -> Any:
    """Put rows in order of their account and leave those of one as they are: a counting sort."""
    place = np.zeros(n_accounts + 1, np.int64)
    for a in account:
        place[a + 1] += 1
    for a in range(n_accounts):
        place[a + 1] += place[a]
    out = np.empty_like(rows)
    for i in rows:
        out[place[account[i]]] = i
        place[account[i]] += 1
    return out


class Strings(NamedTuple):
    """A string column: bytes of row i are `data[offsets[i]:offsets[i + 1]]`; `valid[i]` is 0 for null."""

    offsets: npt.NDArray[np.int64]
    data: npt.NDArray[np.uint8]
    valid: npt.NDArray[np.uint8]


def to_strings(column: pa.Array) -> Strings:
    """View an Arrow string array as buffers; only the offsets are copied.

    Raises
    ------
    TypeError
        The array is neither string nor large_string.
    """
    if pa.types.is_large_string(column.type):
        width: type[np.signedinteger] = np.int64
    elif pa.types.is_string(column.type):
        width = np.int32
    else:
        raise TypeError(f"column of {column.type}: string or large_string is needed")
    _, offsets, data = column.buffers()
    n = len(column)
    starts = np.zeros(1, np.int64)
    if n:
        starts = np.frombuffer(offsets, dtype=width)[column.offset : column.offset + n + 1].astype(np.int64)
    content = np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    if column.null_count == 0:
        valid = np.ones(n, np.uint8)
    else:
        valid = column.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8)
    return Strings(starts, content, valid)


def is_coded(column: pa.Array) -> bool:
    """Tell whether a column comes as its distinct values and their number in each row."""
    return isinstance(column, pa.DictionaryArray)


def codes_of(column: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """Give the number of each row's value in a coded column's dictionary, 0 where null; shape (n,)."""
    codes = column.indices
    codes = codes.fill_null(0) if codes.null_count else codes
    numbers: npt.NDArray[np.int32] = codes.to_numpy(zero_copy_only=False)
    return numbers


@dataclass(frozen=True)
class Batch:
    """Events with accounts already numbered.

    Attributes
    ----------
    events: canonical columns of `tables.EVENTS`, at least the required two.
    account: account number of each row, shape (n,).
    """

    events: pa.RecordBatch
    account: npt.NDArray[np.int64]

    def has(self, column: str) -> bool:
        """Tell whether the log has this column."""
        return column in self.events.schema.names

    def strings(self, column: str) -> Strings:
        """Give a string column; all null when the log has none."""
        if self.has(column):
            values = self.events.column(column)
            return to_strings(values.dictionary_decode() if is_coded(values) else values)
        n = self.events.num_rows
        return Strings(np.zeros(n + 1, np.int64), np.zeros(1, np.uint8), np.zeros(n, np.uint8))

    def valid(self, column: str) -> npt.NDArray[np.uint8]:
        """Tell which rows hold a value; 0 or 1, shape (n,)."""
        values = self.events.column(column)
        if values.null_count == 0:
            return np.ones(len(values), np.uint8)
        is_valid: npt.NDArray[np.uint8] = values.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8)
        return is_valid

    def each(self, column: str, work: Callable[[pa.Array], npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
        """Work on the values of a column, on distinct ones alone where it is coded; shape (n,), anything where null."""
        values = self.events.column(column)
        if not is_coded(values):
            return work(values)
        found = work(values.dictionary)
        return found[codes_of(values)] if len(found) else np.zeros(len(values), np.uint64)

    def integers(self, column: str) -> npt.NDArray[np.int64]:
        """Give an integer column, `NULL_INT` where null or absent; shape (n,)."""
        if not self.has(column):
            return np.full(self.events.num_rows, NULL_INT, np.int64)
        filled = pc.fill_null(self.events.column(column).cast(pa.int64()), int(NULL_INT))
        return filled.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)

    def floats(self, column: str) -> npt.NDArray[np.float64]:
        """Give a float column, NaN where null or absent; shape (n,)."""
        if not self.has(column):
            return np.full(self.events.num_rows, np.nan)
        values = self.events.column(column).cast(pa.float64())
        return values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)

    @cached_property
    def times(self) -> npt.NDArray[np.int64]:
        """Microseconds since 1970, UTC; shape (n,)."""
        return self.integers("occurred_at")

    @cached_property
    def is_bucketed(self) -> npt.NDArray[np.uint8]:
        """Tell which rows stand for a count of requests within a bucket of time; 0 or 1, shape (n,)."""
        return (self.integers("n_requests") != NULL_INT).astype(np.uint8)

    @cached_property
    def weights(self) -> npt.NDArray[np.int64]:
        """Give the requests that each row stands for; 1 where the log says nothing."""
        weights = self.integers("n_requests")
        return np.where(weights == NULL_INT, 1, weights)

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """Give the rows by account and, within one, by time; shape (n,). Neighbours share the state they touch."""
        n_accounts = int(self.account.max(initial=-1)) + 1
        is_in_order = bool(np.all(self.times[1:] >= self.times[:-1]))
        if n_accounts > _MOST_PER_ROW * len(self.account):
            return np.argsort(self.account, kind="stable") if is_in_order else np.lexsort((self.times, self.account))
        rows = np.arange(len(self.account)) if is_in_order else np.argsort(self.times, kind="stable")
        ordered: npt.NDArray[np.int64] = _by_account(self.account, rows, n_accounts)
        return ordered

    def parts(self, n: int) -> list[npt.NDArray[np.int64]]:
        """Cut `order` into n runs of about equal work, none of which splits an account."""
        work = np.arange(1, len(self.order) + 1, dtype=np.float64)
        if self.has("prompt"):
            prompts = self.strings("prompt")
            work = work * 256 + np.cumsum(np.diff(prompts.offsets)[self.order])
        by_account = self.account[self.order]
        cuts = [0]
        for share in range(1, n):
            place = int(np.searchsorted(work, work[-1] * share / n))
            cuts.append(int(np.searchsorted(by_account, by_account[place])))
        return [self.order[a:b] for a, b in zip(cuts, [*cuts[1:], len(self.order)], strict=True)]
