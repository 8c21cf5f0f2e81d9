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

from detector.linkage.overlaps import overlaps
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
Numbers = npt.NDArray[np.int64]


def find_lock_steps(
    moments: npt.NDArray[np.uint32], *, most_accounts: int, threads: int = 1
) -> tuple[Numbers, Numbers]:
    """Find the pairs of accounts that act in the same seconds or minutes.

    Parameters
    ----------
    moments: samples of the accounts, of `detector.profiles.moments`, shape (n_accounts, k).
    most_accounts: a second or minute of more accounts ties nobody.

    Returns
    -------
    Pairs of accounts as two arrays; a pair may come twice.
    """
    rows = np.flatnonzero(moments[:, _LEAST_MOMENTS - 1] != NO_MOMENT)
    pairs = [np.empty((2, 0), np.int64)]
    for resolution in _TYING:
        columns = _columns(moments, rows, resolution, most_accounts)
        first, second = overlaps(columns, np.zeros(columns.shape[1], np.int64), _MIN_MEETINGS, threads=threads)
        met, n_days, control = _count_meetings(moments, first, second, resolution)
        is_tied = (n_days >= _MIN_DAYS) & (pdtrc(met - 1, control + 1) < _P_CHANCE)
        pairs.append(np.stack([first[is_tied], second[is_tied]]))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


def _columns(moments: npt.NDArray[np.uint32], rows: Numbers, resolution: int, most_accounts: int) -> sparse.csc_array:
    """Give accounts by buckets of time, without the popular ones."""
    active = _active(moments, rows, SECOND_BITS if resolution else 0)
    active.sort()
    n_with = _popularity(active)
    n_pairs = np.cumsum(n_with * np.arange(len(n_with), dtype=np.float64) ** 2)
    limit = min(most_accounts, int(np.searchsorted(n_pairs, _MOST_PAIRS, side="right")) - 1)
    shared = n_with[2 : limit + 1]
    starts, members = _members(active, limit, shared.sum(), (shared * np.arange(2, 2 + len(shared))).sum())
    return sparse.csc_array((np.ones(len(members), np.int8), members, starts), shape=(len(moments), len(starts) - 1))


@njit(cache=True)
def _active(moments: Any, rows: Any, bits: Any) -> Any:
    """Give each bucket in which an account is active, in the upper half of a number, and the account in the lower."""
    active = np.empty(len(rows) * moments.shape[1], np.uint64)
    n = 0
    for row in rows:
        last = NO_MOMENT
        for moment in moments[row]:
            if moment == NO_MOMENT:
                break
            if moment >> bits != last:
                last = moment >> bits
                active[n] = (np.uint64(last) << np.uint64(32)) | np.uint64(row)
                n += 1
    return active[:n]


@njit(cache=True)
def _run(active: Any, begin: Any) -> Any:
    """Give where the bucket ends that begins at a place."""
    end = begin
    while end < len(active) and active[end] >> np.uint64(32) == active[begin] >> np.uint64(32):
        end += 1
    return end


@njit(cache=True)
def _popularity(active: Any) -> Any:
    """Count the buckets of each number of accounts, from 0 accounts on."""
    most, begin = 1, 0
    while begin < len(active):
        end = _run(active, begin)
        most, begin = max(most, end - begin), end
    n_with = np.zeros(most + 1, np.int64)
    begin = 0
    while begin < len(active):
        end = _run(active, begin)
        n_with[end - begin] += 1
        begin = end
    return n_with


@njit(cache=True)
def _members(active: Any, limit: Any, n_buckets: Any, n_members: Any) -> Any:
    """Give the accounts of each bucket of two to so many, and where each bucket's begin."""
    starts, members = np.zeros(n_buckets + 1, np.int32), np.empty(n_members, np.int32)
    bucket, n, begin = 0, 0, 0
    while begin < len(active):
        end = _run(active, begin)
        if 1 < end - begin <= limit:
            for place in range(begin, end):
                members[n] = active[place] & np.uint64(0xFFFFFFFF)
                n += 1
            bucket += 1
            starts[bucket] = n
        begin = end
    return starts, members


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
