"""When accounts send requests: runs (people, agents, jobs), bursts (products), harvests.

A pace turns a number of requests per account into visits, account by account, in a compiled kernel; no account's times
depend on its neighbours, and what falls outside the account's life or the log is cut off. Times are whole microseconds.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numba import njit
from scipy.special import ndtr

from simulations.crowd import DAY_S, Crowd, Visits
from simulations.draws import below, gamma, normal, unit
from simulations.streams import Counts, Keys, Reals, key_of

#: Requests per hour of a product's local day, relative. Chosen: peak to trough 2.2 (ServeGen m-small).
DAILY_CURVE = 1.0 + 0.375 * np.cos((np.arange(24) - 15.0) / 24.0 * 2.0 * np.pi)
#: Cell of a product's activity [s], as long as ServeGen's windows, and cells that are switched on or off together.
CELL_S, BLOCK_CELLS = 600.0, 3
#: Least rate at which ServeGen's windows tell how gaps vary [requests/s]: 50 in 600 s.
MEASURED_RATE = 50.0 / 600.0
#: How far duty cycles lean towards always on. Calibrated on ServeGen, quartiles near .03, .35 and .9, with the hours of
#: the day, which thin it out.
DUTY_SKEW = 2.4
#: Tries for a start within an account's life before any instant of it is taken.
TRIES = 24
#: Length of the swells that all people share [s], and their spread as sigma of the logarithm. Calibrated on the Fano
#: factor of a large product over 10 s and 60 s (Azure: 4 and 21), which people who come independently do not reach.
SWELL_S, SWELL_SIGMA, SWELL_MOST = 120.0, 0.3, 2.5
_MICRO = 1e6
_DAY = DAY_S


class Pace(Protocol):
    """Says when accounts come."""

    def visits(self, crowd: Crowd, n_requests: Counts) -> Visits:
        """Give every account its visits."""
        ...


def volumes(crowd: Crowd, *, median: float, sigma: float, most: int, least: int = 1) -> Counts:
    """Draw how many requests each account sends: log-normal, as client rates are (ServeGen, sigma 1.6 to 2.7)."""
    drawn = crowd.streams.lognormal(crowd.keys, "volume", median=median, sigma=sigma)
    return np.clip(drawn, least, most).astype(np.int64)


def volume_moments(*, median: float, sigma: float, most: int, least: int = 1) -> tuple[float, float]:
    """Give mean and variance of what `volumes` draws for one account, but for the rounding down.

    Examples
    --------
    >>> volume_moments(median=100.0, sigma=0.0, most=1000)
    (100.0, 0.0)
    """
    if sigma == 0.0:
        return float(min(max(median, least), most)), 0.0
    low, high = (math.log(bound / median) / sigma for bound in (least, most))
    moments = [
        least**power * ndtr(low)
        + median**power
        * math.exp((power * sigma) ** 2 / 2.0)
        * (ndtr(high - power * sigma) - ndtr(low - power * sigma))
        + most**power * ndtr(-high)
        for power in (1, 2)
    ]
    return float(moments[0]), float(moments[1] - moments[0] ** 2)


@dataclass(frozen=True)
class Runs:
    """Conversations, agent loops and jobs: starts by a law, then requests with pauses until the run ends."""

    length: float = 2.35
    """Mean requests of a run (WildChat: 2.35 turns)."""
    first_ends: float | None = None
    """Share of runs that are one request; None is as many as a geometric law has (WildChat: .58)."""
    most_runs: int = 0
    """Above 0, an account divides its requests over 1 to this many runs, and `length` says nothing."""
    pause_s: float = 90.0
    """Median pause between requests of a run [s]; Arena users: 84 s to a few minutes."""
    pause_sigma: float = 0.9
    pace_sigma: float = 0.0
    """Spread of the median pause over accounts."""
    length_sigma: float = 0.0
    """Spread of the length of runs over accounts, as sigma of the logarithm of what follows the first request."""
    hour: float | None = 14.5
    """Mean local hour of starts; None is any time. Chosen with its spread: hourly peak to trough 11 (BurstGPT)."""
    hour_spread: float = 4.2
    zone_spread: float = 2.5
    """Spread of time zones around the log's own [h]. Assumed."""
    weekend: float = 0.45
    """Share of a weekday's starts that a weekend day sees. Chosen, as in office traffic."""
    is_common: bool = False
    """Whether the accounts of one schedule start together."""
    late_s: float = 0.0
    """Mean delay of an account behind a common start [s]."""
    purposes: tuple[str, ...] = field(
        default=("ends", "runs", "day", "weekend", "zone", "hour", "pause", "pace", "late", "swell", "rides", "lasts"),
        repr=False,
    )

    def visits(self, crowd: Crowd, n_requests: Counts) -> Visits:
        """Give every account its visits."""
        schedule = crowd.schedules if self.is_common else crowd.keys
        first = 1.0 / self.length if self.first_ends is None else self.first_ends
        later = first if self.first_ends is None else (1.0 - first) / (self.length - 1.0)
        settings = np.array(
            [
                first, self.most_runs, self.pause_s, self.pause_sigma, self.pace_sigma,
                -1.0 if self.hour is None else self.hour, self.hour_spread, self.zone_spread, self.weekend, self.late_s,
                later, self.length_sigma,
            ]
        )  # fmt: skip
        return _visits(crowd, n_requests, _fill_runs, schedule, settings, _bases(crowd, "runs", self.purposes))


