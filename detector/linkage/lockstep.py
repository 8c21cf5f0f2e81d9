"""Accounts that act in the same seconds or minutes, far more often than at the same times of other days.

Two accounts that keep the same timetable meet as often a day apart as on the same day, two pupils of one lesson as
often as chance brings within it; two that one scheduler drives meet on the same day, in the same second or minute.
The most that any control explains (see `detector.profiles.moments`), plus one, is the mean of the Poisson law that the
meetings are held against. What is popular ties nobody: seconds in which many are active are left out, so that in a log
of hundreds of requests a second no pair is found; there, only the feature of a cluster shows it.

References
----------
Cao, Yang, Yu, Palow, "SynchroTrap" (CCS 2014).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse
from scipy.special import pdtrc

from detector.profiles.moments import (
    CONTROL_DAYS,
    NO_MOMENT,
    SECOND_BITS,
    by_block,
    by_chance,
    coarsen,
    days_met,
    meetings,
)

#: Chance at which a pair is tied (chosen), and the meetings below which none is: with no control meeting 7 have 8e-5.
_P_CHANCE = 1e-4
_MIN_MEETINGS = 7
#: Days on which a pair must meet (chosen: a lesson or an outage is one day, a scheduler works on).
_MIN_DAYS = 3
#: Places in `moments.RESOLUTIONS` that tie: hours are shared by too many to tie anybody.
_TYING = (0, 1)
#: Accounts of fewer active seconds are not looked at (chosen: they could hardly meet so often).
_LEAST_MOMENTS = 16
#: Pairs of accounts in a second that are looked at, over all seconds: bounds of the work (chosen: some seconds).
_MOST_PAIRS = 50_000_000
#: Rows of the product of accounts by accounts that are held at once.
_BLOCK = 1024
Numbers = npt.NDArray[np.int64]


def find_lock_steps(moments: npt.NDArray[np.uint32], *, most_accounts: int) -> tuple[Numbers, Numbers]:
    """Find the pairs of accounts that act in the same seconds or minutes.

    Parameters
    ----------
    moments: samples of the accounts, of `detector.profiles.moments`, shape (n_accounts, k).
    most_accounts: a second or minute of more accounts ties nobody.

    Returns
    -------
    Pairs of accounts as two arrays; a pair may come twice.
    """
    rows = np.flatnonzero((moments != NO_MOMENT).sum(axis=1) >= _LEAST_MOMENTS)
    kept = moments[rows]
    pairs = [np.empty((2, 0), np.int64)]
    for resolution in _TYING:
        first, second = _often(_incidence(kept, resolution, most_accounts))
        met, n_days, control = _count_meetings(kept, first, second, resolution)
        is_tied = (n_days >= _MIN_DAYS) & (pdtrc(met - 1, control + 1) < _P_CHANCE)
        pairs.append(np.stack([rows[first[is_tied]], rows[second[is_tied]]]))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


def _incidence(moments: npt.NDArray[np.uint32], resolution: int, most_accounts: int) -> sparse.csr_array:
    """Give accounts by buckets of time, without the popular ones."""
    row, place = np.nonzero(moments != NO_MOMENT)
    bucket = moments[row, place] >> (SECOND_BITS if resolution else 0)
    is_new = np.ones(len(row), dtype=bool)
    is_new[1:] = (row[1:] != row[:-1]) | (bucket[1:] != bucket[:-1])
    row, bucket = row[is_new], bucket[is_new]
    _, column, popularity = np.unique(bucket, return_inverse=True, return_counts=True)
    n_with = np.bincount(popularity, minlength=2)
    n_pairs = np.cumsum(n_with * np.arange(len(n_with), dtype=np.float64) ** 2)
    limit = min(most_accounts, int(np.searchsorted(n_pairs, _MOST_PAIRS, side="right")) - 1)
    kept = (popularity[column] > 1) & (popularity[column] <= limit)
    held = (np.ones(kept.sum(), np.int32), (row[kept], column[kept]))
    return sparse.coo_array(held, shape=(len(moments), len(popularity))).tocsr()


def _often(incidence: sparse.csr_array) -> tuple[Numbers, Numbers]:
    """Find the pairs of rows that share enough columns to be looked at."""
    columns = incidence.T.tocsr()
    pairs = [np.empty((2, 0), np.int64)]
    for start in range(0, incidence.shape[0], _BLOCK):
        shared = (incidence[start : start + _BLOCK] @ columns).tocoo()
        often = (shared.data >= _MIN_MEETINGS) & (shared.row + start < shared.col)
        pairs.append(np.stack([shared.row[often] + start, shared.col[often]]))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


@njit(cache=True)
def _count_meetings(moments: Any, first: Any, second: Any, resolution: Any) -> Any:
    """Count the meetings of pairs on the same day, the days of these, and the most that a control explains."""
    counts = np.zeros((3, len(first)))
    for i in range(len(first)):
        one, other = coarsen(moments[first[i]], resolution), coarsen(moments[second[i]], resolution)
        counts[0, i], counts[1, i] = meetings(one, other, 0), days_met(one, other)
        counts[2, i] = by_chance(by_block(one, resolution), by_block(other, resolution), resolution)
        for days in CONTROL_DAYS:
            counts[2, i] = max(counts[2, i], meetings(one, other, days), meetings(other, one, days))
    return counts
