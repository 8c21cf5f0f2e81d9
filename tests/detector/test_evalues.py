"""E-values: at most 1 on average where honest, and false discoveries within their bound under any dependence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.evalues import LARGEST_P, e_bh, from_p, reachable_rate

LEAST = st.floats(1e-6, 0.5)
E_VALUES = st.lists(st.floats(0, 1e4), min_size=1, max_size=40).map(np.array)
RATES = st.floats(0.001, 0.9)


@given(st.integers(1, 20_000))
def test_expectation_is_at_most_one(n: int) -> None:
    """For a rank among n honest accounts and itself, all ranks alike, the mean e-value is at most 1."""
    ranks = np.arange(1, n + 2)
    assert from_p(ranks / (n + 1), 1 / (n + 1)).mean() <= 1 + 1e-9


@given(LEAST)
def test_the_stake_is_not_wasted(least: float) -> None:
    """For a p-value that is uniform but for its floor, the mean is 1: no valid calibrator of this shape pays more."""
    largest = max(least, LARGEST_P)
    edges = np.geomspace(least, largest, 4001)
    middles = np.sqrt(edges[1:] * edges[:-1])
    mean = from_p(np.array([least]), least)[0] * least + (from_p(middles, least) * np.diff(edges)).sum()
    assert mean == pytest.approx(1.0, abs=1e-4)


@given(LEAST, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_smaller_p_values_are_more_evidence(least: float, p_values: list[float]) -> None:
    """E-values never rise with p, are 0 where nothing is staked, and are bounded by the reference's edge."""
    found = from_p(np.sort(p_values), least)
    assert np.all(np.diff(found) <= 0)
    assert found.max() <= 1 / least
    assert np.all(found[np.sort(p_values) > max(least, LARGEST_P)] == 0)


@given(E_VALUES, RATES)
def test_rejections_are_the_largest_that_qualify(e_values: np.ndarray, rate: float) -> None:
    """By the definition, for every k in turn: the k largest where the k-th is at least N / (k rate)."""
    ordered, n = np.sort(e_values)[::-1], len(e_values)
    fitting = [k for k in range(1, n + 1) if ordered[k - 1] >= n / (k * rate) * (1 - 1e-12)]
    expected = e_values >= ordered[fitting[-1] - 1] if fitting else np.zeros(n, bool)
    np.testing.assert_array_equal(e_bh(e_values, rate), expected)


@given(E_VALUES, RATES)
def test_the_reachable_rate_is_where_flags_begin(e_values: np.ndarray, rate: float) -> None:
    """Somebody is rejected exactly from the reachable rate on."""
    least = reachable_rate(e_values)
    if not np.isclose(rate, least):
        assert e_bh(e_values, rate).any() == (rate > least)


def test_the_sum_of_a_log_that_is_its_own_reference_reaches_nothing() -> None:
    """E-values that sum to N can promise no rate below 1."""
    assert reachable_rate(np.array([4.0, 0.0, 0.0, 0.0])) == 1.0
    assert reachable_rate(np.zeros(3)) == np.inf


@pytest.mark.parametrize("size", [1, 10, 100])
def test_false_discoveries_are_within_the_bound_in_clusters(size: int) -> None:
    """Honest accounts in clusters of one score, harvests beside them: the mean false share is within 10 %.

    Drawn 400 times with a fresh reference; the exact mean is far below, so three standard errors are no crutch.
    """
    rng, proportions = np.random.default_rng(4), []
    for _ in range(400):
        reference = np.sort(rng.normal(size=2000))
        honest = np.repeat(rng.normal(size=1000 // size), size)
        scores = np.concatenate([honest, rng.normal(6, 1, size=60)])
        p_values = (2001 - np.searchsorted(reference, scores)) / 2001
        flagged = e_bh(from_p(p_values, 1 / 2001), 0.1)
        proportions.append(flagged[:1000].sum() / max(1, flagged.sum()))
        assert flagged[1000:].mean() > 0.5
    assert np.mean(proportions) + 3 * np.std(proportions) / 20 <= 0.1
