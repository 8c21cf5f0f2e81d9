"""Keys: what becomes of a request under each state; the chunks in which requests come change nothing."""

from typing import Any

import numpy as np
import pytest

from simulations.loop.keys import (
    ACTIVE,
    DAY_US,
    NOTICED,
    REFUSED,
    REVOKE,
    SERVED,
    SUSPEND,
    THROTTLE,
    THROTTLED,
    UNSENT,
    VERIFY,
    Keys,
)
from simulations.spill import RECORD
from tests.simulations.loop.play import defence_of


def records_of(accounts: list[int]) -> Any:
    """Requests of some accounts, one after the other."""
    records = np.zeros(len(accounts), RECORD)
    records["account"] = accounts
    return records


def outcomes(keys: Keys, accounts: list[int], *, day: float = 0.0, model: str = "any") -> list[int]:
    """What becomes of requests."""
    return keys.outcomes(records_of(accounts), np.full(len(accounts), model, object), round(day * DAY_US)).tolist()


def test_active_keys_are_served() -> None:
    """Every request of an active key is served, in every state that only spoils answers too."""
    keys = Keys(defence_of(), 2)
    assert outcomes(keys, [0, 1, 0]) == [SERVED] * 3
    keys.tighten(np.array([0]), THROTTLE - 1)
    assert outcomes(keys, [0, 1, 0]) == [SERVED] * 3


@pytest.mark.parametrize("per_day", [0.0, 2.0, 2.5])
def test_a_throttled_key_is_served_so_often_a_day(per_day: float) -> None:
    """The first requests of each day are served, in whatever pieces they come, and all later ones are limited."""
    keys = Keys(defence_of(throttled={"per_day": per_day}), 2)
    keys.tighten(np.array([0]), THROTTLE)
    n = int(np.ceil(per_day))
    expected = [SERVED] * n + [THROTTLED] * (4 - n)
    pieces = [place for one in ([0], [0, 0], [0]) for place in outcomes(keys, one, day=1.0)]
    assert pieces == expected
    assert outcomes(keys, [0], day=1.75) == [THROTTLED]
    assert outcomes(keys, [0, 1, 0, 0, 1, 0], day=2.0) == [*expected[:1], SERVED, *expected[1:3], SERVED, *expected[3:]]


@pytest.mark.parametrize("state", [VERIFY, SUSPEND, REVOKE])
def test_a_stopped_key_is_refused_until_its_client_gives_up(state: int) -> None:
    """A few refusals, in whatever pieces requests come, then nothing is sent; a new state is found out anew."""
    keys = Keys(defence_of(), 1)
    keys.tighten(np.array([0]), state)
    assert outcomes(keys, [0, 0]) + outcomes(keys, [0] * 3, day=1.0) == [REFUSED] * NOTICED + [UNSENT] * (5 - NOTICED)
    if state < REVOKE:
        keys.tighten(np.array([0]), REVOKE)
        assert outcomes(keys, [0] * 4, day=2.0) == [REFUSED] * NOTICED + [UNSENT]


def test_keys_only_tighten() -> None:
    """A milder state never replaces a stronger one; only a release does, and leaves the account alone."""
    keys = Keys(defence_of(), 3)
    assert keys.tighten(np.array([1, 0, 1]), SUSPEND).tolist() == [0, 1]
    assert keys.tighten(np.array([0, 2]), THROTTLE).tolist() == [2]
    assert keys.state.tolist() == [SUSPEND, SUSPEND, THROTTLE]
    keys.release(np.array([1]), 77)
    assert keys.state.tolist() == [SUSPEND, ACTIVE, THROTTLE]
    assert keys.left_alone_until_us.tolist() == [0, 77, 0]
    assert keys.is_stopped.tolist() == [True, False, False]


def test_a_withheld_model_is_refused_to_who_is_not_verified() -> None:
    """A gate refuses its models to accounts that are not verified, and nothing else to nobody."""
    keys = Keys(defence_of(gate={"models": ["large"]}), 2)
    keys.is_verified[1] = True
    assert outcomes(keys, [0, 1], model="large") == [REFUSED, SERVED]
    assert outcomes(keys, [0, 1], model="small") == [SERVED, SERVED]
