"""The drift alarm: silent on the model's own population, loud on another, and not to be raised by a few."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from detector.detectors.population import LEAST_ACCOUNTS, distance, outside, population_of

VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60).map(np.array)


def drawn(seed: int, n: int = 600, **shift: float) -> pd.DataFrame:
    """Accounts with a value of three features, one of them mostly 0; a shift is added to the named ones."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(3, 1, n),
            "repeats": rng.exponential(1, n),
            "paid_ratio": np.maximum(rng.normal(-1, 1, n), 0),
        }
    )
    return frame + pd.Series({name: shift.get(name, 0.0) for name in frame})


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_distance_is_a_lower_bound(known: np.ndarray, x: np.ndarray) -> None:
    """Never more than the exact distance of the two samples beside the steps of the quantiles, however tied."""
    quantiles = np.quantile(known, np.linspace(0, 1, 21), method="inverted_cdf")
    exact = max(abs((known <= at).mean() - (x <= at).mean()) for at in [*known, *x])
    assert 0 <= distance(quantiles, x) <= exact + 1 / 20 + 1e-9


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_distance_is_exact_to_a_twentieth(shift: float) -> None:
    """Against scipy, on two normal samples."""
    one, other = drawn(1, 4000).age.to_numpy(), drawn(2, 4000, age=shift).age.to_numpy()
    found = distance(np.quantile(one, np.linspace(0, 1, 21)), other)
    assert ks_2samp(one, other).statistic - 0.05 <= found <= ks_2samp(one, other).statistic + 0.01


@pytest.mark.parametrize("seed", range(2, 12))
def test_the_same_population_raises_no_alarm(seed: int) -> None:
    """Other accounts of the same kind, many zeros among them, few or many."""
    population = population_of(drawn(1))
    assert outside(population, drawn(seed, n=60 + 50 * seed), ["age", "repeats", "paid_ratio"]) == []


def test_another_population_is_named() -> None:
    """Two features moved: both named, furthest first, with the log's median and the population's range."""
    shifts = outside(population_of(drawn(1)), drawn(2, age=2.0, repeats=4.0), ["age", "repeats", "paid_ratio"])
    assert [shift.feature for shift in shifts] == ["repeats", "age"]
    assert shifts[1].median == pytest.approx(5.0, abs=0.2)
    assert (shifts[1].low, shifts[1].high) == pytest.approx((1.72, 4.28), abs=0.3)


def test_rounding_of_a_file_is_no_shift() -> None:
    """Most accounts have one value, which the file keeps to six figures."""
    features = pd.DataFrame({"age": np.full(200, 2.285557309007774)})
    assert outside({"age": np.full(21, 2.28556)}, features, ["age"]) == []


def test_a_campaign_cannot_raise_it() -> None:
    """A quarter of the accounts may do what they like."""
    log = drawn(2, n=4000)
    log.loc[:999] = 1e6
    assert outside(population_of(drawn(1, n=4000)), log, list(log)) == []


def test_what_tells_nothing_says_nothing() -> None:
    """Features that the model does not use, that it does not know, or that few accounts have."""
    population, log = population_of(drawn(1)), drawn(2, age=9.0)
    assert outside(population, log, ["repeats"]) == []
    assert outside({}, log, ["age"]) == []
    log.loc[LEAST_ACCOUNTS - 1 :, "age"] = np.nan
    assert outside(population, log, ["age"]) == []
    assert population_of(log.head(LEAST_ACCOUNTS - 1)) == {}
