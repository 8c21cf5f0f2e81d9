"""Repeated looks: however one stops and however days depend, honest accounts seldom raise an alarm."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import ImpossibleRequestError
from detector.evalues import from_p
from detector.sequential import EProcess
from detector.tables import HISTORY

PROCESS = EProcess(looks=20, least=1 / 2001, budget=0.02)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def looks_of(p_values: np.ndarray) -> pd.DataFrame:
    """Lay out p-values of shape (n_accounts, n_windows)."""
    n, width = p_values.shape
    ids = np.repeat([f"a{i:05d}" for i in range(n)], width)
    return pd.DataFrame({"account_id": ids, "window": np.tile(np.arange(width), n), "p_value": p_values.ravel()})


@pytest.mark.parametrize("lasting", [0.0, 0.9, 1.0])
def test_an_adversary_who_stops_when_he_likes_gains_nothing(lasting: float) -> None:
    """Stopped at the worst moment for each account, at most a share `budget` raises an alarm: 40,000 honest accounts.

    Days are independent, or an account keeps its oddity with probability .9, or for ever.
    """
    rng, n = np.random.default_rng(5), 40_000
    p_values = rng.uniform(size=(n, 20))
    for day in range(1, 20):
        stays = rng.uniform(size=n) < lasting
        p_values[stays, day] = p_values[stays, day - 1]
    ranks = np.ceil(p_values * 2001) / 2001
    found = PROCESS.gathered(looks_of(ranks))
    ever = found.groupby("account_id").is_alarm.any().mean()
    assert ever <= 0.02 + 3 * np.sqrt(0.02 / n)
    assert lasting < 1 or ever > 0.001


def test_a_product_would_not_be_valid() -> None:
    """Why the sum: for accounts that stay as odd as they are, the product of their e-values raises alarms too often."""
    rng = np.random.default_rng(6)
    ranks = np.ceil(rng.uniform(size=40_000) * 2001) / 2001
    products = from_p(ranks, 1 / 2001) ** 3
    assert (products >= 1 / 0.0005).mean() > 10 * 0.0005


def test_a_harvest_is_found_in_time() -> None:
    """An account above the whole reference each day raises an alarm on the look that its stakes predict."""
    e_value = from_p(np.array([1 / 2001]), 1 / 2001)[0]
    found = PROCESS.gathered(looks_of(np.full((1, 20), 1 / 2001)))
    assert found.is_alarm.to_numpy().argmax() + 1 == int(np.ceil(50 * 20 / e_value)) == 2


@given(P_VALUES)
def test_it_never_falls_and_ends_at_the_mean(p_values: list[float]) -> None:
    """Stakes are fixed: after all planned looks the process is the mean e-value."""
    process = EProcess(looks=len(p_values), least=1 / 2001, budget=0.02)
    found = process.gathered(looks_of(np.array([p_values])))
    assert np.all(np.diff(found.e_process) >= -1e-12)
    assert found.e_process.iloc[-1] == pytest.approx(from_p(np.array(p_values), 1 / 2001).mean())


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.0005, 0.004, 0.3])), max_size=6))
def test_one_look_at_a_time_is_all_at_once(days: list[dict[str, float]]) -> None:
    """A history carried from run to run gives what the whole table gives; who is absent keeps what was gathered."""
    history = HISTORY.empty_table()
    for day in days:
        ids, p_values = pa.chunked_array([list(day)], pa.string()), pa.chunked_array([list(day.values())], pa.float64())
        history = PROCESS.advance(history, ids, p_values)
    assert history.schema == HISTORY
    rows = [(name, k, p) for k, day in enumerate(days) for name, p in day.items()]
    whole = PROCESS.gathered(pd.DataFrame(rows, columns=["account_id", "window", "p_value"]))
    expected = whole.groupby("account_id").e_process.last().to_dict()
    carried = dict(zip(history["account_id"].to_pylist(), history["e_process"].to_pylist(), strict=True))
    assert carried == pytest.approx(expected)


def test_more_looks_than_planned_are_refused() -> None:
    """What is staked over all looks is 1; beyond it nothing holds."""
    with pytest.raises(ImpossibleRequestError, match=r"look 21: policy\.looks = 20 were planned and are spent; begin"):
        PROCESS.gathered(looks_of(np.full((1, 21), 0.5)))


def test_a_history_keeps_its_plan() -> None:
    """Stakes of another size midway are refused with both numbers."""
    one = PROCESS.advance(HISTORY.empty_table(), pa.chunked_array([["a"]]), pa.chunked_array([[0.1]]))
    with pytest.raises(ImpossibleRequestError, match=r"policy\.looks = 10: the history was begun for 20; give that"):
        EProcess(looks=10, least=1 / 2001, budget=0.02).advance(
            one, pa.chunked_array([["a"]]), pa.chunked_array([[0.1]])
        )


def test_an_alarm_that_cannot_come_is_refused() -> None:
    """Ten honest accounts can never give an e-value of 50; the text says what could be had."""
    with pytest.raises(ImpossibleRequestError, match=r"no e-value of this reference exceeds 11, and an alarm needs 50"):
        EProcess(looks=20, least=1 / 11, budget=0.02).check_budget()
