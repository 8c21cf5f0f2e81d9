"""When accounts send requests: people in sessions, products in bursts, jobs in runs, harvests with outages.

Every function is vectorised over a crowd and returns sorted visits; what falls outside the log is cut off.
Sums are taken over whole microseconds, so that they are exact and no account's times depend on its neighbours.
"""

from collections.abc import Callable

import numpy as np

from simulations.crowd import DAY_S, Crowd, Visits
from simulations.streams import Counts, Keys, Reals

Arrivals = Callable[[Crowd, Counts], Visits]

#: Share of a person's weekday sessions that a weekend day sees. Chosen, as in office traffic; 1 would be no weekend.
WEEKEND = 0.45
#: Local hour of a person's sessions: mean and spread. Chosen so that the hourly peak to trough is about 11 (BurstGPT).
HOUR_MEAN, HOUR_SPREAD = 14.5, 4.2
#: Spread of time zones around the log's own [h]. Assumed.
ZONE_SPREAD = 2.5
#: Chance that a person's turn is the last of its session: 2.35 turns on average (WildChat).
P_SESSION_ENDS = 1 / 2.35
#: Pause between turns [s]: median and sigma. 25th to 75th percentile about 84 s to a few minutes (Arena users).
PAUSE_MEDIAN_S, PAUSE_SIGMA = 90.0, 0.9
#: Requests per hour of a product's local day, relative. Chosen: peak to trough 2.2 (ServeGen m-small).
DAILY_CURVE = 1.0 + 0.375 * np.cos((np.arange(24) - 15.0) / 24.0 * 2.0 * np.pi)
MICROSECOND = 1e6


def volumes(crowd: Crowd, *, median: float, sigma: float, most: int, least: int = 1) -> Counts:
    """Draw how many requests each account sends: log-normal, as client rates are (ServeGen, sigma 1.6 to 2.7)."""
    drawn = crowd.streams.lognormal(crowd.keys, "volume", median=median, sigma=sigma)
    return np.clip(drawn, least, most).astype(np.int64)


def sessions(crowd: Crowd, n_requests: Counts) -> Visits:
    """Let people come in sessions, at a person's hours, less at weekends, with a person's pauses."""
    member, ordinal = _count_out(n_requests)
    keys, draw = crowd.keys[member], crowd.streams
    opens = draw.chance(keys, "session ends", ordinal, p=P_SESSION_ENDS) | (ordinal == 0)
    number = np.cumsum(opens) - 1  # over all accounts
    heads = np.flatnonzero(opens)
    turn = np.arange(len(member)) - heads[number]
    session = number - number[_first_rows(n_requests)][member]
    starts = _session_starts(crowd, member[heads], session[heads])
    pauses = draw.lognormal(keys, "pause", ordinal, median=PAUSE_MEDIAN_S, sigma=PAUSE_SIGMA)
    at = starts[number] + _running_total(np.where(turn > 0, pauses, 0.0), heads, number)
    return _sorted(crowd, Visits(member, ordinal, at, session, turn))


