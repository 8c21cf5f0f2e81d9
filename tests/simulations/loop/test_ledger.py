"""The ledger: rows in the order in which things happened, one per account, with what applies and nothing else."""

import numpy as np
import pyarrow as pa

from simulations.loop.ledger import LEDGER, Ledger


def test_rows_keep_their_order() -> None:
    """Rows are numbered from 0 in the order in which they came, and say what was told of each."""
    ledger = Ledger(pa.array(["a", "b", "c"]), begins_us=1_000_000)
    ledger.add(5, "defender", "looks", n=7)
    ledger.add(5, "reviewer", "clears", np.array([2, 0]), state="active", reason=np.array(["rate", None], object))
    ledger.add(6, "fleet", "split", np.empty(0, np.int64))
    ledger.add(6, "fleet", "slow_down", reason="rate", usd=2.5)
    rows = ledger.table().to_pylist()
    assert ledger.table().schema == LEDGER
    assert [row["seq"] for row in rows] == [0, 1, 2, 3] and ledger.n_rows == 4
    assert [row["account_id"] for row in rows] == [None, "c", "a", None]
    assert [row["reason"] for row in rows] == [None, "rate", None, "rate"]
    assert [(row["n"], row["usd"]) for row in rows] == [(7, None), (None, None), (None, None), (None, 2.5)]
    assert [row["at"].timestamp() for row in rows] == [1.000005, 1.000005, 1.000005, 1.000006]


def test_nothing_happened() -> None:
    """An empty ledger is a table without rows."""
    assert Ledger(pa.array(["a"]), 0).table().equals(LEDGER.empty_table())
