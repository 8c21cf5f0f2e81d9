"""Acting together by hand: samples overlap, meetings are counted once; timetables and lessons are no lock-step."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles.moments import MOMENTS, N_COUNTS, NO_MOMENT, RESOLUTIONS
from detector.profiles.store import Profiles
from tests.detector.features.small_logs import feature, folded, log_of, pooled_features

DAY_S = 86_400


def log_by(times: dict[str, "np.ndarray"]) -> pd.DataFrame:  # type: ignore[type-arg]
    """Make a log in order of time from each account's seconds since Monday midnight."""
    rows = sorted((float(t), account) for account, instants in times.items() for t in instants)
    return log_of([t for t, _ in rows], account_id=[account for _, account in rows])


def together(times: dict[str, "np.ndarray"], resolution: str) -> list[float]:  # type: ignore[type-arg]
    """Give the counts of a cluster of these accounts at one resolution."""
    profiles = folded(log_by(times))
    pool = profiles.pool(np.zeros(len(profiles), np.int64), ["all"])
    place = RESOLUTIONS.index(resolution)
    counts: list[float] = pool.states["moments"].together[0].reshape(-1, N_COUNTS)[place].tolist()
    return counts


def test_meetings_by_hand() -> None:
    """One common second, one more common minute, and one more common hour; next day's meetings are the control's."""
    a = np.array([0.0, 120, 7200, DAY_S])
    b = np.array([0.5, 170, 7200 + 1800])
    assert together({"a": a, "b": b}, "1s")[0] == 1
    assert together({"a": a, "b": b}, "1min")[0] == 2
    assert together({"a": a, "b": b}, "1h")[0] == 2
    assert together({"a": a, "b": b}, "1s")[1] == 0.5
    assert together({"a": a, "b": b}, "1s")[-1] == pytest.approx(2 / 60)


def test_one_account_meets_nobody() -> None:
    """However often an account comes, alone it has no meetings, at no resolution."""
    profiles = folded(log_by({"a": np.arange(0, 3 * DAY_S, 977.0)}))
    assert not profiles.pool(np.zeros(1, np.int64), ["all"]).states["moments"].together.any()


def test_the_same_second_counts_once() -> None:
    """A burst within a second is one moment."""
    kept = folded(log_by({"a": np.array([5.1, 5.2, 5.9, 6.0])})).trimmed()["moments"].moments[0]
    assert (kept != NO_MOMENT).sum() == 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_samples_of_accounts_overlap(seed: int) -> None:
    """Two accounts of a thousand common seconds keep nearly the same ones, whatever else each does."""
    rng = np.random.default_rng(seed)
    common = rng.integers(0, 14 * DAY_S, 1000)
    times = {account: np.concatenate([common, rng.integers(0, 14 * DAY_S, 100)]) for account in "ab"}
    kept = folded(log_by(times)).trimmed()["moments"].moments
    assert len(np.intersect1d(kept[0], kept[1])) > 0.7 * MOMENTS


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 500))
def test_merging_pieces_changes_nothing(seed: int, cut: int) -> None:
    """A log folded in two pieces and merged, in either order, keeps the moments of the whole."""
    rng = np.random.default_rng(seed)
    log = log_by({account: rng.integers(0, 5 * DAY_S, 300) for account in "ab"})
    whole, pieces = folded(log), [folded(log.iloc[:cut]), folded(log.iloc[cut:])]

    def kept(profiles: Profiles) -> object:
        profiles.put_in_order()
        return profiles.trimmed()["moments"].moments.tolist()

    assert kept(pieces[0].merge(pieces[1])) == kept(pieces[1].merge(pieces[0])) == kept(whole)


def rounds(rng: np.random.Generator, *, late_s: float) -> dict[str, "np.ndarray"]:  # type: ignore[type-arg]
    """Draw four accounts that one scheduler drives, some seconds apart."""
    begins = rng.uniform(0, 10 * DAY_S, 200)
    return {account: begins + rng.uniform(0, late_s, 200) for account in "abcd"}


def lock_step(times: dict[str, "np.ndarray"]) -> float:  # type: ignore[type-arg]
    """Give the feature of a cluster of these accounts."""
    return float(pooled_features(log_by(times))["lock_step"].iloc[0])


@pytest.mark.parametrize("late_s", [0.5, 5.0])
def test_a_scheduler_shows(late_s: float) -> None:
    """Rounds in the same second, or seconds apart, are far more meetings than any control has."""
    assert lock_step(rounds(np.random.default_rng(1), late_s=late_s)) > 2


def test_habits_and_lessons_do_not_show() -> None:
    """Office hours, one timetable every day, and one lesson a week are explained by the controls; alone, nothing is."""
    rng = np.random.default_rng(2)
    hours = {a: rng.integers(0, 10, 200) * DAY_S + rng.normal(14, 2, 200) * 3600 for a in "abcd"}
    timetable = {a: np.arange(12 * 24) * 3600.0 + 0.2 for a in "abcd"}
    lesson = {a: rng.choice([1, 8], 60) * DAY_S + 36_000 + rng.uniform(0, 2700, 60) for a in "abcd"}
    assert [lock_step(times) < 1 for times in (hours, timetable, lesson)] == [True] * 3
    assert np.isnan(feature(log_by({"a": np.arange(100.0)}), "lock_step"))