def _session_starts(crowd: Crowd, member: Counts, session: Counts) -> Reals:
    keys, draw = crowd.keys[member], crowd.streams
    since_midnight_s = crowd.horizon.begins_s % DAY_S
    days = int(np.ceil(crowd.horizon.days + since_midnight_s / DAY_S))
    weekday = (np.arange(days) + int(crowd.horizon.begins_s // DAY_S) + 3) % 7  # 1970-01-01 was a Thursday
    day = draw.choice(keys, "session day", session, weights=np.where(weekday >= 5, WEEKEND, 1.0))
    zone = draw.normal(keys, "time zone") * ZONE_SPREAD
    hour = HOUR_MEAN + HOUR_SPREAD * draw.normal(keys, "session hour", session) + zone
    at: Reals = (day + (hour % 24.0) / 24.0) * DAY_S - since_midnight_s
    return at


def bursts(crowd: Crowd, n_requests: Counts) -> Visits:
    """Let machines call in bursts: a renewal process with gamma gaps, warped to the hours of the day.

    Notes
    -----
    The coefficient of variation of the gaps is log-normal over accounts, median 2.2 (ServeGen: 10 % near 1,
    half near 2, 10 % near 10; capped at 8); only 1 real client in 421 is below 0.5.
    """
    member, ordinal = _count_out(n_requests)
    keys, draw = crowd.keys, crowd.streams
    variation = np.clip(draw.lognormal(keys, "burstiness", median=2.2, sigma=0.8), 0.6, 8.0)
    gaps = draw.gamma(keys[member], "gap", ordinal, shape=(1.0 / variation**2)[member])
    firsts = _first_rows(n_requests)
    spent = _running_total(gaps, firsts, member)
    last = firsts + n_requests - 1
    tail = draw.exponential(keys, "after the last") * np.maximum(spent[last], 1e-6) / np.maximum(n_requests, 1)
    share = spent / np.maximum(spent[last] + tail, 1e-6)[member]
    begins = draw.uniform(keys, "phase")[member]
    at = _warp(crowd, (share + begins) % 1.0)
    return _sorted(crowd, Visits(member, ordinal, at, ordinal, np.zeros_like(ordinal)))


def _warp(crowd: Crowd, share: Reals) -> Reals:
    hours = np.arange(int(np.ceil(crowd.horizon.days * 24)) + 1)
    local = (hours[:-1] + int(crowd.horizon.begins_s // 3600)) % 24
    passed = np.concatenate([[0.0], np.cumsum(DAILY_CURVE[local])])
    at: Reals = np.interp(share, passed / passed[-1], hours * 3600.0)
    return at


def jobs(crowd: Crowd, n_requests: Counts) -> Visits:
    """Let batch jobs run: one to four starts, then as fast as a pool of 2 to 24 workers is served."""
    member, ordinal = _count_out(n_requests)
    keys, draw = crowd.keys, crowd.streams
    n_jobs = np.minimum(1 + draw.integers(keys, "jobs", below=4), np.maximum(n_requests, 1))
    job = ordinal * n_jobs[member] // n_requests[member]
    heads = np.flatnonzero((ordinal == 0) | (np.diff(job, prepend=-1) != 0))
    row_job = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(member))))
    starts = draw.uniform(keys[member], "job start", job, high=max(crowd.horizon.days - 0.5, 0.05) * DAY_S)
    service = draw.lognormal(keys, "service time", median=3.3, sigma=0.5) / (
        2 + draw.integers(keys, "workers", below=23)
    )
    gaps = draw.weibull(keys[member], "gap", ordinal, shape=1.15) * service[member]
    at = starts + _running_total(gaps, heads, row_job)
    return _sorted(crowd, Visits(member, ordinal, at, ordinal, np.zeros_like(ordinal)))


def steady(crowd: Crowd, n_requests: Counts) -> Visits:
    """Let a harvest run for 40 to 70 % of the log, with one to five outages and the backlog after each."""
    return _harvest(crowd, n_requests, crowd.keys)


def lockstep(crowd: Crowd, n_requests: Counts) -> Visits:
    """Let all members follow one scheduler: common rounds, common outages, seconds apart."""
    group = np.broadcast_to(crowd.group, len(crowd.keys))
    visits = _harvest(crowd, n_requests, group)
    jitter = crowd.streams.exponential(crowd.keys[visits.member], "jitter", visits.ordinal, mean=4.0)
    moved = Visits(visits.member, visits.ordinal, visits.at_s + jitter, visits.session, visits.turn)
    return _sorted(crowd, moved)


def _harvest(crowd: Crowd, n_requests: Counts, schedulers: Keys) -> Visits:
    member, ordinal = _count_out(n_requests)
    draw, length_s = crowd.streams, crowd.horizon.length_s
    begins = draw.uniform(schedulers, "begin", high=0.3 * length_s)
    lasts = draw.uniform(schedulers, "duration", low=0.4 * length_s, high=0.7 * length_s)
    at = begins[member] + lasts[member] * draw.uniform(schedulers[member], "moment", ordinal)
    n_outages = 1 + draw.integers(schedulers, "outages", below=5)
    for outage in range(5):
        hole = begins + lasts * draw.uniform(schedulers, "outage begins", outage)
        width = draw.uniform(schedulers, "outage lasts", outage, low=600.0, high=5 * 3600.0)
        late = (hole + width)[member] + draw.uniform(schedulers[member], "backlog", ordinal, high=3600.0)
        hit = (at > hole[member]) & (at < (hole + width)[member]) & (outage < n_outages)[member]
        at = np.where(hit, late, at)
    return _sorted(crowd, Visits(member, ordinal, at, ordinal, np.zeros_like(ordinal)))


def _count_out(n_requests: Counts) -> tuple[Counts, Counts]:
    member = np.repeat(np.arange(len(n_requests)), n_requests)
    return member, np.arange(len(member)) - _first_rows(n_requests)[member]


def _first_rows(n_requests: Counts) -> Counts:
    firsts: Counts = np.cumsum(n_requests) - n_requests
    return firsts


def _running_total(steps: Reals, firsts: Counts, group: Counts) -> Reals:
    """Sum steps within each group of consecutive rows, exactly: groups begin at `firsts`."""
    whole = np.rint(steps * MICROSECOND).astype(np.int64)
    total = np.cumsum(whole)
    before = total[firsts] - whole[firsts]
    summed: Reals = (total - before[group]) / MICROSECOND
    return summed


def _sorted(crowd: Crowd, visits: Visits) -> Visits:
    order = np.lexsort((visits.ordinal, visits.at_s, visits.member))
    at = visits.at_s[order]
    return visits.take(order[(at >= 0.0) & (at < crowd.horizon.length_s)])
