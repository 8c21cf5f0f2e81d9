"""What actors must show in their rows of a log: the list of promises, and what they are measured by."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

DAYS, RELEASE_DAY = 14, 7
Rows = pd.DataFrame
Promise = Callable[[Rows], None]
PROMISES: dict[str, tuple[int, dict[str, Any], Promise]] = {}


def promise(accounts: int, **parameters: Any) -> Callable[[Promise], Promise]:
    """Register what the rows of an actor, named as the function, must show when so many accounts play it."""

    def register(test: Promise) -> Promise:
        PROMISES[test.__name__] = (accounts, parameters, test)
        return test

    return register


def gaps_s(rows: Rows) -> "pd.Series[float]":
    """Pauses between the requests of one conversation or run [s]."""
    found: pd.Series[float] = rows.groupby(["account", "session"])["occurred_at"].diff().dt.total_seconds().dropna()
    return found


def variation(rows: Rows) -> float:
    """Median over accounts of the coefficient of variation of the pauses."""
    pauses = gaps_s(rows).groupby(rows["account"])
    return float((pauses.std() / pauses.mean()).median())


def per_account(rows: Rows, column: str) -> "pd.Series[int]":
    """Distinct values of a column per account."""
    found: pd.Series[int] = rows.groupby("account")[column].nunique()
    return found


def share_of_kind(rows: Rows, kind: str) -> float:
    """Share of requests of a kind."""
    return float((rows["kind"] == kind).mean())


def share_met(rows: Rows, within_s: float) -> float:
    """Share of requests that a request of another account is near."""
    ordered = rows.sort_values("occurred_at")
    at_s, account = ordered["occurred_at"].astype("int64").to_numpy() / 1e6, ordered["account"].to_numpy()
    near = (np.diff(at_s) <= within_s) & (np.diff(account) != 0)
    return float((np.append(near, False) | np.append(False, near)).mean())


def new_share(rows: Rows) -> float:
    """Share of requests to the new model from two days after its release; none goes there before it."""
    day = (rows["occurred_at"] - pd.Timestamp("2026-03-02", tz="UTC")).dt.total_seconds() / 86_400
    assert not (rows["model"][day < RELEASE_DAY] == "stone-next").any()
    return float((rows["model"][day > RELEASE_DAY + 2] == "stone-next").mean())