@dataclass(frozen=True)
class Bursts:
    """Machines: a renewal process with gamma gaps inside the hours in which the machine is on.

    Notes
    -----
    Duty cycle, unevenness and variation differ by account as ServeGen's clients do: active in a tenth to all of the
    10-minute windows, gaps within a window with a variation of 1 to 5.
    """

    variation: float = 1.5
    """Median coefficient of variation of gaps while on; calibrated: in a window it looks less (ServeGen: 1.25). Clients
    slower than those windows tell of are nearer to chance, see `_thinned`."""
    variation_sigma: float = 0.6
    duty_low: float = 0.004
    """Smallest share of time that a machine is on (ServeGen q10: .003 to .006)."""
    always_share: float = 0.42
    """Share of machines that are always on (ServeGen: a tenth to half above .9)."""
    level_sigma: float = 0.6
    """Spread of an account's intensity over the time it is on."""
    daily: float = 2.0
    """Mean power of the daily curve over accounts; exponential (ServeGen: the quietest six hours of the day have from
    0 to .20 of a client's requests, median .07)."""
    zone_spread: float = 3.0
    """Spread of time zones around the log's own [h]. Assumed."""
    weekend: float = 1.0
    """Median over accounts of the share of a weekday's intensity that a weekend day sees."""
    weekend_sigma: float = 0.45
    """Spread of that share as sigma of the logarithm (ServeGen: two days beside the other five, .5 to 1.6)."""

    def visits(self, crowd: Crowd, n_requests: Counts) -> Visits:
        """Give every account its visits."""
        settings = np.array([self.variation, self.variation_sigma, self.duty_low, self.always_share, self.level_sigma,
                             self.daily, self.zone_spread, self.weekend, self.weekend_sigma])  # fmt: skip
        purposes = (
            "variation", "gap", "tail", "duty", "always", "on", "level", "phase", "steep", "zone", "thinned", "rests",
        )  # fmt: skip
        return _visits(crowd, n_requests, _fill_bursts, crowd.keys, settings, _bases(crowd, "bursts", purposes))


@dataclass(frozen=True)
class Harvest:
    """A harvest: runs for part of the log, with one to five outages and the backlog after each."""

    shortest: float = 0.4
    longest: float = 0.7
    """Bounds of the share of the log that it runs."""
    is_common: bool = False
    """Whether all accounts follow one scheduler: common rounds, common outages."""
    late_s: float = 0.0
    """Mean delay of an account behind a common round [s]."""

    def visits(self, crowd: Crowd, n_requests: Counts) -> Visits:
        """Give every account its visits."""
        schedule = crowd.schedules if self.is_common else crowd.keys
        purposes = ("begin", "lasts", "moment", "outages", "hole", "width", "backlog", "late")
        settings = np.array([self.shortest, self.longest, self.late_s])
        return _visits(crowd, n_requests, _fill_harvest, schedule, settings, _bases(crowd, "harvest", purposes))


#: Spread of the logarithm of people's pauses (Arena users: 50 s, 84 s and 224 s at 10, 25 and 50 %).
PEOPLE_PAUSE_SIGMA = 1.15
#: People who chat: as many conversations of one turn as WildChat has, as long as theirs; people differ (ShareGPT: 3.6).
PEOPLE = Runs(first_ends=0.58, pause_sigma=PEOPLE_PAUSE_SIGMA, pace_sigma=0.35, length_sigma=0.35)


def _bases(crowd: Crowd, pace: str, purposes: tuple[str, ...]) -> Keys:
    return np.array([key_of("draw", crowd.streams.seed, f"{pace}/{name}") for name in purposes], dtype=np.uint64)


