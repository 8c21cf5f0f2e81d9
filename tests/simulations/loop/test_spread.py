"""Intervals over seeds: hand-checked, honest about few seeds and about harm that was not seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.loop.spread import mean_interval, paired, share_interval

REALS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8)


def test_an_interval_is_the_one_that_a_table_of_t_gives() -> None:
    """Of 10, 12, 14: the mean is 12, the deviation 2, t at 2 degrees of freedom 4.3027: 12 -+ 4.3027 * 2 / sqrt(3)."""
    found = mean_interval([10.0, 12.0, 14.0])

    assert (found["n"], found["mean"]) == (3, 12.0)
    assert (found["low"], found["high"]) == pytest.approx((7.0317, 16.9683), abs=1e-4)


def test_one_seed_has_no_interval() -> None:
    """One world says nothing of how worlds differ."""
    assert mean_interval([3.0, None]) == {"n": 1, "mean": 3.0, "low": None, "high": None}
    assert mean_interval([None])["mean"] is None


def test_a_figure_does_not_go_below_its_floor() -> None:
    """Hours of work are never negative, nor are their bounds."""
    assert mean_interval([0.0, 0.0, 3.0], floor=0.0)["low"] == 0.0


def test_no_harm_seen_is_not_no_harm() -> None:
    """Of 0 in 100 accounts the exact bound is 1 - .025^(1/100), whatever the seeds agree on."""
    found = share_interval([0, 0], [50, 50])

    assert (found["mean"], found["low"]) == (0.0, 0.0)
    assert found["high"] == pytest.approx(1.0 - 0.025 ** (1 / 100))


def test_harm_that_comes_in_one_world_widens_the_bound() -> None:
    """Forty of 100 in one world and none in the other is less sure than twenty in each."""
    assert share_interval([40, 0], [100, 100])["high"] > share_interval([20, 20], [100, 100])["high"]


def test_paired_differences_are_counted_by_sign() -> None:
    """Three up, one equal, one left out: both tails of three equal signs are 2 / 2^3."""
    found = paired([1.0, 1.0, 1.0, 5.0, None], [2.0, 3.0, 4.0, 5.0, 1.0])

    assert (found["n"], found["n_up"], found["n_down"], found["n_equal"]) == (4, 3, 0, 1)
    assert (found["mean"], found["p_sign"]) == (1.5, 0.25)


@given(REALS, REALS)
def test_exchanging_the_sides_turns_the_difference(a: list[float], b: list[float]) -> None:
    """Neither side is favoured."""
    n = min(len(a), len(b))
    one, other = paired(a[:n], b[:n]), paired(b[:n], a[:n])

    assert (one["n_up"], one["p_sign"]) == (other["n_down"], other["p_sign"])
    assert one["mean"] == pytest.approx(-other["mean"])
    if n > 1:
        assert one["low"] == pytest.approx(-other["high"])
