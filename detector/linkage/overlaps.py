"""How many columns two rows share, pair by pair, in memory that grows with the rows; knows nothing of what they are."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse
from threadpoolctl import threadpool_limits

#: Rows whose pairs are held at once, by each thread (chosen: enough to make a call's cost small).
_BLOCK = 8192
Numbers = npt.NDArray[np.int64]
Found = TypeVar("Found")
Keep = Callable[[Any, Any, Any, Any], npt.NDArray[np.bool_]]


class FindPairs(Protocol):
    """Finds pairs as `overlaps` does, here or where rows live."""

    def __call__(
        self, columns: Any, rank: Numbers, least: int, keep: Keep | None = None, *, threads: int = 1
    ) -> tuple[Numbers, Numbers]:
        """See `overlaps`."""


def in_blocks(work: Callable[[int, int], Found], n: int, block: int, threads: int) -> Iterator[Found]:
    """Yield what work gives for each range of `block` of n rows, in their order; some threads work ahead."""
    begins = range(0, n, block)
    ends = [min(begin + block, n) for begin in begins]
    if len(begins) < 2:
        yield from map(work, begins, ends)
        return
    # Threads of BLAS beside ours would wait for each other, and spin while they do.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads, thread_name_prefix="link") as pool:
        yield from pool.map(work, begins, ends)


def overlaps(
    columns: sparse.csc_array,
    rank: npt.NDArray[np.int64],
    least: int,
    keep: Keep | None = None,
    *,
    threads: int = 1,
) -> tuple[Numbers, Numbers]:
    """Find the pairs of rows that share at least some columns, among those of a rank or below, rank by rank.

    Parameters
    ----------
    columns: what rows have, without repeats, rows in order within a column; shape (n_rows, n_columns).
    rank: of each column, from 0, shape (n_columns,).
    least: columns that a pair must share.
    keep: told the first rows, the second rows, how many columns up to a rank they share and that rank, marks the pairs
        that are kept; none keeps all.

    Returns
    -------
    Rows of the pairs as two arrays, the lower row first; a pair may come once for each rank.
    """
    n = columns.shape[0]
    rows = columns.tocsr()
    n_ranks = int(rank.max(initial=0)) + 1

    def work(begin: int, end: int) -> npt.NDArray[np.int64]:
        first, second, n_shared, at = _shared(
            rows.indptr, rows.indices, columns.indptr, columns.indices, rank, n_ranks, least, begin, end
        )
        kept = slice(None) if keep is None else keep(first, second, n_shared, at)
        return np.stack([first[kept], second[kept]])

    pairs = [np.empty((2, 0), np.int64), *in_blocks(work, n, _BLOCK, threads)]
    first, second = np.concatenate(pairs, axis=1)
    return first, second


@njit(nogil=True, cache=True)
def _shared(
    row_start: Any,
    row_columns: Any,
    start: Any,
    members: Any,
    rank: Any,
    n_ranks: Any,
    least: Any,
    begin: Any,
    end: Any,
) -> Any:
    """Count, for some rows, the columns shared with each later row; give pairs, counts and ranks of those that do."""
    n_shared = np.zeros(len(row_start) - 1, np.int32)
    touched = np.empty(len(row_start) - 1, np.int32)
    often = np.empty(len(row_start) - 1, np.int32)
    found = np.empty((4, 1024), np.int64)
    n_found = 0
    for row in range(begin, end):
        n_touched = n_often = 0
        for at in range(n_ranks):
            for column in row_columns[row_start[row] : row_start[row + 1]]:
                if rank[column] != at:
                    continue
                for place in range(start[column + 1] - 1, start[column] - 1, -1):
                    other = members[place]
                    if other <= row:
                        break
                    n_shared[other] += 1
                    if n_shared[other] == 1:
                        touched[n_touched] = other
                        n_touched += 1
                    if n_shared[other] == least:
                        often[n_often] = other
                        n_often += 1
            if n_found + n_often > found.shape[1]:
                more = np.empty((4, 2 * (n_found + n_often)), np.int64)
                more[:, :n_found] = found[:, :n_found]
                found = more
            for other in often[:n_often]:
                found[0, n_found], found[1, n_found] = row, other
                found[2, n_found], found[3, n_found] = n_shared[other], at
                n_found += 1
        for other in touched[:n_touched]:
            n_shared[other] = 0
    return found[0, :n_found], found[1, :n_found], found[2, :n_found], found[3, :n_found]
