"""Draws depend on their key alone and follow their distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulations.streams import Streams, key_of, member_keys, mix

N = 20_000
KEYS = member_keys("someone", 1)
INDEX = np.arange(N)
DRAW = Streams(3)

DISTRIBUTIONS = {
    "uniform": (DRAW.uniform(KEYS, "u", INDEX), stats.uniform()),
    "normal": (DRAW.normal(KEYS, "n", INDEX), stats.norm()),
    "exponential": (DRAW.exponential(KEYS, "e", INDEX, mean=2.0), stats.expon(scale=2.0)),
    "lognormal": (DRAW.lognormal(KEYS, "l", INDEX, median=5.0, sigma=0.7), stats.lognorm(0.7, scale=5.0)),
    "weibull": (DRAW.weibull(KEYS, "w", INDEX, shape=0.6), stats.weibull_min(0.6)),
    "gamma below one": (DRAW.gamma(KEYS, "g", INDEX, shape=0.2), stats.gamma(0.2)),
    "gamma above one": (DRAW.gamma(KEYS, "h", INDEX, shape=3.7), stats.gamma(3.7)),
    "over accounts": (DRAW.uniform(member_keys("crowd", N), "u"), stats.uniform()),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_follow_their_distribution(name: str) -> None:
    """20,000 draws of a fixed seed pass the Kolmogorov-Smirnov test at 1 %."""
    drawn, expected = DISTRIBUTIONS[name]
    assert stats.kstest(drawn, expected.cdf).pvalue > 0.01


@given(st.integers(0, 2**63 - 1), st.text(max_size=8), st.integers(0, 2**40))
def test_draw_depends_on_its_key_only(seed: int, purpose: str, index: int) -> None:
    """A draw is the same alone, among others, and in any order."""
    streams, keys = Streams(seed), member_keys("crowd", 5)
    alone = streams.gamma(keys[3:4], purpose, index, shape=0.5)
    among = streams.gamma(keys[::-1], purpose, np.full(5, index), shape=0.5)
    assert alone[0] == among[1]


def test_gamma_takes_a_shape_per_account() -> None:
    """Draws of many shapes at once equal the draws of each shape alone."""
    keys, shapes = member_keys("crowd", 4), np.array([0.1, 0.9, 1.0, 8.0])
    together = DRAW.gamma(keys, "g", shape=shapes)
    apart = [DRAW.gamma(keys[i : i + 1], "g", shape=float(shapes[i]))[0] for i in range(4)]
    assert apart == together.tolist()


def test_purposes_and_neighbours_are_independent() -> None:
    """Draws of two purposes, of two accounts and of consecutive indices do not correlate."""
    first = DRAW.uniform(KEYS, "a", INDEX)
    others = (DRAW.uniform(KEYS, "b", INDEX), DRAW.uniform(member_keys("other", 1), "a", INDEX), np.roll(first, 1))
    assert max(abs(np.corrcoef(first, other)[0, 1]) for other in others) < 4 / np.sqrt(N)


def test_seeds_differ() -> None:
    """Another seed gives other draws."""
    assert not np.array_equal(Streams(1).bits(KEYS, "a", INDEX), Streams(2).bits(KEYS, "a", INDEX))


def test_longer_group_begins_alike() -> None:
    """Adding members leaves the keys of the earlier ones, and no two are equal."""
    keys = member_keys("crowd", 1000)
    assert np.array_equal(keys[:10], member_keys("crowd", 10))
    assert len(np.unique(keys)) == 1000


def test_mix_is_one_to_one() -> None:
    """No two of many words are scrambled into one."""
    words = np.arange(100_000, dtype=np.uint64)
    assert len(words) == len(np.unique(mix(words)))


def test_names_hash_alike_everywhere() -> None:
    """The hash of a name is part of the format of a seed: it never changes."""
    assert key_of("fleet", 3) != key_of("fleet", "3")
    assert key_of("member", "people") == 0x1C8298186632705F


def test_choice_follows_weights() -> None:
    """A value of weight 0 never comes and the others come as often as their weights say."""
    counts = np.bincount(DRAW.choice(KEYS, "c", INDEX, weights=(1, 0, 3)), minlength=3)
    assert counts[1] == 0
    assert counts[0] / N == pytest.approx(0.25, abs=0.01)


def test_integers_cover_their_range() -> None:
    """Every integer below the bound comes, and none else."""
    assert set(range(7)) == set(DRAW.integers(KEYS, "i", INDEX, below=7).tolist())
