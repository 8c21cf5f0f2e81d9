"""Arrivals keep the rhythm that is promised for each kind of account."""

from dataclasses import replace

import numpy as np
import pytest

from simulations.crowd import DAY_S, Crowd, Horizon, Visits
from simulations.streams import Counts, Reals, Streams, key_of, member_keys
from simulations.traffic import arrivals

MONDAY_S = 1_772_409_600.0  # 2026-03-02T00:00:00Z
SESSIONS, BURSTS = arrivals.Runs(), arrivals.Bursts()
JOBS = arrivals.Runs(most_runs=4, pause_s=0.5, pause_sigma=0.8, pace_sigma=0.9, hour=None)
STEADY, LOCKSTEP = arrivals.Harvest(), arrivals.Harvest(is_common=True, late_s=4.0)
PACES = {"sessions": SESSIONS, "bursts": BURSTS, "jobs": JOBS, "steady": STEADY, "lockstep": LOCKSTEP}


def crowd_of(n: int, days: float = 28.0) -> Crowd:
    """A crowd of n accounts."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("crowd", member_keys("crowd", n), group, Streams(11), Horizon(MONDAY_S, days))


def same(n: int, each: int) -> Counts:
    """The same number of requests for n accounts."""
    return np.full(n, each, dtype=np.int64)


def variation(times: Reals) -> float:
    """Coefficient of variation of the gaps."""
    gaps = np.diff(times)
    return float(gaps.std() / gaps.mean())


def by_member(visits: Visits, n: int) -> list[Reals]:
    """The times of each account."""
    return [np.sort(visits.at_us[visits.member == member]) / 1e6 for member in range(n)]


@pytest.mark.parametrize("pace", PACES)
def test_visits_are_unique_and_within_the_log(pace: str) -> None:
    """Visits are sorted by account, keyed once each, and inside the log, even a log of an hour."""
    for days in (1 / 24, 5.0):
        visits = PACES[pace].visits(crowd_of(20, days), same(20, 30))
        assert (np.diff(visits.member) >= 0).all()
        assert len(visits) == len(np.unique(visits.member * 1000 + visits.ordinal))
        assert ((visits.at_us >= 0) & (visits.at_us < days * DAY_S * 1e6)).all()


@pytest.mark.parametrize("pace", PACES)
def test_neighbours_do_not_move_anyone(pace: str) -> None:
    """An account's times are the same, to the bit, alone and behind others."""
    crowd, counts = crowd_of(6), np.array([3, 50, 7, 1, 90, 20])
    whole = PACES[pace].visits(crowd, counts)
    for member in range(6):
        alone = PACES[pace].visits(crowd.part(member, member + 1), counts[member : member + 1])
        assert np.array_equal(whole.at_us[whole.member == member], alone.at_us)


@pytest.mark.parametrize("pace", PACES)
def test_life_bounds_visits(pace: str) -> None:
    """An account that lives for two days of the log sends requests in these only, and does send some."""
    crowd = replace(crowd_of(8), begins_s=np.full(8, 3 * DAY_S), ends_s=np.full(8, 5 * DAY_S))
    visits = PACES[pace].visits(crowd, same(8, 50))
    assert ((visits.at_us >= 3 * DAY_S * 1e6) & (visits.at_us < 5 * DAY_S * 1e6)).all()
    assert len(visits) > 0.5 * 8 * 50


