"""Requests that are sent again after a limit refused them: the same request, a little later, by clients that do so.

A later try is a request of its own, with its own outcome, which is often a refusal again while the quota is spent; what
is asked, of which model and from where stays the same.
"""

from typing import Any

import numpy as np
from numba import njit

from simulations.crowd import FIRST_TRIES, Crowd, Visits
from simulations.draws import normal, unit
from simulations.streams import Counts, key_of
from simulations.traffic.lengths import is_limited

#: Tries of a request, the first included (clients in common use: 3 to 6). Chosen.
MOST_TRIES = 4
#: Median wait before the second try [s], doubled for each further one, and the spread of its logarithm (published
#: pipelines: 2, 5, 10 s, or doubling).
WAIT_S, WAIT_SIGMA = 3.0, 0.6
#: Most of the pause until the next turn of a conversation that one wait may take: turns keep their order. Chosen.
MOST_OF_PAUSE = 0.5


def later_tries(crowd: Crowd, visits: Visits, *, p_retries: float) -> tuple[Counts, Counts, Counts]:
    """Find the requests that are sent again.

    Parameters
    ----------
    visits: first tries, sorted by member and ordinal.
    p_retries: share of accounts that send a limited request again.

    Returns
    -------
    One row per later try: row of its first try in `visits`, its ordinal, and its time since the log began [us].
    """
    purposes = ("quota", "sends again", "wait")
    bases = np.array([key_of("draw", crowd.streams.seed, purpose) for purpose in purposes], dtype=np.uint64)
    ends_us = (crowd.ends_s * 1e6).astype(np.int64)
    found = np.empty((max(64, len(visits) // 16), 3), dtype=np.int64)
    while True:
        n = _fill(visits.member, visits.ordinal, visits.at_us, visits.session, crowd.keys, ends_us, bases, p_retries,
                  found)  # fmt: skip
        if n <= len(found):
            return found[:n, 0], found[:n, 1], found[:n, 2]
        found = np.empty((n, 3), dtype=np.int64)


@njit(cache=True, nogil=True)
def _fill(member: Any, ordinal: Any, at_us: Any, session: Any, keys: Any, ends_us: Any, bases: Any, p_retries: Any,
          found: Any) -> Any:  # fmt: skip
    """Fill as many later tries as there is room for; gives how many there are."""
    n = 0
    for row in range(len(member)):
        key = keys[member[row]]
        if not is_limited(key, bases[0], at_us[row]) or unit(key, bases[1], 0) >= p_retries:
            continue
        goes_on = row + 1 < len(member) and member[row + 1] == member[row] and session[row + 1] == session[row]
        now = at_us[row]
        for number in range(1, MOST_TRIES):
            again = ordinal[row] + number * FIRST_TRIES
            wait_us = WAIT_S * 2.0 ** (number - 1) * np.exp(WAIT_SIGMA * normal(key, bases[2], again)) * 1e6
            if goes_on:
                wait_us = min(wait_us, MOST_OF_PAUSE * max(at_us[row + 1] - now, 0))
            now += np.int64(wait_us)
            if now >= ends_us[member[row]]:
                break
            if n < len(found):
                found[n, 0], found[n, 1], found[n, 2] = row, again, now
            n += 1
            if not is_limited(key, bases[0], now):
                break
    return n
