"""The purse: what is spent is what was asked for, never more than there was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulations.loop.purse import Purse

PRICES = st.lists(st.floats(0, 10), max_size=30)


@given(held=st.one_of(st.none(), st.floats(0.01, 50)), prices=PRICES, cut=st.integers(0, 30), rent=st.floats(0, 60))
def test_never_more_than_there_was(held: float | None, prices: list[float], cut: int, rent: float) -> None:
    """Requests are paid in order up to the first that is beyond the purse, in whatever pieces they come."""
    whole, pieces = Purse(held), Purse(held)
    usd = np.array(prices)
    paid = whole.serve(usd)
    again = np.concatenate([pieces.serve(usd[:cut]), pieces.serve(usd[cut:])])
    n = int(paid.sum())
    assert paid.tolist() == [True] * n + [False] * (len(usd) - n)
    if held is None:
        assert paid.all() and again.all()
        return
    assert abs(int(again.sum()) - n) <= (np.abs(np.cumsum(usd) - held) < 1e-9).sum()
    whole.pay_rent("exits", rent)
    assert whole.total <= held * (1 + 1e-12) + 1e-12
    assert whole.is_empty == (n < len(usd) or rent > held - whole.spent["tokens"])


def test_an_empty_purse_pays_nothing_more() -> None:
    """After a request that was too dear a cheaper one is not paid either, nor one that costs nothing."""
    purse = Purse(1.0)
    assert purse.serve(np.array([0.6, 0.6, 0.1])).tolist() == [True, False, False]
    assert purse.serve(np.array([0.1, 0.0])).tolist() == [False, False]
    assert (purse.left, purse.is_empty) == (0.4, True)


def test_what_can_be_had() -> None:
    """As many things as wanted, as far as the money reaches; free things without end."""
    assert Purse(10.0).affords(3.0, 5) == 3
    assert Purse(10.0).affords(3.0, 2) == 2
    assert Purse(10.0).affords(0.0, 7) == Purse(None).affords(9.0, 7) == 7
