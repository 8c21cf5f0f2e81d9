"""Scores of honest accounts as a yardstick: p-values that never flatter, thresholds that undo them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.detectors.base import Cohorts, Reference, Verdict, within_log_reference

SCORES = st.lists(st.integers(-40, 40).map(lambda tenths: tenths / 10), min_size=2, max_size=60)
TEN = within_log_reference(np.arange(10.0))


def test_p_value_by_hand() -> None:
    """Of ten accounts with scores 0 to 9, the share at or above 9 is 1 / 11 and at or above 0 is 10 / 11."""
    np.testing.assert_allclose(TEN.p_value(np.array([9.0, 8.0, 0.0])), [1 / 11, 2 / 11, 10 / 11])


def test_p_value_between_scores_never_flatters() -> None:
    """Between two kept scores it is that of the lower one, below all of them it is 1."""
    np.testing.assert_allclose(TEN.p_value(np.array([8.5, 8.999, -0.1])), [2 / 11, 2 / 11, 1.0])


@given(SCORES, SCORES)
def test_p_value_is_never_below_the_exact_one(known: list[float], asked: list[float]) -> None:
    """However few scores a reference keeps: at least 1 + accounts at least so high, over 1 + accounts."""
    scores, every_third = np.sort(known), np.unique(np.sort(known)[::-1][::3])
    shares = np.array([((scores >= s).sum() + 1) / (len(scores) + 1) for s in every_third])
    p_values = Reference(len(scores), every_third, np.minimum(shares, 1.0)).p_value(np.array(asked))
    exact = np.array([((scores >= s).sum() + 1) / (len(scores) + 1) for s in asked])
    assert np.all(p_values >= exact - 1e-12)


@given(SCORES, SCORES)
def test_p_value_falls_with_the_score_and_is_never_zero(known: list[float], asked: list[float]) -> None:
    """Monotone, at most 1, and at least 1 / (n + 1): n honest accounts cannot show less."""
    reference = within_log_reference(np.array(known))
    p_values = reference.p_value(np.sort(np.array([*asked, -1e9, 1e9])))
    assert np.all(np.diff(p_values) <= 0)
    assert p_values.max() <= 1.0
    assert p_values.min() >= 1 / (len(known) + 1)


@given(SCORES)
def test_accounts_that_score_alike_have_one_share(known: list[float]) -> None:
    """With ties the share counts all accounts at the score, so that a crowd at the top is no rarity."""
    scores = np.array(known)
    expected = [(scores >= s).sum() / (len(scores) + 1) for s in scores]
    np.testing.assert_allclose(within_log_reference(scores).p_value(scores), expected)


@given(SCORES, st.floats(0, 1))
def test_threshold_is_where_p_values_come_within_the_budget(known: list[float], place: float) -> None:
    """At the threshold the p-value is within the budget, just below it is not."""
    reference = within_log_reference(np.array(known))
    least, most = reference.p_value(np.array([max(known), min(known)]))
    budget = least ** (1 - place) * most**place * (1 + 1e-12)
    threshold = reference.threshold(budget)
    at, below = reference.p_value(np.array([threshold, np.nextafter(threshold, -np.inf)]))
    assert at <= budget < below


@given(SCORES, st.floats(0.01, 0.5))
def test_a_budget_flags_no_larger_share(known: list[float], budget: float) -> None:
    """Of the accounts behind the reference, those from the threshold on are at most the budget."""
    scores = np.array(known)
    flagged = (scores >= within_log_reference(scores).threshold(budget)).mean()
    assert flagged <= budget * (len(known) + 1) / len(known) + 1e-12


def test_stricter_budgets_have_higher_thresholds() -> None:
    """Halving the budget never lowers the threshold."""
    thresholds = [TEN.threshold(0.5 / 2**k) for k in range(6)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1] == np.nextafter(9.0, 10.0)


@pytest.mark.parametrize(("floor", "least"), [(0.0, 1 / 1001), (0.004, 0.004)])
def test_reference_of_a_model_ends_at_its_floor(floor: float, least: float) -> None:
    """Above every score the share is the floor, 1 / (n + 1) where none is given; below all of them it is 1."""
    reference = Reference(1000, np.array([0.0, 1.0]), np.array([0.5, 0.01]), floor)
    np.testing.assert_allclose(reference.p_value(np.array([-5.0, 1.0, 5.0])), [1.0, 0.01, least])


def test_a_cohort_holds_the_threshold_up() -> None:
    """No kind of customer is flagged ten times the budget: where 3 of 29 score from 8 on, a budget of .01 needs 9."""
    cohorts = Cohorts({"bulk": 29}, ("bulk", "bulk"), np.array([3, 1]))
    scores, shares = np.array([8.0, 9.0]), np.array([0.005, 0.003])
    free, held = Reference(999, scores, shares), Reference(999, scores, shares, cohorts=cohorts)
    assert (free.threshold(0.01), held.threshold(0.01)) == (8.0, 9.0)
    assert held.threshold(0.006) == np.nextafter(9.0, 10.0)
    assert cohorts.shares.tolist() == [4 / 30, 2 / 30]


def test_verdict_adds_up() -> None:
    """Prior and contributions are the score; families split the contributions without remainder."""
    pieces = pd.DataFrame({"age": [1.0, 0.0], "payments": [0.5, -2.0], "repeats": [0.25, 0.0]})
    verdict = Verdict(-4.0, pieces, {"age": "economy", "payments": "economy", "repeats": "content"})
    assert verdict.scores.tolist() == [-2.25, -6.0]
    assert verdict.by_family("economy").tolist() == [1.5, -2.0]
    assert verdict.by_family("content").tolist() == [0.25, 0.0]
    assert verdict.by_family("rate").tolist() == [0.0, 0.0]


@pytest.mark.parametrize("n", [1, 3])
def test_a_log_of_few_is_its_own_reference(n: int) -> None:
    """Even one account has a p-value, and it is not small."""
    reference = within_log_reference(np.full(n, 2.5))
    np.testing.assert_allclose(reference.p_value(np.full(n, 2.5)), n / (n + 1))
