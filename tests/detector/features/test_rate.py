"""Rate by hand: how much, when, how regularly."""

import numpy as np
import pytest

from tests.detector.features.small_logs import feature, features_of, log_of

HOUR = 3600
DAY = 24 * HOUR
ROW_FEATURES = ("regular_share", "fast_share", "pause_share", "median_gap", "gap_spread", "longest_quiet")


def test_requests_per_day_is_over_the_life() -> None:
    """40 requests over 4 days are 10 a day; a life below a day counts as one."""
    assert feature(log_of(np.linspace(0, 4 * DAY, 40).tolist()), "requests_per_day") == pytest.approx(1.0)
    assert feature(log_of(list(range(100))), "requests_per_day") == pytest.approx(2.0)


def test_quiet_share_of_flat_traffic_is_a_quarter() -> None:
    """One request in each hour of two days: any six hours hold a quarter."""
    assert feature(log_of([HOUR * h for h in range(48)]), "quiet_share") == 0.25


def test_quiet_share_of_one_who_sleeps_is_zero() -> None:
    """Six hours without a request, here around midnight, are found."""
    awake = [DAY * day + HOUR * h for day in range(3) for h in range(4, 21)]
    assert feature(log_of(awake), "quiet_share") == 0.0


@pytest.mark.parametrize("name", ["quiet_share", "weekend_share", "busiest_share", "active_share"])
def test_few_requests_tell_no_hours(name: str) -> None:
    """Below 24 requests a share of hours is NaN, from 24 on it is a number."""
    assert np.isnan(feature(log_of([HOUR * h for h in range(23)]), name))
    assert np.isfinite(feature(log_of([HOUR * h for h in range(24)]), name))


def test_weekend_share_is_two_sevenths_when_flat() -> None:
    """A request each hour of a week: 48 of 168 fall on Saturday and Sunday, and a Monday has none."""
    assert feature(log_of([HOUR * h for h in range(168)]), "weekend_share") == pytest.approx(2 / 7)
    assert feature(log_of([600 * i for i in range(100)]), "weekend_share") == 0.0


def test_regular_share_tells_a_clock_from_alternation() -> None:
    """Equal gaps are all regular; gaps of 1 and 3 s are not; below eight pairs nothing is said."""
    assert feature(log_of([10 * i for i in range(11)]), "regular_share") == 1.0
    assert feature(log_of(np.cumsum([1, 3] * 6).tolist()), "regular_share") == 0.0
    assert np.isnan(feature(log_of([10 * i for i in range(9)]), "regular_share"))


def test_fast_and_pause_share_count_gaps() -> None:
    """Of four gaps (0.2 s, 0.2 s, 1 min, 1 h) two are fast and one is a pause."""
    log = log_of([0, 0.2, 0.4, 60.4, 3660.4])
    assert feature(log, "fast_share") == 0.5
    assert feature(log, "pause_share") == 0.25


def test_median_gap_is_the_floor_of_its_half_octave() -> None:
    """Gaps of 3 s lie between 2.048 and 3.072 s on the scale."""
    assert feature(log_of([3 * i for i in range(12)]), "median_gap") == pytest.approx(np.log10(2.048 + 1e-3))


def test_gap_spread_is_in_octaves() -> None:
    """A clock has none; as many gaps of 1.1 s as of 4.4 s lie two octaves apart, one from their middle."""
    assert feature(log_of([5 * i for i in range(12)]), "gap_spread") == 0.0
    assert feature(log_of([0, *np.cumsum([1.1, 4.4] * 6).tolist()]), "gap_spread") == pytest.approx(1.0)


def test_longest_quiet_is_a_share_of_life() -> None:
    """A silence of three days in a life of four is .75."""
    assert feature(log_of([0, 60, 3 * DAY + 60, 4 * DAY]), "longest_quiet") == pytest.approx(0.75)


def test_busiest_and_active_share_read_the_timeline() -> None:
    """In a life of 64 hours with a request each hour none stands out; with 36 more in one hour that hour does."""
    flat = [HOUR * h for h in range(64)]
    assert feature(log_of(flat), "busiest_share") == pytest.approx(1 / 64)
    assert feature(log_of(flat), "active_share") == 1.0
    bursty = sorted(flat + [HOUR * 5 + i for i in range(1, 37)])
    assert feature(log_of(bursty), "busiest_share") == pytest.approx(0.37)


@pytest.mark.parametrize("name", ROW_FEATURES)
def test_one_request_has_no_gap(name: str) -> None:
    """Where there is no gap the feature is NaN, never 0."""
    assert np.isnan(feature(log_of([5]), name))


def test_counts_per_hour_give_hours_and_no_gaps() -> None:
    """Hourly counts keep volume and hours, by weight; what needs a row per request is absent."""
    log = log_of([HOUR * h for h in range(48)], n_requests=3)
    found = features_of(log)
    assert not set(ROW_FEATURES) & set(found)
    assert found.quiet_share.iloc[0] == 0.25
    assert found.requests_per_day.iloc[0] == pytest.approx(np.log10(144 / (47 / 24)))


def test_counts_per_day_tell_no_hours() -> None:
    """Daily counts all begin at midnight; that is no sleep of 23 hours, so the quiet share is NaN."""
    found = features_of(log_of([DAY * d for d in range(14)], n_requests=50))
    assert np.isnan(found.quiet_share.iloc[0])
    assert found.weekend_share.iloc[0] == pytest.approx(2 / 7)
