"""The volume that actors declare by law is the one they draw."""

from typing import Any

import numpy as np
import pytest

from simulations.crowd import Crowd, Horizon
from simulations.effects.hydra import _followers
from simulations.roster import actor_of
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic.arrivals import volume_moments, volumes

N = 20_000


def crowd_of(n: int, seed: int = 1) -> Crowd:
    """A crowd of n accounts over a week."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("crowd", member_keys("crowd", n), group, Streams(seed), Horizon(1.7724096e9, 7.0))


@pytest.mark.parametrize(("median", "sigma", "least", "most"), [(100.0, 0.5, 1, 10**6), (60.0, 1.6, 20, 2000)])
def test_moments_are_those_of_the_draws(median: float, sigma: float, least: int, most: int) -> None:
    """Mean and spread of clipped log-normal volumes are found in the draws, but for the rounding down."""
    drawn = volumes(crowd_of(N), median=median, sigma=sigma, least=least, most=most)
    mean, variance = volume_moments(median=median, sigma=sigma, least=least, most=most)
    assert drawn.mean() + 0.5 == pytest.approx(mean, abs=4 * np.sqrt(variance / N))
    assert drawn.std() == pytest.approx(np.sqrt(variance), rel=0.1)


@pytest.mark.parametrize(
    ("attacker", "values"),
    [("fleet", {"per_day": 25.6}), ("fleet", {"per_day": 0.5}), ("hydra", {"heads": 4, "life_days": 2.0})],
)
def test_fleet_declares_what_it_draws(attacker: str, values: dict[str, Any]) -> None:
    """The sum over a fleet's accounts is the declared one, also where most are at the least volume or short-lived."""
    actor = actor_of(attacker=attacker)
    parameters = actor.parameters.model_validate(values)
    crowd = actor.cast(crowd_of(N), parameters)
    mean, variance = actor.volume(crowd, parameters)
    found = actor.count(crowd, parameters).sum()
    assert found == pytest.approx(mean, abs=4 * np.sqrt(variance) + N)
    assert found == pytest.approx(mean, rel=0.08)


def test_followers_are_bans_cut_by_the_line() -> None:
    """The mean of accounts that follow a banned one is that of bans in the log, at most one less than the line has."""
    bans = np.random.default_rng(4).poisson(1.5, (4000, 10))
    expected = np.minimum(bans, 3).sum(axis=1)
    mean, variance = _followers(np.full(10, 4), 1.5)
    assert (expected.mean(), expected.var()) == (pytest.approx(mean, rel=0.01), pytest.approx(variance, rel=0.1))


def test_line_of_one_has_no_followers() -> None:
    """A hydra with one head is never replaced."""
    assert _followers(np.full(5, 1), 3.0) == (0.0, 0.0)
