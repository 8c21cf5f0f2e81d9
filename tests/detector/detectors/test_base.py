"""Scores of honest accounts as a yardstick: p-values that never flatter, thresholds that undo them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.detectors.base import Reference, Verdict, within_log_reference

SCORES = st.lists(st.integers(-40, 40).map(lambda tenths: tenths / 10), min_size=2, max_size=60)
TEN = within_log_reference(np.arange(10.0))


def test_p_value_by_hand() -> None:
    """Of ten accounts with scores 0 to 9, the share at or above 9 is 1 / 11 and at or above 0 is 10 / 11."""
    np.testing.assert_allclose(TEN.p_value(np.array([9.0, 8.0, 0.0])), [1 / 11, 2 / 11, 10 / 11])


def test_p_value_between_scores_is_geometric() -> None:
    """Halfway between two scores lies the geometric mean of their shares."""
    np.testing.assert_allclose(TEN.p_value(np.array([8.5])), [np.sqrt(1 / 11 * 2 / 11)])


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
def test_threshold_undoes_p_value(known: list[float], place: float) -> None:
    """For every budget that the reference can tell, the p-value at its threshold is the budget."""
    reference = within_log_reference(np.array(known))
    least, most = reference.p_value(np.array([max(known), min(known)]))
    budget = least ** (1 - place) * most**place
    np.testing.assert_allclose(reference.p_value(np.array([reference.threshold(budget)])), [budget])


@given(SCORES, st.floats(0.01, 0.5))
def test_a_budget_flags_no_larger_share(known: list[float], budget: float) -> None:
    """Of the accounts behind the reference, those above the threshold are at most the budget."""
    scores = np.array(known)
    flagged = (scores > within_log_reference(scores).threshold(budget)).mean()
    assert flagged <= budget * (len(known) + 1) / len(known) + 1e-12


def test_stricter_budgets_have_higher_thresholds() -> None:
    """Halving the budget never lowers the threshold."""
    thresholds = [TEN.threshold(0.5 / 2**k) for k in range(6)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1] == 9.0


def test_reference_of_a_model_ends_at_its_edge() -> None:
    """Beyond the kept scores the share stays at the edge."""
    reference = Reference(1000, np.array([0.0, 1.0]), np.array([0.5, 0.01]))
    np.testing.assert_allclose(reference.p_value(np.array([-5.0, 5.0])), [0.5, 0.01])


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
