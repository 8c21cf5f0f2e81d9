"""The desk: capacity is never exceeded, delays are kept, and errors and grants are as frequent as stated."""

from typing import Any

import numpy as np
import pytest

from simulations.loop.keys import DAY_US
from simulations.loop.review import Desk
from simulations.streams import Streams, member_keys
from tests.simulations.loop.play import STEP_US, defence_of

N = 4000


def desk_of(*, is_harvest: Any = None, appeals: Any = None, by: str = "account", **review: Any) -> Desk:
    """A desk for some thousand accounts, honest unless told."""
    settings = defence_of(by=by, review={"delay_days": 0.0, **review}, appeals=appeals or {})
    harvest = np.zeros(N, np.bool_) if is_harvest is None else is_harvest
    return Desk(settings, Streams(3), member_keys("some", N), harvest)


def submit(desk: Desk, accounts: Any, *, now_us: int = 0, score: Any = None, case: Any = None) -> None:
    """Open cases of some accounts."""
    accounts = np.asarray(accounts, np.int64)
    words = np.full(len(accounts), "review", object)
    scores = np.linspace(9.0, 8.0, len(accounts)) if score is None else np.asarray(score, float)
    desk.submit(now_us, accounts, accounts if case is None else np.asarray(case), scores, words, words)


def n_in(frames: Any) -> int:
    """Accounts that were confirmed or cleared."""
    return sum(len(frame) for frame in frames)


@pytest.mark.parametrize("capacity", [0.5, 1.0, 3.0, 5.0, 7.5, 100.0])
@pytest.mark.parametrize("idle_days", [0, 5])
def test_no_day_sees_more_cases_than_capacity(capacity: float, idle_days: int) -> None:
    """Any day closes at most so many cases, after idle days too, and a full queue uses all of it."""
    desk = desk_of(capacity_per_day=capacity, reviewers=1)
    for step in range(idle_days * 4):
        desk.close((step + 1) * STEP_US, STEP_US)
    submit(desk, np.arange(3000))
    first = idle_days * 4
    closed = [n_in(desk.close((first + step + 1) * STEP_US, STEP_US)) for step in range(40)]
    assert np.convolve(closed, np.ones(4, int)).max() <= np.ceil(capacity)
    assert abs(sum(closed) - 10 * capacity) <= 1
    assert desk.n_closed == sum(closed)
    assert desk.minutes == sum(closed) * 20.0


def test_the_highest_scores_come_first() -> None:
    """Cases wait in the order of their scores, and a case of several accounts is one."""
    desk = desk_of(capacity_per_day=4.0, reviewers=1, p_wrongs=0.0, by="cluster")
    submit(desk, [1, 2, 3, 4, 5], score=[1.0, 5.0, 1.0, 3.0, 2.0], case=[7, 8, 7, 9, 7])
    order = [desk.close(step * STEP_US, STEP_US)[1]["account"].tolist() for step in (1, 2, 3)]
    assert order == [[2], [4], [1, 3, 5]]
    assert desk.n_closed == 3


def test_nobody_looks_before_the_delay() -> None:
    """A case is closed at the first step after its delay; a newer judgement keeps its place in the queue."""
    desk = desk_of(delay_days=1.0, reviewers=1)
    submit(desk, [1, 2])
    submit(desk, [2, 3], now_us=STEP_US)
    waits = [n_in(desk.close(step * STEP_US, STEP_US)) for step in range(1, 7)]
    assert waits == [0, 0, 0, 2, 1, 0]


def test_reviewers_err_as_often_as_stated() -> None:
    """A harvest is missed, and an honest account taken for one, with the stated chances."""
    desk = desk_of(is_harvest=np.arange(N) % 2 == 0, capacity_per_day=1e6, reviewers=1, p_misses=0.2, p_wrongs=0.05)
    submit(desk, np.arange(N))
    confirmed, cleared = desk.close(STEP_US, STEP_US)
    missed, wronged = (cleared["account"] % 2 == 0).sum(), (confirmed["account"] % 2 == 1).sum()
    assert missed / (N / 2) == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / (N / 2)))
    assert wronged / (N / 2) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / (N / 2)))
    assert n_in((confirmed, cleared)) == N


def test_reviewers_who_differ_are_followed_by_others_the_next_day() -> None:
    """With two reviewers both must agree; where they do not, others look after a whole day, and cost time again."""
    desk = desk_of(capacity_per_day=1e6, reviewers=2, p_wrongs=0.3)
    submit(desk, np.arange(N))
    confirmed, cleared = desk.close(STEP_US, STEP_US)
    assert len(confirmed) / N == pytest.approx(0.09, abs=0.02)
    assert len(cleared) / N == pytest.approx(0.49, abs=0.035)
    differed = N - n_in((confirmed, cleared))
    later = [n_in(desk.close(step * STEP_US, STEP_US)) for step in range(2, 6)]
    assert later[:3] == [0, 0, 0]
    assert later[3] / differed == pytest.approx(0.58, abs=0.05)
    assert desk.minutes == (N + differed) * 2 * 20.0


def test_what_is_forgotten_is_not_closed() -> None:
    """A case of an account that is to be left alone is gone."""
    desk = desk_of(reviewers=1)
    submit(desk, [1, 2, 3])
    desk.forget(np.array([2]))
    assert np.flatnonzero(desk.is_waiting(N)).tolist() == [1, 3]
    assert n_in(desk.close(DAY_US, STEP_US)) == 2


def test_without_reviewers_everything_is_confirmed() -> None:
    """Where review is not mandatory nobody works and all that is due is confirmed."""
    desk = desk_of(is_mandatory=False, capacity_per_day=0.0)
    submit(desk, np.arange(50))
    confirmed, cleared = desk.close(STEP_US, STEP_US)
    assert (len(confirmed), len(cleared), desk.minutes) == (50, 0, 0.0)


@pytest.mark.parametrize("is_harvest", [True, False])
def test_appeals_are_as_frequent_as_stated(is_harvest: bool) -> None:
    """People appeal and are heard with the chances of who they are, after so many days, and that costs time."""
    appeals = {
        "p_appeals": 0.6, "p_granted": 0.9, "p_attacker_appeals": 0.1, "p_attacker_granted": 0.03, "days": 2.0,
        "minutes": 30.0,
    }  # fmt: skip
    desk = desk_of(is_harvest=np.full(N, is_harvest), appeals=appeals)
    appealed = desk.hear(DAY_US, np.arange(N))
    p, p_granted = (0.1, 0.03) if is_harvest else (0.6, 0.9)
    assert len(appealed) / N == pytest.approx(p, abs=0.04)
    assert [len(some) for some in desk.answer(3 * DAY_US - 1)] == [0, 0]
    granted, refused = desk.answer(3 * DAY_US)
    assert sorted([*granted, *refused]) == sorted(appealed)
    assert len(granted) / len(appealed) == pytest.approx(p_granted, abs=0.04)
    assert (desk.n_appeals, desk.minutes) == (len(appealed), len(appealed) * 30.0)
    assert [len(some) for some in desk.answer(9 * DAY_US)] == [0, 0]
