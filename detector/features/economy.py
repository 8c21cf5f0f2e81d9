"""Economy: who pays, when accounts were opened, what it costs."""

from typing import Any

import numpy as np

from detector.features.registry import Feature, Values, ratio
from detector.profiles.sketches import count_sampled
from detector.profiles.store import sampled
from detector.profiles.volume import NANO_USD

_DAY_US = 86_400e6


def _payments(states: dict[str, Any]) -> Values:
    hashes, _ = sampled(states["clients"], "payment_id")
    found = count_sampled(hashes)
    return np.where(found > 0, np.log2(np.maximum(found, 1)), np.nan)


def _accounts_per_payment(states: dict[str, Any]) -> Values:
    hashes, _ = sampled(states["clients"], "payment_id")
    return np.log2(ratio(states["membership"].n_accounts, count_sampled(hashes)))


def _age(states: dict[str, Any]) -> Values:
    member = states["membership"]
    opened = ratio(member.sign_up_sum, member.n_signed_up)
    return np.log10(np.maximum(states["volume"].last_at / _DAY_US - opened, 0.1))


def _sign_up_spread(states: dict[str, Any]) -> Values:
    member = states["membership"]
    mean = ratio(member.sign_up_sum, member.n_signed_up)
    variance = ratio(member.sign_up_square, member.n_signed_up) - mean**2
    return np.where(member.n_signed_up > 1, np.log10(np.sqrt(np.maximum(variance, 0)) + 0.01), np.nan)


def _handover(states: dict[str, Any]) -> Values:
    rhythm = states["rhythm"]
    excess = np.log2((rhythm.n_succeeded + 1.0) / (rhythm.succeeded_by_chance + 1.0))
    return np.where(rhythm.n_silent > 0, excess, np.nan)


def _daily_cost(states: dict[str, Any]) -> Values:
    volume = states["volume"]
    days = np.maximum((volume.last_at - volume.first_at) / _DAY_US, 1.0)
    usd = volume.cost_nano_usd * NANO_USD
    return np.where(usd > 0, np.log10(np.maximum(usd / days, 1e-6)), np.nan)


_PAID = ("payment_id",)
FEATURES = (
    Feature("payments", "economy", "log2", 1, 2, _PAID, "distinct payment instruments", _payments),
    Feature(
        "accounts_per_payment",
        "economy",
        "log2",
        1,
        2,
        _PAID,
        "accounts behind one payment instrument",
        _accounts_per_payment,
    ),
    Feature("age", "economy", "log10 days", -1, 0, (), "age of the account at its last request", _age),
    Feature(
        "sign_up_spread", "economy", "log10 days", -1, 0, (), "spread of the cluster's sign-up times", _sign_up_spread
    ),
    Feature(
        "handover",
        "economy",
        "log2",
        1,
        1,
        ("occurred_at",),
        "how much more often than by chance a member begins within half a day of another's last request",
        _handover,
    ),
    Feature("cost_per_day", "economy", "log10 USD/day", 1, 1, ("cost_usd",), "spend a day", _daily_cost),
)
