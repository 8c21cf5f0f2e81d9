"""When: gaps between requests, hours of the week, and a timeline whose buckets widen as an account lives longer.

Regularity is the coefficient of variation of two neighbouring gaps, CV2 = 2 |g1 - g2| / (g1 + g2).
For a Poisson process |g1 - g2| / (g1 + g2) is uniform on [0, 1], so CV2 has mean 1 and a quarter of pairs lie below .5.
Gaps need the rows of an account in order of time; rows that come late are counted, and the caller folds times again.

References
----------
Holt, Softky, Koch, Douglas, "Comparison of discharge variability in vitro and in vivo in cat visual cortex neurons"
(J. Neurophysiology 1996): CV2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.slices import Array, Field, Slice, counter, half_octave, state_type

#: Half-octaves of a gap in milliseconds: the last place begins at 2**31 ms, 25 days.
GAP_PLACES = 64
HOURS_OF_WEEK = 168
TIMELINE_PLACES = 64
#: CV2 below this counts as regular; a Poisson process has a quarter of its pairs there.
REGULAR_CV2 = 0.5
#: An account that begins so soon after another fell silent may be its successor (chosen: bans come by night too).
SOON_US = 43_200_000_000
_MS = 1_000
_HOUR = 3_600_000_000
#: 1970-01-01 was a Thursday: with three days more the week begins on Monday.
_TO_MONDAY = 72
_NEVER = np.iinfo(np.int64).min
#: Beyond any hour a timestamp can name; a fresh account's life is empty because it begins after it ends.
_LATEST_HOUR = 2**40


def _prepare(batch: Batch) -> Sequence[Any]:
    return batch.times, batch.weights, batch.is_bucketed


@njit(cache=True)
def timeline_shift(first_hour: Any, last_hour: Any) -> Any:
    """Give log2 of a bucket's hours: the least for which a life from first to last hour fits the timeline."""
    shift = 0
    while (last_hour >> shift) - (first_hour >> shift) >= TIMELINE_PLACES:
        shift += 1
    return shift


def timeline_length(first_hour: Array, last_hour: Array) -> Array:
    """Count the buckets between the first and the last hour of lives; shape (n,)."""
    shift = np.zeros_like(first_hour)
    while np.any(too_long := (last_hour >> shift) - (first_hour >> shift) >= TIMELINE_PLACES):
        shift += too_long
    return (last_hour >> shift) - (first_hour >> shift) + 1


@njit(cache=True)
def _rescale(timeline: Any, first: Any, last: Any, new_first: Any, new_last: Any, into: Any) -> None:
    """Add a timeline of hours first to last to one of a life that holds it."""
    shift = timeline_shift(first, last)
    new_shift = timeline_shift(new_first, new_last)
    for j in range(TIMELINE_PLACES):
        if timeline[j]:
            place = (((first >> shift) + j) >> (new_shift - shift)) - (new_first >> new_shift)
            into[place] += timeline[j]


@njit(cache=True)
def _extend(first_hour: Any, last_hour: Any, timeline: Any, a: Any, hour: Any, weight: Any) -> None:
    """Count requests at an hour outside the life so far; buckets widen until it fits."""
    first, last = first_hour[a], last_hour[a]
    new_first, new_last = min(first, hour), max(last, hour)
    first_hour[a], last_hour[a] = new_first, new_last
    shift = timeline_shift(new_first, new_last)
    if first <= last and (new_first >> shift != first >> shift or shift != timeline_shift(first, last)):
        held = timeline[a].copy()
        timeline[a] = 0
        _rescale(held, first, last, new_first, new_last, timeline[a])
    timeline[a, (hour >> shift) - (new_first >> shift)] += weight


@njit(cache=True, inline="always")
def _variation(first: Any, second: Any) -> Any:
    """Give CV2 of two neighbouring gaps; 0 when both are 0."""
    total = first + second
    return 2.0 * abs(first - second) / total if total > 0 else 0.0


