"""Lengths are correlated, heavy-tailed and limited."""

import numpy as np
import pytest
from scipy import stats

from simulations.streams import Streams, member_keys
from simulations.traffic import lengths

N = 20_000
KEYS, ORDINAL = member_keys("one", 1), np.arange(N)
CHARS = np.exp(np.random.default_rng(1).normal(5, 1.2, N)).astype(np.int64)


def test_answers_have_their_median_and_a_tail() -> None:
    """Half of the answers are below the median asked for; the longest are beyond what a log-normal reaches."""
    found = lengths.answers(Streams(1), KEYS, ORDINAL, median=200.0, chars=CHARS)
    assert np.median(found) == pytest.approx(200, rel=0.05)
    assert found.max() > 200 * np.exp(lengths.ANSWER_SIGMA * 5)


def test_lengths_correlate_but_not_fully() -> None:
    """Longer prompts get longer answers, loosely: a rank correlation between .2 and .5."""
    found = lengths.answers(Streams(1), KEYS, ORDINAL, median=200.0, chars=CHARS)
    assert 0.2 < stats.spearmanr(CHARS, found).statistic < 0.5


def test_limit_cuts() -> None:
    """An answer above its limit ends there and is marked."""
    answered, cut = lengths.capped(np.array([10.0, 300.7]), np.array([256, 256]))
    assert (answered.tolist(), cut.tolist()) == ([10, 256], [False, True])


def test_cost_follows_the_price() -> None:
    """A million tokens asked and answered cost what the price list says."""
    million = np.array([1_000_000])
    assert lengths.costs_usd(np.array([0]), million, million).tolist() == [30.0]
