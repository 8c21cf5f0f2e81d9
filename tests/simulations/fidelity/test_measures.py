"""Figures of traffic are what their names say, on data small enough to check by hand."""

import numpy as np
import pyarrow as pa
import pytest

from simulations.fidelity import measures


def test_inequality_has_its_extremes() -> None:
    """Equal shares have a Gini of 0, all to one of many nearly 1."""
    assert measures.gini(np.ones(50)) == pytest.approx(0, abs=1e-12)
    assert measures.gini(np.append(np.zeros(99), 1.0)) == pytest.approx(0.99)


def test_zipf_slope_is_found() -> None:
    """Values that fall with the rank to the power -1.5 have the slope -1.5."""
    assert measures.zipf_slope(np.arange(1, 200) ** -1.5) == pytest.approx(-1.5)


def test_fano_of_even_and_random_counts() -> None:
    """Even arrivals have a Fano factor near 0, Poisson ones near 1, whatever the density it is told for."""
    random = np.cumsum(np.random.default_rng(0).exponential(1.0, 20_000))
    assert measures.fano(np.arange(2000.0), 10.0) == pytest.approx(0, abs=0.01)
    assert measures.fano(random, 10.0) == pytest.approx(1, abs=0.15)
    assert measures.fano_at(random, 10.0, per_s=1.0) == pytest.approx(measures.fano(random, 10.0), rel=0.02)


def test_duty_cycle_counts_windows() -> None:
    """An account in two of six windows is active a third of the time."""
    member, at_s = np.array([0, 0, 0, 1]), np.array([1.0, 2.0, 700.0, 5.0])
    assert measures.duty_cycles(member, at_s, 3600.0) == pytest.approx([2 / 6, 1 / 6])


def test_only_full_windows_have_a_variation() -> None:
    """A window with too few requests is left out; an even one has no variation."""
    at_s = np.concatenate([np.arange(60) * 10.0, 600.0 + np.arange(10)])
    assert measures.window_variations(np.zeros(70, dtype=np.int64), at_s) == pytest.approx([0.0])


def test_long_pause_and_another_account_cut_conversations() -> None:
    """Turns are counted within an account, between long pauses."""
    member, at_s = np.array([0, 0, 0, 1]), np.array([0.0, 10.0, 10_000.0, 10_001.0])
    assert measures.turns(member, at_s).tolist() == [2, 1, 1]


def test_texts_have_their_figures() -> None:
    """Lower case, please, repeats and openings are shares of the texts."""
    found = measures.text_figures(pa.array(["please go on now", "Please go on now", "Tell me more", "Tell me more"]))
    assert found["share in lower case"] == 0.25
    assert found["share with please"] == 0.5
    assert found["share of repeats"] == 0.25
    assert found["distinct openings"] == 0.75