@njit(cache=True, nogil=True)
def _fold(state: Any, account: Any, rows: Any, times: Any, weights: Any, is_bucketed: Any) -> None:
    # Taken apart once, as in `profiles.text`.
    (gaps, hours, n_pairs, n_regular, n_late, cv2_sum, longest_gap, first_at, last_at, first_gap, last_gap) = state[:11]
    (first_hour, last_hour, timeline) = state[11:14]
    # Neighbours are mostly of one account and near in time, so what they have in common is worked out once.
    hour, hour_at, place_of_week = 0, _NEVER, 0
    known_account, known_last, shift = -1, _NEVER, 0
    for i in rows:
        a = account[i]
        t = times[i]
        if not hour_at <= t < hour_at + _HOUR:
            hour = t // _HOUR
            hour_at, place_of_week = hour * _HOUR, (hour + _TO_MONDAY) % HOURS_OF_WEEK
        hours[a, place_of_week] += weights[i]
        first, last = first_hour[a], last_hour[a]
        if first <= hour <= last:
            if a != known_account or last != known_last:
                known_account, known_last, shift = a, last, timeline_shift(first, last)
            timeline[a, (hour >> shift) - (first >> shift)] += weights[i]
        else:
            known_account = -1
            _extend(first_hour, last_hour, timeline, a, hour, weights[i])
        if is_bucketed[i]:
            continue
        if last_at[a] == _NEVER:
            first_at[a] = last_at[a] = t
            continue
        gap = t - last_at[a]
        if gap < 0:
            n_late[a] += 1
            continue
        gaps[a, half_octave(gap // _MS, GAP_PLACES)] += 1
        longest_gap[a] = max(longest_gap[a], gap)
        if last_gap[a] >= 0:
            cv2 = _variation(last_gap[a], gap)
            n_pairs[a] += 1
            cv2_sum[a] += cv2
            n_regular[a] += cv2 < REGULAR_CV2
        else:
            first_gap[a] = gap
        last_gap[a] = gap
        last_at[a] = t


@njit(cache=True)
def _add_pair(state: Any, a: Any, first: Any, second: Any) -> None:
    cv2 = _variation(first, second)
    state.n_pairs[a] += 1
    state.cv2_sum[a] += cv2
    state.n_regular[a] += cv2 < REGULAR_CV2


@njit(cache=True)
def _append(state: Any, p: Any, out: Any, g: Any) -> None:
    """Put the gap between what is there and a later piece of the same account, and the pairs it makes."""
    gap = state.first_at[p] - out.last_at[g]
    if gap < 0:
        out.n_late[g] += 1
        return
    out.gaps[g, half_octave(gap // _MS, GAP_PLACES)] += 1
    out.longest_gap[g] = max(out.longest_gap[g], gap)
    if out.last_gap[g] >= 0:
        _add_pair(out, g, out.last_gap[g], gap)
    else:
        out.first_gap[g] = gap
    if state.first_gap[p] >= 0:
        _add_pair(out, g, gap, state.first_gap[p])
    out.last_gap[g] = state.last_gap[p] if state.last_gap[p] >= 0 else gap


@njit(cache=True)
def _stitch(state: Any, starts: Any, out: Any, is_same_actor: Any) -> None:
    for g in range(len(starts) - 1):
        for p in range(starts[g], starts[g + 1]):
            if state.first_hour[p] <= state.last_hour[p]:
                first, last = state.first_hour[p], state.last_hour[p]
                _rescale(state.timeline[p], first, last, out.first_hour[g], out.last_hour[g], out.timeline[g])
            if state.last_at[p] == _NEVER:
                continue
            if out.last_at[g] == _NEVER:
                out.first_at[g], out.last_at[g] = state.first_at[p], state.last_at[p]
                out.first_gap[g], out.last_gap[g] = state.first_gap[p], state.last_gap[p]
                continue
            if is_same_actor:
                _append(state, p, out, g)
            out.last_at[g] = max(out.last_at[g], state.last_at[p])


@njit(cache=True)
def _hand_over(state: Any, starts: Any, out: Any) -> None:
    """Count members that fall silent before the cluster does, and those that another begins soon after.

    By chance as many begin then as would if members began evenly over the cluster's life.
    """
    for g in range(len(starts) - 1):
        firsts = np.sort(state.first_at[starts[g] : starts[g + 1]])
        firsts = firsts[firsts != _NEVER]
        lasts = state.last_at[starts[g] : starts[g + 1]]
        if len(firsts) < 2:
            continue
        end = lasts.max()
        rate = (len(firsts) - 1) / max(end - firsts[0], SOON_US)
        for last in lasts:
            if last == _NEVER or end - last < 2 * SOON_US:
                continue
            out.n_silent[g] += 1
            begun = np.searchsorted(firsts, last + SOON_US, side="right") - np.searchsorted(firsts, last, side="right")
            out.n_succeeded[g] += begun > 0
            out.succeeded_by_chance[g] += 1.0 - np.exp(-rate * SOON_US)


def stitch(state: Any, starts: Array, out: Any, is_same_actor: bool) -> None:
    """Join the pieces `starts[g]` up to `starts[g + 1]`, in order of time, into row g of `out`.

    For one actor the gap between two pieces counts; in a cluster each member keeps its own gaps.
    """
    _stitch(state, starts, out, is_same_actor)
    if not is_same_actor:
        _hand_over(state, starts, out)


_FIELDS = (
    counter("gaps", GAP_PLACES),
    counter("hours", HOURS_OF_WEEK),
    counter("n_pairs"),
    counter("n_regular"),
    counter("n_late"),
    Field("cv2_sum", np.float64),
    Field("longest_gap", np.int64, merge="max"),
    Field("first_at", np.int64, merge="own", fill=_NEVER),
    Field("last_at", np.int64, merge="own", fill=_NEVER),
    Field("first_gap", np.int64, merge="own", fill=-1),
    Field("last_gap", np.int64, merge="own", fill=-1),
    Field("first_hour", np.int64, merge="min", fill=_LATEST_HOUR),
    Field("last_hour", np.int64, merge="max", fill=-_LATEST_HOUR),
    Field("timeline", np.uint32, TIMELINE_PLACES, merge="own"),
    Field("n_silent", np.int64, merge="own"),
    Field("n_succeeded", np.int64, merge="own"),
    Field("succeeded_by_chance", np.float64, merge="own"),
)
RhythmState = state_type("RhythmState", __name__, _FIELDS)
SLICE = Slice(
    name="rhythm",
    fields=_FIELDS,
    state_type=RhythmState,
    needs=("occurred_at",),
    prepare=_prepare,
    kernel=_fold,
    stitch=stitch,
)
