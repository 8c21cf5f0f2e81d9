"""Which seconds an account was active in, sampled so that the samples of accounts that act together overlap.

Blocks of ten minutes of the day come in one fixed shuffled order, and an account keeps its first `MOMENTS` active
seconds by the order of their block: two accounts keep the same blocks, on every day. What they have in common in the
same second, minute or hour is counted on the same day and held against two controls: the same some days apart, as who
merely keep the same daily rhythm or timetable meet as often then; and what chance brings within the block in which both
are active (a second within its minute, a minute within its ten), as pupils of one lesson meet so.

References
----------
Cao, Yang, Yu, Palow, "Uncovering large groups of active malicious accounts in online social networks" (SynchroTrap, CCS
2014): acting together in time as the mark of a fleet.
Amarasingham et al., "Conditional modeling and the jitter method of spike resampling" (J. Neurophysiology 2012): chance
within short blocks as the null of synchrony.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.hashing import mix64
from detector.profiles.slices import Array, Field, Slice, state_type

#: Chosen: of 25 requests a day for two weeks it keeps those of every sixth block, in 256 bytes.
MOMENTS = 64
#: Days apart that serve as control. Chosen: near, so that lives overlap, and a week, which keeps weekdays.
CONTROL_DAYS = np.array([1, 2, 3, 7])
#: What acting together is counted in, finest first.
RESOLUTIONS = ("1s", "1min", "1h")
#: Counts per resolution: meetings on the same day, those of each control of whole days, and those by chance in blocks.
N_COUNTS = 2 + len(CONTROL_DAYS)
#: Marks a free place; no moment reaches it, as there are 144 blocks.
NO_MOMENT = np.uint32(2**32 - 1)
#: A moment is the block's place, the minute in it, the day and the second. Days so far apart that they fall together,
#: 45 years, are of no log.
SECOND_BITS, _DAY_BITS, _MINUTE_BITS = 6, 14, 4
_DAY_MASK = 2**_DAY_BITS - 1
_MINUTES, _BLOCK = 1440, 10
_ORDER = np.argsort(mix64.py_func(np.arange(_MINUTES // _BLOCK, dtype=np.uint64)))
#: Place of each block of the day in the shuffled order, and the hour of each place.
_PLACE = np.argsort(_ORDER).astype(np.int64)
_HOUR = (_ORDER * _BLOCK // 60).astype(np.int64)


def _prepare(batch: Batch) -> Sequence[Any]:
    return batch.times, batch.is_bucketed


@njit(cache=True)
def _add(kept: Any, moment: Any) -> None:
    """Add a moment to one ascending sample of distinct ones, in place."""
    if moment >= kept[-1]:
        return
    low = np.searchsorted(kept, moment)
    if kept[low] == moment:
        return
    for j in range(len(kept) - 1, low, -1):
        kept[j] = kept[j - 1]
    kept[low] = moment


@njit(cache=True, nogil=True)
def _fold(state: Any, account: Any, rows: Any, times: Any, is_bucketed: Any) -> None:
    moments = state.moments
    a, last = -1, -1
    for i in rows:
        second = times[i] // 1_000_000
        if is_bucketed[i] or (account[i] == a and second == last):
            continue
        a, last = account[i], second
        minute = second // 60
        day = minute // _MINUTES
        minute_of_day = minute - day * _MINUTES
        place = (_PLACE[minute_of_day // _BLOCK] << _MINUTE_BITS) | (minute_of_day % _BLOCK)
        packed = np.uint32((((place << _DAY_BITS) | (day & _DAY_MASK)) << SECOND_BITS) | (second - minute * 60))
        if packed < moments[a, MOMENTS - 1]:
            _add(moments[a], packed)


@njit(cache=True)
def coarsen(moments: Any, resolution: Any) -> Any:
    """Give the ascending distinct buckets of one sample, day in the lowest bits, at a place of `RESOLUTIONS`."""
    buckets = np.empty(len(moments), np.int64)
    n = 0
    for moment in moments:
        if moment == NO_MOMENT:
            break
        second = np.int64(moment) & ((1 << SECOND_BITS) - 1)
        day = (np.int64(moment) >> SECOND_BITS) & _DAY_MASK
        place = np.int64(moment) >> (SECOND_BITS + _DAY_BITS)
        bucket = (place << SECOND_BITS) | second
        if resolution == 1:
            bucket = place
        elif resolution == 2:
            bucket = _HOUR[place >> _MINUTE_BITS]
        buckets[n] = (bucket << _DAY_BITS) | day
        n += 1
    return np.unique(buckets[:n])


@njit(cache=True)
def meetings(one: Any, other: Any, days: Any) -> Any:
    """Count the buckets of one ascending array that lie so many days before one of another."""
    i, j, n = 0, 0, 0
    while i < len(one) and j < len(other):
        wanted = one[i] + days
        n += wanted == other[j]
        if wanted <= other[j]:
            i += 1
        else:
            j += 1
    return n


@njit(cache=True)
def days_met(one: Any, other: Any) -> Any:
    """Count the days on which two ascending arrays of buckets meet."""
    met = np.empty(min(len(one), len(other)), np.int64)
    j, n = 0, 0
    for bucket in one:
        while j < len(other) and other[j] < bucket:
            j += 1
        if j < len(other) and other[j] == bucket:
            met[n] = bucket & _DAY_MASK
            n += 1
    return len(np.unique(met[:n]))


@njit(cache=True)
def by_block(buckets: Any, resolution: Any) -> Any:
    """Give the ascending block of each bucket: the minute of a second, the ten minutes of a minute."""
    bits = SECOND_BITS if resolution == 0 else _MINUTE_BITS
    return np.sort(((buckets >> (_DAY_BITS + bits)) << _DAY_BITS) | (buckets & _DAY_MASK))


@njit(cache=True)
def by_chance(one: Any, other: Any, resolution: Any) -> Any:
    """Give the meetings that chance brings to two accounts in the blocks (of `by_block`) they have in common."""
    i, j, expected = 0, 0, 0.0
    slots = 60.0 if resolution == 0 else float(_BLOCK)
    while i < len(one) and j < len(other):
        if one[i] == other[j]:
            n = np.searchsorted(one, one[i], side="right") - i
            m = np.searchsorted(other, other[j], side="right") - j
            expected += n * m / slots
            i, j = i + n, j + m
        elif one[i] < other[j]:
            i += 1
        else:
            j += 1
    return expected


@njit(cache=True)
def _pairs_of(ascending: Any) -> Any:
    """Count the pairs of equal values."""
    pairs, run = 0, 0
    for i in range(1, len(ascending)):
        run = run + 1 if ascending[i] == ascending[i - 1] else 0
        pairs += run
    return pairs


@njit(cache=True)
def _pairs_apart(ascending: Any, days: Any) -> Any:
    """Count the pairs of values of which the second is so much greater."""
    pairs, begin, end = 0, 0, 0
    for value in ascending:
        while begin < len(ascending) and ascending[begin] < value + days:
            begin += 1
        end = max(end, begin)
        while end < len(ascending) and ascending[end] == value + days:
            end += 1
        pairs += end - begin
    return pairs


@njit(cache=True)
def _together(moments: Any, resolution: Any, out: Any) -> None:
    """Count meetings over all pairs of members: on one day, so many days apart (either order, halved), by chance.

    Pairs of all buckets less those of one member are the pairs between members.
    """
    everyone, blocks = np.empty(moments.size, np.int64), np.empty(moments.size, np.int64)
    n, own_blocks = 0, 0
    for row in range(len(moments)):
        buckets = coarsen(moments[row], resolution)
        everyone[n : n + len(buckets)] = buckets
        blocks[n : n + len(buckets)] = by_block(buckets, resolution)
        own_blocks += _pairs_of(blocks[n : n + len(buckets)])
        n += len(buckets)
        for k in range(len(CONTROL_DAYS)):
            out[1 + k] -= meetings(buckets, buckets, CONTROL_DAYS[k]) / 2
    everyone = np.sort(everyone[:n])
    out[0] += _pairs_of(everyone)
    for k in range(len(CONTROL_DAYS)):
        out[1 + k] += _pairs_apart(everyone, CONTROL_DAYS[k]) / 2
    if resolution < 2:
        out[N_COUNTS - 1] += (_pairs_of(np.sort(blocks[:n])) - own_blocks) / (
            60.0 if resolution == 0 else float(_BLOCK)
        )


@njit(cache=True)
def _part(together: Any, resolution: Any) -> Any:
    return together[resolution * N_COUNTS : (resolution + 1) * N_COUNTS]


@njit(cache=True, nogil=True)
def _stitch(state: Any, starts: Any, out: Any, is_same_actor: Any) -> None:
    for g in range(len(starts) - 1):
        for row in range(starts[g], starts[g + 1]):
            for moment in state.moments[row]:
                if moment >= out.moments[g, -1]:
                    break
                _add(out.moments[g], moment)
            out.together[g] += state.together[row]
        if not is_same_actor and starts[g + 1] - starts[g] > 1:
            for resolution in range(len(RESOLUTIONS)):
                _together(
                    state.moments[starts[g] : starts[g + 1]], resolution, out.together[g, resolution * N_COUNTS :]
                )


def stitch(state: Any, starts: Array, out: Any, is_same_actor: bool) -> None:
    """Join samples; in a cluster, count the meetings of its members too."""
    _stitch(state, starts, out, is_same_actor)


_FIELDS = (
    Field("moments", np.uint32, MOMENTS, merge="own", fill=NO_MOMENT),
    Field("together", np.float32, len(RESOLUTIONS) * N_COUNTS, merge="own"),
)
MomentsState = state_type("MomentsState", __name__, _FIELDS)
SLICE = Slice(
    name="moments",
    fields=_FIELDS,
    state_type=MomentsState,
    needs=("occurred_at",),
    prepare=_prepare,
    kernel=_fold,
    stitch=stitch,
)
