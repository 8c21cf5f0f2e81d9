"""Thresholds: each way keeps what it promises, and what cannot be had is refused or told."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.control import Control, bayes_bound, find_threshold
from detector.detectors.base import Cohorts, Reference, within_log_reference
from detector.errors import ImpossibleRequestError
from detector.settings import PolicySettings

#: Ten thousand honest accounts with scores 0 to 9999, the twenty highest of a kind of forty.
N = 10_000
KEPT = np.arange(float(N))
ABOVE = (N - KEPT).astype(np.int64)
COHORTS = Cohorts({"chat": N - 40, "bulk": 40}, ("bulk",) * N, np.minimum(ABOVE, 40))
REFERENCE = Reference(N, KEPT, np.minimum((ABOVE + 1) / (N + 1), 1.0), 0.0, ABOVE, COHORTS)
BARE = Reference(N, KEPT, REFERENCE.p_values)


def found(scores: Any, reference: Reference = BARE, *, case: Any = None, n_days: int = 1, **given: Any) -> Control:
    """Find a threshold; every account is a case of its own unless told otherwise."""
    case = np.arange(len(scores)) if case is None else np.array(case)
    return find_threshold(reference, np.array(scores, float), PolicySettings(**given), case=case, n_days=n_days)


def log_of(n_harvest: int, n: int = 1000) -> np.ndarray:
    """Scores of accounts in the middle of the reference, and of some above all of it."""
    return np.concatenate([np.linspace(0, 5000, n - n_harvest), np.full(n_harvest, 2.0 * N)])


def test_a_budget_counts_the_reference() -> None:
    """A thousandth of 10,000 is reached at the ninth highest; what to expect of 1,000 accounts is said."""
    control = found(log_of(3), budget=1e-3)
    assert control.threshold == N - 9
    assert control.record["honest_flags_at_most"] == pytest.approx(1000 * 10 / 10_001)
    assert (control.record["method"], control.record["asked"], control.record["note"]) == ("budget", 1e-3, "")


def test_counts_give_exact_intervals() -> None:
    """Where the reference kept its counts, the record has the exact interval and the worst cohort's."""
    record = found(log_of(3), REFERENCE, budget=0.1).record
    assert record["reference"]["hits"] == 999
    assert record["honest_flags_interval"] == [1000 * record["reference"][end] for end in ("low", "high")]
    assert record["worst_cohort"] | {"low": 0, "high": 0} == {
        "name": "bulk", "n": 40, "hits": 40, "share": 1.0, "low": 0, "high": 0,
    }  # fmt: skip


def test_a_cohort_too_small_to_tell_puts_the_threshold_above_everyone() -> None:
    """Forty customers cannot show one per cent; the record says so, and that nobody known scores so high."""
    control = found(log_of(3), REFERENCE, budget=1e-3)
    assert control.threshold == np.nextafter(N - 1, N)
    assert "too small to show a share of 0.001" in control.record["note"]
    assert control.record["reference"]["hits"] == control.record["worst_cohort"]["hits"] == 0


def test_false_discoveries_flag_what_is_above_the_reference() -> None:
    """Sixty of a thousand above 10,000 honest accounts: e-values of 1 / (p L) there, enough for 5 % by hand."""
    scores = log_of(60)
    price = 1 + np.log(0.01 * (N + 1))
    assert (N + 1) / price > 1000 / (60 * 0.05)
    control = found(scores, fdr=0.05)
    assert (scores >= control.threshold).sum() == 60
    assert control.record["is_met"] and control.record["note"] == ""


def test_a_bound_that_this_log_cannot_keep_is_told() -> None:
    """Two of a thousand are too few for 5 %: nobody is flagged, and the note says how many, and what could be had."""
    scores = log_of(2)
    control = found(scores, fdr=0.05)
    assert not control.record["is_met"]
    assert not (scores >= control.threshold).any()
    assert control.record["note"] == (
        "A false discovery rate of 0.05 cannot be promised for anyone: of 1000 accounts 12 would have to score above "
        "every honest account of the reference; the least rate at which anyone would be flagged is 0.28."
    )
    assert (scores >= found(scores, fdr=0.29).threshold).sum() == 2


