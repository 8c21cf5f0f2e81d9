"""Glasswally's rules by hand: points, weights, confidence, what is absent, and how far a log can push the sum."""

import numpy as np
import pandas as pd
import pytest

from detector.detectors.baselines.glasswally import EXTRAS, SUSPEND, Glasswally
from detector.settings import PolicySettings
from detector.tables import FAMILIES
from tests.detector.features.small_logs import features_with, log_of

CALM = {
    "requests": 1000.0,
    "peak_rate": 1.0,
    "gap_variation": 2.0,
    "token_variation": 2.0,
    "night_share": 0.1,
    "tls_kinds": 1.0,
    "tls_sharing": 1.0,
    "system_reuse": 0.1,
    "system_sharing": 1.0,
    "cluster_size": 0.0,
    "payments": 0.0,
    "networks": 0.0,
}
LOUD = {
    "peak_rate": 500.0,
    "gap_variation": 0.0,
    "token_variation": 0.0,
    "night_share": 1.0,
    "tls_kinds": 5.0,
    "tls_sharing": 50.0,
    "system_reuse": 1.0,
    "system_sharing": 50.0,
    "cluster_size": 6.0,
    "payments": 5.0,
    "networks": 5.0,
}


def points(**signals: float) -> float:
    """Give the sum of the points of one account, calm but for the signals named."""
    return float(Glasswally().judge(pd.DataFrame([{**CALM, **signals}]), 3).scores[0] + SUSPEND)


def test_calm_is_nothing() -> None:
    """Where no rule holds there are no points, and where no signal is known neither."""
    assert points() == pytest.approx(0.0)
    assert points(**dict.fromkeys(CALM, np.nan)) == pytest.approx(0.0)
    assert Glasswally().judge(pd.DataFrame(index=["a", "b"]), 0).scores.tolist() == [-SUSPEND] * 2


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({"peak_rate": 61.0}, 0.10 * 0.25),
        ({"peak_rate": 60.0}, 0.0),
        ({"peak_rate": 201.0}, 0.10 * 0.45),
        ({"peak_rate": 201.0, "requests": 25.0}, 0.10 * 0.45 * 0.75 * 0.7),
        ({"peak_rate": 201.0, "requests": 4.0}, 0.0),
        ({"gap_variation": 0.4}, 0.10 * 0.15),
        ({"gap_variation": 0.1}, 0.10 * 0.30 + 0.07 * 0.20),
        ({"token_variation": 0.1}, 0.10 * 0.15),
        ({"night_share": 0.6}, 0.10 * 0.10),
        ({"tls_kinds": 3.0, "tls_sharing": 10.0}, 0.14 * 0.35),
        ({"cluster_size": 1.0, "payments": 3.0}, 0.0),
        ({"cluster_size": 2.0}, 0.08 * (0.40 * 4 / 25 + 0.07 + 0.03)),
        ({"cluster_size": 3.0, "payments": 3.0, "networks": 3.0}, 0.08 * (0.40 * 8 / 25 + 0.35 + 0.15) + 0.08),
        ({"system_reuse": 0.8}, 0.06 * 0.35 * (0.4 + 0.6 * 0.75)),
        ({"system_sharing": 5.0}, 0.06 * 0.35 * (0.4 + 0.6 * 0.90)),
        ({"system_reuse": 0.6, "system_sharing": 10.0}, 0.06 * 0.70 * (0.4 + 0.6 * 0.90)),
    ],
)
def test_rules_by_hand(signals: dict[str, float], expected: float) -> None:
    """Each rule adds its weight times its points times its confidence, from its bound on."""
    assert points(**signals) == pytest.approx(expected)


def test_a_log_can_throttle_at_most() -> None:
    """With every rule at full strength the sum passes the bound of throttling and not that of a review."""
    assert 0.35 < points(**LOUD) < 0.55


def test_no_family_supports_a_revocation() -> None:
    """Points are small beside log-odds, so they are never evidence enough of their own."""
    verdict = Glasswally().judge(pd.DataFrame([{**CALM, **LOUD}]), 3)
    assert max(verdict.by_family(f)[0] for f in FAMILIES) < PolicySettings().family_support


def test_signals_by_hand() -> None:
    """A request a minute through the first night hours, of one length, with one system prompt on three accounts."""
    seconds, accounts = [60.0 * i for i in range(120)], ["a", "b", "c"]
    frame = log_of(
        seconds * 3,
        account_id=np.repeat(accounts, 120),
        input_tokens=100,
        system_prompt="Be brief.",
        tls_fingerprint=[f"t{i % 2}" for i in range(120)] * 2 + ["t1"] * 120,
    )
    found = features_with(frame, EXTRAS).loc["a"]
    assert (found.requests, found.peak_rate, found.night_share) == (120, 60, 1)
    assert found.gap_variation == pytest.approx(0.0, abs=1e-6) and found.token_variation == pytest.approx(0.0, abs=1e-6)
    assert (found.system_reuse, found.system_sharing, found.tls_kinds, found.tls_sharing) == (1, 3, 2, 3)


def test_irregular_gaps_vary() -> None:
    """Of gaps drawn from an exponential law the coefficient of variation is about 1."""
    gaps = np.random.default_rng(1).exponential(300.0, size=3000)
    found = features_with(log_of(np.cumsum(gaps).tolist()), EXTRAS)
    assert found.gap_variation.iloc[0] == pytest.approx(1.0, abs=0.1)
