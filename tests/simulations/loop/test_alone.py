"""A campaign alone: it pays its exits by the day, and stops where money or worth is at an end, once."""

import numpy as np
import pytest

from simulations.loop.alone import Alone, Daily
from simulations.loop.keys import DAY_US
from simulations.loop.purse import Purse
from tests.simulations.loop.play import STEP_US, attack_of


def test_exits_are_paid_at_the_ends_of_days() -> None:
    """A quarter of a day costs nothing, a day costs its exits; who cannot pay them in full is at an end."""
    alone = Alone(attack_of(), Purse(5.0))
    for step in range(1, 9):
        alone.go_on(step * STEP_US, 2.0, 0.0)
    assert (alone.purse.spent["exits"], alone.has_ended) == (4.0, False)
    for step in range(9, 17):
        alone.go_on(step * STEP_US, 2.0, 0.0)
    assert (alone.purse.spent["exits"], alone.has_ended) == (5.0, True)
    assert alone.serve(np.array([0.0])).tolist() == [False]


@pytest.mark.parametrize("stops", [True, False])
def test_a_day_that_costs_more_than_it_brings_is_the_last(stops: bool) -> None:
    """From the second day on a losing day ends it, where it stops at cost; the first may be an investment."""
    settings = attack_of(stops_at_cost=stops, value={"regime": "style", "worth_usd": 100.0})
    daily = Daily()
    told = [
        daily.is_loss(day * DAY_US, spent, useful, settings)
        for day, spent, useful in ((1, 60.0, 10.0), (2, 61.0, 200.0), (2.25, 99.0, 200.0), (3, 99.0, 201.0))
    ]
    assert told == [False, False, False, stops]