def test_a_bound_that_no_log_can_keep_is_refused() -> None:
    """A hundred honest accounts cannot promise one false in a thousand, however guilty the log."""
    small = Reference(100, np.arange(100.0), (101 - np.arange(100.0)) / 101)
    with pytest.raises(ImpossibleRequestError) as caught:
        found(log_of(999), small, fdr=0.001)
    assert str(caught.value) == (
        "--fdr 0.001: with 100 honest accounts behind the reference no e-value exceeds 100, and 1000 are needed even "
        "where every account is flagged; give a rate of 0.01 or more"
    )


def test_a_log_is_no_reference_for_false_discoveries() -> None:
    """Detectors that compare a log with itself are told apart."""
    scores = log_of(60)
    with pytest.raises(ImpossibleRequestError, match="no honest accounts to compare with but the log itself"):
        found(scores, within_log_reference(scores), fdr=0.05)


def test_obvious_accounts_do_not_drag_others_along() -> None:
    """However many evident harvests an attacker adds, nobody whose p-value exceeds .01 is flagged with them."""
    scores = np.concatenate([log_of(0), np.full(50_000, 2.0 * N)])
    control = found(scores, fdr=0.5)
    assert REFERENCE.p_value(np.array([control.threshold]))[0] <= 0.01


CASES = st.lists(st.tuples(st.integers(0, 2 * N), st.integers(0, 15)), min_size=1, max_size=60)


@given(CASES, st.floats(0.5, 5), st.integers(1, 4))
def test_reviewers_are_never_overrun(rows: list[tuple[int, int]], capacity: float, n_days: int) -> None:
    """The cases flagged are at most capacity times days, and no case left out scores higher than one taken."""
    case = np.array([c for _, c in rows])
    top = {c: max(s for s, other in rows if other == c) for c in case}
    scores = np.array([float(top[c]) for c in case])
    if int(capacity * n_days) == 0:
        return
    control = found(scores, case=case, n_days=n_days, capacity=capacity)
    assert len(set(case[scores >= control.threshold])) <= capacity * n_days
    assert np.isfinite(control.threshold)


def test_capacity_stops_where_odds_are_hopeless() -> None:
    """With room for all, only those whose odds can reach 1 in 20 are taken; the record says what budget that is."""
    scores = np.concatenate([np.linspace(0, 8000, 500), np.full(4, 2.0 * N)])
    control = found(scores, capacity=1000)
    assert (scores >= control.threshold).sum() == 4
    assert control.record["note"] == "Cases: 4; 1000 a day for a period of 1 would be 1000: the rest is hopeless."
    assert control.record["budget"] == pytest.approx(1 / (N + 1))
    assert 0.005 / 0.995 * bayes_bound(REFERENCE.p_value(np.array([8000.0])))[0] < 0.05


def test_equal_cases_beyond_capacity_are_all_left_out() -> None:
    """Three cases of one score with room for two: none, because chance would choose among them."""
    control = found([2.0 * N] * 3, capacity=2)
    assert control.threshold > 2.0 * N


def test_not_one_case_is_refused() -> None:
    """A third of a case a day in two days is none."""
    with pytest.raises(ImpossibleRequestError, match=r"--capacity 0\.333: not one case in the 2 days of the log"):
        found(log_of(3), capacity=0.333, n_days=2)


@given(st.floats(1e-12, 1))
def test_the_bayes_bound_is_a_bound(p_value: float) -> None:
    """No calibrator k p^(k-1) turns a p-value into more, and it is never below 1."""
    k = np.linspace(0.001, 1, 500)
    bound = bayes_bound(np.array([p_value]))[0]
    assert bound >= 1 - 1e-12
    assert np.all(k * p_value ** (k - 1) <= bound * (1 + 1e-9))
