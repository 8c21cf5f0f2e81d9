"""Economy by hand: who pays, how old, how close together accounts were opened, what it costs."""

import numpy as np
import pandas as pd
import pytest

from detector.features.catalogue import compute_features
from tests.detector.features.small_logs import (
    MONDAY,
    accounts_of,
    feature,
    features_of,
    folded,
    log_of,
    pooled_features,
)

DAY = 86_400


def test_payments_are_counted() -> None:
    """Four cards are two doublings; an account that never paid has NaN."""
    log = log_of(list(range(4)), payment_id=["p1", "p2", "p3", "p4"])
    assert feature(log, "payments") == 2.0
    mixed = log_of([1, 2], account_id=["a", "b"], payment_id=np.array(["p", None], dtype=object))
    assert features_of(mixed).payments.isna().tolist() == [False, True]


def test_accounts_per_payment_shows_in_the_pool() -> None:
    """Eight accounts behind two cards are four a card; each by itself is one."""
    log = log_of(list(range(8)), account_id=[f"a{i}" for i in range(8)], payment_id=["p1", "p2"] * 4)
    assert pooled_features(log).accounts_per_payment.iloc[0] == 2.0
    assert features_of(log).accounts_per_payment.tolist() == [0.0] * 8


def test_age_is_at_the_last_request() -> None:
    """Signed up 90 days before Monday, last seen ten days after: 100 days."""
    profiles = folded(log_of([0, 10 * DAY]))
    profiles.enrich(accounts_of({"a": MONDAY - pd.Timedelta(days=90)}))
    assert compute_features(profiles, profiles.columns).age.iloc[0] == pytest.approx(2.0)


def test_age_is_unknown_without_a_sign_up() -> None:
    """No sign-up instant, no age; an account opened after its last request is as young as can be."""
    profiles = folded(log_of([0, 1], account_id=["a", "b"]))
    profiles.enrich(accounts_of({"b": MONDAY + pd.Timedelta(days=3)}))
    age = compute_features(profiles, profiles.columns).age
    assert np.isnan(age["a"])
    assert age["b"] == -1.0


def test_sign_up_spread_of_a_burst_is_small() -> None:
    """Sign-ups 2 days apart deviate by 1 day; those of one instant by nothing, so the floor of .01 shows."""
    log = log_of([0, 1], account_id=["a", "b"])
    apart = pooled_features(log, accounts_of({"a": MONDAY, "b": MONDAY - pd.Timedelta(days=2)}))
    assert apart.sign_up_spread.iloc[0] == pytest.approx(np.log10(1.01), abs=1e-3)
    together = pooled_features(log, accounts_of({"a": MONDAY, "b": MONDAY}))
    assert together.sign_up_spread.iloc[0] == pytest.approx(-2.0, abs=0.02)


def test_sign_up_spread_needs_two() -> None:
    """One known sign-up has no spread."""
    log = log_of([0, 1], account_id=["a", "b"])
    assert np.isnan(pooled_features(log, accounts_of({"a": MONDAY})).sign_up_spread.iloc[0])


def test_cost_per_day() -> None:
    """20 dollars over two days are 10 a day; an account without cost has NaN."""
    log = log_of([0, 2 * DAY, 2 * DAY], account_id=["a", "a", "b"], cost_usd=[5.0, 15.0, np.nan])
    cost = features_of(log).cost_per_day
    assert cost["a"] == pytest.approx(1.0)
    assert np.isnan(cost["b"])


def relay_log(handover_s: float) -> pd.DataFrame:
    """Make a log of five accounts of a day each: one begins so long after the one before fell silent."""
    begins = np.arange(5) * (86_400 + handover_s)
    rows = [(begin + k * 3600.0, f"a{i}") for i, begin in enumerate(begins) for k in range(25)]
    return log_of([t for t, _ in rows], account_id=[account for _, account in rows])


def test_handover() -> None:
    """Four successions within minutes against what chance gives; none with days between; alone, there are none."""
    within = float(pooled_features(relay_log(600))["handover"].iloc[0])
    chance = 4 * (1 - np.exp(-4 * 43_200 / (5 * 86_400 + 4 * 600)))
    assert within == pytest.approx(np.log2(5 / (1 + chance)), rel=1e-6)
    assert float(pooled_features(relay_log(86_400))["handover"].iloc[0]) < 0
    assert np.isnan(feature(relay_log(600), "handover"))
