"""Intervals are exact and inside [0, 1]."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from detector.intervals import clopper_pearson, share_with_interval


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_clopper_pearson(case: tuple[int, int]) -> None:
    """The interval equals the exact one of scipy."""
    n_hits, n = case
    expected = binomtest(n_hits, n).proportion_ci(method="exact")
    assert clopper_pearson(n_hits, n) == pytest.approx((expected.low, expected.high))


def test_nobody_counted_bounds_nothing() -> None:
    """Without a count, the share is unknown and its interval is everything."""
    assert share_with_interval(0, 0) == {"n": 0, "hits": 0, "share": None, "low": 0.0, "high": 1.0}
