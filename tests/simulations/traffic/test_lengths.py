"""Lengths are correlated, heavy-tailed and limited."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulations.streams import Keys, key_of, member_keys
from simulations.traffic import lengths

N = 20_000
CHARS = np.exp(np.random.default_rng(1).normal(5, 1.2, N)).astype(np.int64)
#: Requests are as far apart as no window is long.
APART_US = 37_000_003
BASES = np.array([key_of("draw", 1, purpose) for purpose in lengths.PURPOSES], dtype=np.uint64)


def ended(
    *, limit: int = 0, late_s: float = -1.0, p_pivot: float = 0.0, context: float = 0.0, carried: int = 0,
    keys: Keys | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Requests of one kind: median answer 200, no spread over accounts; of one account where no keys are given."""
    keys = np.repeat(member_keys("one", 1), N) if keys is None else keys
    zero, names = np.zeros(N, dtype=np.int64), ("model", "status", "finish", "asked", "answered")
    out: dict[str, Any] = {name: np.empty(N, dtype=np.int64) for name in names}
    out |= {"latency_ms": np.empty(N), "cost_usd": np.empty(N)}
    lengths.end_requests(
        keys, np.arange(N), np.arange(N) * APART_US, zero, np.full(N, carried), zero, CHARS, np.full(N, late_s),
        np.ones(N, dtype=np.int8), np.full(N, p_pivot), np.full(N, limit), np.array([200.0]), np.array([0.0]),
        np.array([context]), BASES, *out.values(),
    )  # fmt: skip
    return out


def test_answers_have_their_median_and_a_tail() -> None:
    """Half of the answers are below the median asked for; the longest are beyond what a log-normal reaches."""
    found = ended()["answered"]
    assert np.median(found) == pytest.approx(200, rel=0.05)
    assert found.max() > 200 * np.exp(lengths.ANSWER_SIGMA * 5)


def test_lengths_correlate_but_not_fully() -> None:
    """Longer prompts get longer answers, loosely: a rank correlation between .2 and .5."""
    assert 0.2 < stats.spearmanr(CHARS, ended()["answered"]).statistic < 0.5


def test_limit_cuts() -> None:
    """An answer above its limit ends there and is marked."""
    found, free = ended(limit=256), ended()["answered"]
    assert found["answered"].max() == 256
    assert np.array_equal(np.minimum(free, 256), found["answered"])
    assert (found["finish"][free > 256] == lengths.LENGTH).all()
    assert (free[found["finish"] == lengths.LENGTH] >= 256).all()


def test_cost_follows_the_price() -> None:
    """A request costs what the price list says."""
    found = ended()
    price = lengths.PRICES[found["model"]]
    expected = (found["asked"] * price[:, 0] + found["answered"] * price[:, 1]) / 1e6
    assert found["cost_usd"] == pytest.approx(expected, abs=1e-6)


def test_failures_are_as_rare_as_measured() -> None:
    """Requests far apart are refused or fail as often as stated, and one does not bring the other."""
    expected = {429: lengths.P_LIMITED, 500: lengths.P_FAILED * (1.0 - lengths.P_LIMITED)}
    for status, p in expected.items():
        assert np.mean(ended()["status"] == status) == pytest.approx(p, abs=4 * np.sqrt(p / N))


def test_limits_refuse_in_a_row() -> None:
    """Who hammers is refused until the window ends: on the same mean share, refusals come in a row for one account."""
    keys, step_us = member_keys("many", 400), 500_000
    at_us = np.arange(400_000) * step_us
    refused = np.array([[lengths.is_limited(key, BASES[17], at) for at in at_us[:1000]] for key in keys])
    assert refused.mean() == pytest.approx(lengths.P_LIMITED, rel=0.4)
    follows = refused[:, 1:][refused[:, :-1]]
    assert follows.mean() > 0.85
    runs = np.diff(refused.astype(np.int64), axis=1)
    n_most = lengths.WINDOW_US // step_us
    lasts = [int(row.argmin() - row.argmax()) for row in runs if row.argmax() < row.argmin()]
    assert 1 < np.mean(lasts) < max(lasts) <= n_most


@pytest.mark.parametrize(("late_s", "expected"), [(-1.0, 0.0), (1e7, 0.5)])
def test_pivot_waits_for_the_release(late_s: float, expected: float) -> None:
    """Nobody uses a model before its release; long after, the stated share of requests does."""
    found = ended(late_s=late_s, p_pivot=0.5)["model"]
    assert np.mean(found == lengths.NEW_MODEL) == pytest.approx(expected, abs=0.02)


def test_conversation_is_sent_along() -> None:
    """Turns that are carried add tokens, more with every turn, up to what a conversation carries at most."""
    alone, few, many = (ended(carried=turns)["asked"] for turns in (0, 2, 1000))
    assert (alone < few).all() and (few < many).all()
    assert many.max() - alone.max() == lengths.HISTORY_MOST


def test_accounts_differ_in_how_even_answers_are() -> None:
    """Some accounts get answers of nearly one length, some of all lengths."""
    each = 200
    keys = np.repeat(member_keys("many", N // each), each)
    answers = np.log(ended(keys=keys)["answered"]).reshape(-1, each)
    low, high = np.quantile(np.subtract(*np.quantile(answers, [0.9, 0.1], axis=1)) / 2.56, [0.1, 0.9])
    assert low < 0.5 < 0.8 < high


def test_context_is_sent_along() -> None:
    """A kind with context asks more tokens than its text holds, by about as much for all requests of an account."""
    more = ended(context=1000.0)["asked"] - ended()["asked"]
    assert more.min() > 0
    assert np.std(np.log(more)) == pytest.approx(lengths.CONTEXT_SIGMA, rel=0.05)
