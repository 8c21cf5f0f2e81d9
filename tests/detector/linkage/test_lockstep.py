"""Pairs in lock-step: a scheduler's accounts are tied, a town's, a timetable's and a lesson's are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage.lockstep import find_lock_steps
from tests.detector.features.small_logs import folded
from tests.detector.profiles.test_moments import DAY_S, log_by

Times = dict[str, "np.ndarray"]  # type: ignore[type-arg]


def town(rng: np.random.Generator, n: int = 40) -> Times:
    """Draw people who act by day."""
    return {f"p{i:02d}": rng.integers(0, 14, 80) * DAY_S + rng.normal(14, 3, 80) * 3600 for i in range(n)}


def tied(times: Times, most_accounts: int = 250) -> set[str]:
    """Give the accounts that are tied to any other."""
    profiles = folded(log_by(times))
    first, second = find_lock_steps(profiles.trimmed()["moments"].moments, most_accounts=most_accounts)
    return {profiles.account_ids[i] for i in [*first.tolist(), *second.tolist()]}


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 4.0]))
def test_a_scheduler_ties(seed: int, late_s: float) -> None:
    """Accounts that one scheduler drives are tied, as soon as their rounds, some skipped, are seconds apart."""
    rng = np.random.default_rng(seed)
    begins = np.floor(rng.uniform(0, 14 * DAY_S, 150) / 60) * 60 + 20
    fleet = {f"f{i}": rng.choice(begins, 120, replace=False) + rng.uniform(0, late_s, 120) for i in range(5)}
    assert tied(town(rng) | fleet) == set(fleet)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_people_are_not_tied(seed: int) -> None:
    """The same hours tie nobody."""
    assert tied(town(np.random.default_rng(seed))) == set()


@pytest.mark.parametrize("kind", ["timetable", "lessons", "outage"])
def test_what_honest_accounts_have_in_common_does_not_tie(kind: str) -> None:
    """Jobs at full hours, lessons in the same hours of four days, and retries of one day's outage tie nobody."""
    rng = np.random.default_rng(3)
    drawn = {
        "timetable": lambda: np.arange(14 * 24) * 3600.0,
        "lessons": lambda: rng.choice([0, 1, 3, 9], 120) * DAY_S + 36_000 + rng.uniform(0, 2700, 120),
        "outage": lambda: np.concatenate([5 * DAY_S + np.arange(0, 900, 10.0), rng.uniform(0, 14 * DAY_S, 60)]),
    }
    assert tied(town(rng) | {f"x{i}": drawn[kind]() for i in range(6)}) == set()


def test_what_too_many_do_at_once_ties_nobody() -> None:
    """Rounds of six accounts tie where six may meet, and nobody where at most five may."""
    begins = np.random.default_rng(4).uniform(0, 14 * DAY_S, 100)
    fleet = {f"f{i}": begins for i in range(6)}
    assert tied(fleet, most_accounts=6) == set(fleet)
    assert tied(fleet, most_accounts=5) == set()
