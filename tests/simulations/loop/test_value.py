"""Worth: nothing for nothing, more for more, ever less for the next exchange, never more than all there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.loop.attack import ValueSettings
from simulations.loop.value import DEGRADED, KNEE, WITHOUT_REASONING, left_without_reasoning, worth
from simulations.traffic.kinds import KINDS, number

REGIMES = sorted(KNEE)
EXCHANGES = st.floats(0, 1e9)


@given(regime=st.sampled_from(REGIMES), n=EXCHANGES, more=st.floats(1, 1e9), all_usd=st.floats(0.01, 1e9))
def test_worth_grows_and_saturates(regime: str, n: float, more: float, all_usd: float) -> None:
    """More exchanges are never worth less, the next ones no more than those before, and none more than everything."""
    settings = ValueSettings(regime=regime, worth_usd=all_usd)
    values = worth(np.array([n, n + more, n + 2 * more]), settings)
    assert 0 <= values[0] <= values[1] <= values[2] <= all_usd
    assert values[2] - values[1] <= (values[1] - values[0]) * (1 + 1e-6) + 1e-12 * all_usd


@pytest.mark.parametrize("regime", REGIMES)
def test_worth_by_hand(regime: str) -> None:
    """Nothing is worth nothing; at the knee 1 - 2^-0.64 = 35.8 % is reached; without end, all."""
    settings = ValueSettings(regime=regime, worth_usd=100.0)
    assert float(worth(0.0, settings)) == 0.0
    assert float(worth(KNEE[regime], settings)) == pytest.approx(35.829, abs=1e-3)
    assert float(worth(1e15, settings)) == pytest.approx(100.0, abs=0.01)


def test_small_tasks_are_learned_from_fewer() -> None:
    """The same exchanges reach more of a style than of a capability."""
    shares = [float(worth(5e3, ValueSettings(regime=regime))) for regime in ("style", "reasoning", "capability")]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 3


def test_hidden_reasoning_spoils_reasoning_only() -> None:
    """Of a large student's exchanges those on mathematics lose, with a system prompt or without; others do not."""
    left = left_without_reasoning(ValueSettings(student="large"))
    for name, share in WITHOUT_REASONING.items():
        assert left[number(name)] == left[number(f"{name}_guided")] == share < 1
    assert left[number("collected")] == left[number("tool_task")] == 1.0
    assert left_without_reasoning(ValueSettings(student="small")).tolist() == [1.0] * len(KINDS)
    assert 0 < DEGRADED < 1