def test_people_sleep_and_rest() -> None:
    """The busiest hour of people has 8 to 16 times the quietest, and a weekend day under 60 % of a weekday."""
    visits = SESSIONS.visits(crowd_of(4000), same(4000, 10))
    opening = visits.at_us[visits.turn == 0] / 1e6
    hours = np.bincount((opening % DAY_S // 3600).astype(int), minlength=24)
    days = np.bincount((opening // DAY_S).astype(int) % 7, minlength=7)
    assert 8 < hours.max() / hours.min() < 16
    assert 0.4 < days[5:].mean() / days[:5].mean() < 0.6


def test_people_talk_in_turns() -> None:
    """Sessions have 2.35 turns on average, minutes apart."""
    visits = SESSIONS.visits(crowd_of(2000), same(2000, 40))
    n_sessions = (visits.turn == 0).sum()
    assert len(visits) / n_sessions == pytest.approx(2.35, rel=0.05)
    order = np.lexsort((visits.turn, visits.session, visits.member))
    pauses = np.diff(visits.at_us[order] / 1e6)[visits.turn[order][1:] > 0]
    assert np.median(pauses) == pytest.approx(90, rel=0.05)


def test_machines_are_bursty_by_day() -> None:
    """Most machines have gaps more varied than a Poisson process, and all call more by day than by night."""
    visits = BURSTS.visits(crowd_of(300), same(300, 400))
    found = [variation(times) for times in by_member(visits, 300)]
    assert 1.5 < np.median(found) < 3.5
    assert np.mean(np.array(found) > 1.0) > 0.8
    hours = visits.at_us / 1e6 % DAY_S // 3600
    assert ((hours >= 11) & (hours < 19)).sum() > 1.2 * ((hours < 7) | (hours >= 23)).sum()


def test_machines_differ_in_how_they_keep_the_day() -> None:
    """Some hardly call in their quietest six hours, some call then as at any hour, as clients of ServeGen do."""
    visits = arrivals.Bursts(variation=1.0, variation_sigma=0.0, always_share=1.0).visits(crowd_of(300), same(300, 800))
    quietest = []
    for times in by_member(visits, 300):
        by_hour = np.bincount((times % DAY_S // 3600).astype(int), minlength=24) / len(times)
        quietest.append(min(np.roll(by_hour, -hour)[:6].sum() for hour in range(24)))
    assert np.quantile(quietest, 0.1) < 0.05 < 0.17 < np.quantile(quietest, 0.9) < 0.25


def test_bursts_rest_on_weekends_where_told() -> None:
    """With a tenth of a weekday's intensity, weekends see far fewer requests; by default they see as many."""
    shares = []
    for weekend in (0.1, 1.0):
        visits = replace(BURSTS, always_share=1.0, weekend=weekend).visits(crowd_of(50), same(50, 500))
        shares.append(np.mean((visits.at_us / 1e6 // DAY_S) % 7 >= 5))
    assert shares[0] < 0.08
    assert shares[1] == pytest.approx(2 / 7, abs=0.04)


def test_people_differ_in_pace_and_length() -> None:
    """Where a spread is set, accounts have conversations of their own length, and the pace of their own."""
    spread = [
        np.std([np.mean(visits.turn[visits.member == member]) for member in range(100)])
        for visits in (
            arrivals.Runs(length=4.0, length_sigma=sigma).visits(crowd_of(100), same(100, 300)) for sigma in (0.0, 0.6)
        )
    ]
    assert spread[1] > 3 * spread[0]


def test_jobs_run_in_few_stretches() -> None:
    """A job account is active in at most one hour in ten."""
    visits = JOBS.visits(crowd_of(100), same(100, 500))
    active = [len(np.unique(times // 3600)) for times in by_member(visits, 100)]
    assert np.median(active) < 28 * 24 / 10


def test_harvest_runs_for_days_with_holes() -> None:
    """A steady harvest covers 40 to 70 % of the log, and most have a gap of over half an hour."""
    visits = STEADY.visits(crowd_of(60, 14), same(60, 5000))
    times = by_member(visits, 60)
    spans = [(t[-1] - t[0]) / (14 * DAY_S) for t in times]
    assert min(spans) > 0.35 and max(spans) < 0.75
    assert np.mean([np.diff(t).max() > 1800 for t in times]) > 0.6


def test_lockstep_members_act_within_seconds() -> None:
    """Half of one member's requests have a request of another member within ten seconds."""
    visits = LOCKSTEP.visits(crowd_of(2), same(2, 200))
    first, second = by_member(visits, 2)
    nearest = np.abs(first[:, None] - second[None, :]).min(axis=1)
    assert np.median(nearest) < 10


def test_volumes_are_log_normal() -> None:
    """Volumes have the median asked for and stay in their bounds."""
    drawn = arrivals.volumes(crowd_of(5000), median=100.0, sigma=1.0, least=5, most=900)
    assert np.median(drawn) == pytest.approx(100, rel=0.06)
    assert (drawn.min(), drawn.max()) == (5, 900)