def _visits(crowd: Crowd, n_requests: Counts, fill: Any, schedule: Keys, settings: Reals, bases: Keys) -> Visits:
    ends = np.cumsum(n_requests)
    total = int(ends[-1]) if len(ends) else 0
    at, session, turn = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    horizon = crowd.horizon
    since_midnight_s = horizon.begins_s % DAY_S
    first_weekday = int(horizon.begins_s // DAY_S) + 3  # 1970-01-01 was a Thursday
    calendar = np.array([horizon.length_s, since_midnight_s, first_weekday % 7])
    fill(crowd.keys, schedule, ends, crowd.begins_s, crowd.ends_s, settings, calendar, bases, at, session, turn)
    member = np.repeat(np.arange(len(n_requests)), n_requests)
    ordinal = np.arange(total) - np.repeat(ends - n_requests, n_requests)
    from_us, to_us = (crowd.begins_s * _MICRO).astype(np.int64), (crowd.ends_s * _MICRO).astype(np.int64)
    kept = (at >= from_us[member]) & (at < to_us[member])
    whole = Visits(member, ordinal, at, session, turn)
    return whole if kept.all() else whole.take(kept)


@njit(cache=True, nogil=True)
def _start(key: Any, zone: Any, number: Any, begins: Any, ends: Any, settings: Any, calendar: Any, bases: Any) -> Any:
    """Draw when a run starts [s]: by weekday and hour, within the account's life."""
    if settings[5] >= 0.0:
        days = np.ceil((calendar[0] + calendar[1]) / _DAY)
        for attempt in range(TRIES):
            draw = number * TRIES + attempt
            day = np.floor(unit(key, bases[2], draw) * days)
            if (calendar[2] + day) % 7 >= 5 and unit(key, bases[3], draw) > settings[8]:
                continue
            hour = (settings[5] + settings[6] * normal(key, bases[5], draw) + zone) % 24.0
            at = (day + hour / 24.0) * _DAY - calendar[1]
            swell = np.exp(SWELL_SIGMA * normal(np.uint64(0), bases[9], np.int64(at // SWELL_S)))
            if begins <= at < ends and unit(key, bases[10], draw) * SWELL_MOST < swell:
                return at
    return begins + (ends - begins) * unit(key, bases[2], -1 - number)


@njit(cache=True, nogil=True)
def _fill_runs(keys: Any, schedule: Any, ends: Any, from_s: Any, to_s: Any, settings: Any, calendar: Any, bases: Any,
               at: Any, session: Any, turn: Any) -> None:  # fmt: skip
    row = 0
    for member in range(len(keys)):
        key, plan, begin = keys[member], schedule[member], row
        n = ends[member] - begin
        zone = settings[7] * normal(plan, bases[4], 0)
        pause_s = settings[2] * np.exp(settings[4] * normal(key, bases[7], 0))
        runs = 1 + below(key, bases[1], 0, settings[1]) if settings[1] > 0 else 0
        brief = np.exp(settings[11] * normal(key, bases[11], 0))
        first, later = min(settings[0] * brief, 1.0), min(settings[10] * brief, 1.0)
        number, steps, now = np.int64(-1), np.int64(0), np.int64(0)
        for i in range(n):
            if runs > 0:
                opens = i == 0 or i * runs // n != (i - 1) * runs // n
            else:
                opens = i == 0 or unit(key, bases[0], i) < (first if steps == 0 else later)
            if opens:
                number += 1
                steps = np.int64(0)
                start = _start(plan, zone, number, from_s[member], to_s[member], settings, calendar, bases)
                if settings[9] > 0.0:
                    start -= np.log(unit(key, bases[8], number)) * settings[9]
                now = np.int64(start * _MICRO)
            else:
                steps += 1
                now += np.int64(pause_s * np.exp(settings[3] * normal(key, bases[6], i)) * _MICRO)
            at[row], session[row], turn[row] = now, number, steps
            row += 1


@njit(cache=True, nogil=True)
def _passed(key: Any, begins: Any, ends: Any, settings: Any, calendar: Any, curve: Any, bases: Any, passed: Any) -> Any:
    """Sum an account's intensity over the cells of its life."""
    duty = np.exp(np.log(settings[2]) * unit(key, bases[3], 0) ** DUTY_SKEW)
    if unit(key, bases[4], 0) < settings[3]:
        duty = 1.0
    steep, zone, total = -settings[5] * np.log(unit(key, bases[8], 0)), settings[6] * normal(key, bases[9], 0), 0.0
    at_weekends = settings[7] * np.exp(settings[8] * normal(key, bases[11], 0))
    for cell in range(len(passed) - 1):
        middle = (cell + 0.5) * CELL_S
        block = cell // BLOCK_CELLS
        on = middle >= begins and middle < ends and (duty == 1.0 or unit(key, bases[5], block) < duty)
        if on:
            hour = np.int64(((middle + calendar[1]) / 3600.0 + zone) % 24.0)
            level = np.exp(settings[4] * normal(key, bases[6], block)) if duty < 1.0 else 1.0
            rests = (calendar[2] + (middle + calendar[1]) // _DAY) % 7 >= 5
            total += curve[hour] ** steep * level * (at_weekends if rests else 1.0)
        passed[cell + 1] = total
    return total


@njit(cache=True, nogil=True)
def _thinned(variation: Any, rate: Any, dependent: Any) -> Any:
    """Give the variation of gaps of a client that sends fewer requests a second than those it was measured on.

    A renewal process of which a share p is kept has a squared variation of 1 + p (CV^2 - 1). How much a small client is
    like a thinned large one (its end users come independently) and not like a slow one is not published: the square of
    `dependent`, drawn evenly, so that most are.
    """
    kept = max(min(rate / MEASURED_RATE, 1.0), dependent**2)
    return np.sqrt(1.0 + kept * (variation**2 - 1.0))


@njit(cache=True, nogil=True)
def _fill_bursts(keys: Any, schedule: Any, ends: Any, from_s: Any, to_s: Any, settings: Any, calendar: Any, bases: Any,
                 at: Any, session: Any, turn: Any) -> None:  # fmt: skip
    n_cells = np.int64(np.ceil(calendar[0] / CELL_S))
    passed, row = np.zeros(n_cells + 1), 0
    for member in range(len(keys)):
        key, begin = keys[member], row
        n = ends[member] - begin
        total = _passed(key, from_s[member], to_s[member], settings, calendar, DAILY_CURVE, bases, passed)
        variation = min(max(settings[0] * np.exp(settings[1] * normal(key, bases[0], 0)), 0.6), 8.0)
        variation = _thinned(variation, n / max(total * CELL_S, 1.0), unit(key, bases[10], 0))
        shape, spent = 1.0 / variation**2, 0.0
        for i in range(n):
            spent += gamma(key, bases[1], i, shape)
            turn[row], session[row], at[row] = 0, i, 0
            row += 1
        whole = spent + shape * -np.log(unit(key, bases[2], 0)) + 1e-12
        spent, cell = unit(key, bases[7], 0) * whole, 0
        for i in range(n):
            spent += gamma(key, bases[1], i, shape)
            if spent >= whole:
                spent, cell = spent - whole, 0
            target = spent / whole * total
            while cell < n_cells - 1 and passed[cell + 1] <= target:
                cell += 1
            step = passed[cell + 1] - passed[cell]
            within = (target - passed[cell]) / step if step > 0.0 else unit(key, bases[2], i + 1)
            if total <= 0.0:
                now = from_s[member] + (to_s[member] - from_s[member]) * unit(key, bases[2], i + 1)
            else:
                now = (cell + within) * CELL_S
            at[begin + i] = np.int64(now * _MICRO)


@njit(cache=True, nogil=True)
def _fill_harvest(keys: Any, schedule: Any, ends: Any, from_s: Any, to_s: Any, settings: Any, calendar: Any, bases: Any,
                  at: Any, session: Any, turn: Any) -> None:  # fmt: skip
    row, holes, widths = 0, np.zeros(5), np.zeros(5)
    for member in range(len(keys)):
        key, plan, begin = keys[member], schedule[member], row
        life = to_s[member] - from_s[member]
        lasts = life * (settings[0] + (settings[1] - settings[0]) * unit(plan, bases[1], 0))
        begins = from_s[member] + (life - lasts) * unit(plan, bases[0], 0)
        n_outages = 1 + below(plan, bases[3], 0, 5)
        for outage in range(n_outages):
            holes[outage] = begins + lasts * unit(plan, bases[4], outage)
            widths[outage] = min(600.0 + 17_400.0 * unit(plan, bases[5], outage), lasts / 10.0)
        for i in range(ends[member] - begin):
            now = begins + lasts * unit(plan, bases[2], i)
            for outage in range(n_outages):
                if holes[outage] < now < holes[outage] + widths[outage]:
                    now = holes[outage] + widths[outage] + min(3600.0, lasts / 10.0) * unit(plan, bases[6], i)
            if settings[2] > 0.0:
                now -= np.log(unit(key, bases[7], i)) * settings[2]
            at[row], session[row], turn[row] = np.int64(now * _MICRO), i, 0
            row += 1
