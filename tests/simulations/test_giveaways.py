"""A column that tells the classes apart is named, unless a campaign declares it and really shows it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simulations.giveaways import judge_tree, lacks

N_ACCOUNTS, EACH = 60, 50


def judged(*, declared: tuple[str, ...] = (), n_accounts: int = N_ACCOUNTS, limit: float = 0.9) -> dict[str, Any]:
    """Judge a log in which a third of the accounts answers twice as long, and nothing else differs."""
    draw, n = np.random.default_rng(2), n_accounts * EACH
    account = np.repeat(np.arange(n_accounts), EACH)
    told = account % 3 == 0
    words = pa.array(["a", "b"]).take(pa.array(draw.integers(0, 2, n))).dictionary_encode()
    columns: dict[str, Any] = {"occurred_at": pa.array(draw.integers(0, 10**12, n)).cast(pa.timestamp("us", "UTC"))}
    for name in ("input_tokens", "max_output_tokens", "temperature", "n_choices", "status_code", "latency_ms"):
        columns[name] = pa.array(draw.integers(1, 500, n))
    columns |= {"cost_usd": columns["latency_ms"], "asn": columns["status_code"], "wants_logprobs": pa.nulls(n)}
    columns |= {"output_tokens": pa.array(draw.integers(1, 500, n) * (1 + told))}
    columns |= {"model": words, "user_agent": words, "country": words, "session_id": pa.array(draw.random(n) < 0.5)}
    columns |= {"end_user_id": columns["session_id"]}
    return judge_tree(pa.table(columns), account, told, declared=declared, limit=limit)


def test_telling_column_is_named() -> None:
    """The tree splits on the column that differs, and on nothing else first."""
    report = judged(limit=0.6)
    assert report["columns"][0] == "output_tokens"
    assert 0.6 < report["auc"] < 0.9
    assert not report["is_within_limit"]


def test_declared_column_is_judged_apart() -> None:
    """Without the declared column nothing is left; the whole figure is still told."""
    report = judged(declared=("output_tokens",), limit=0.6)
    assert report["auc"] < 0.6 < report["auc_with_declared"]
    alone = pytest.approx(report["auc_with_declared"], abs=0.01)
    assert report["declared"] == [{"column": "output_tokens", "auc": alone, "is_shown": True}]
    assert report["is_within_limit"]


def test_needless_declaration_is_refused() -> None:
    """A declared column that shows nothing breaks the audit: it would only hide a later leak."""
    report = judged(declared=("output_tokens", "asn"))
    assert [row["is_shown"] for row in report["declared"] if row["column"] == "asn"] == [False]
    assert not report["is_within_limit"]


def test_few_accounts_are_not_judged() -> None:
    """With a handful of accounts of a campaign, no figure is given."""
    report = judged(declared=("output_tokens",), n_accounts=12, limit=0.5)
    assert (report["auc"], report["accounts"], report["is_within_limit"]) == (None, 4, True)
    assert report["declared"] == [{"column": "output_tokens", "auc": None, "is_shown": None}]


@pytest.mark.parametrize(
    ("n_honest", "n_members", "holders", "is_by_chance"),
    [(360, 40, 300, False), (360, 40, 3, True), (40, 3, 1, True), (4000, 24, 2000, False)],
)
def test_lack_is_weighed(n_honest: int, n_members: int, holders: int, is_by_chance: bool) -> None:
    """A value that only honest accounts have is a leak when they often have it, and chance when they hardly do."""
    n = n_honest + n_members
    told, values = np.arange(n) >= n_honest, np.where(np.arange(n) < holders, "rare", "usual")
    found = lacks(pa.chunked_array([np.arange(n)]), pa.chunked_array([values]), told, "plan", "accounts",
                  (n_honest, n_members))  # fmt: skip
    expected = {"value": "rare", "only_in": "honest", "n_accounts": holders, "is_by_chance": is_by_chance}
    assert [row for row in found if expected.items() <= row.items()]


def test_lone_member_with_a_value_of_its_own_is_chance() -> None:
    """One account of three with a value that none of forty has is no leak; all three are."""
    for holders, is_by_chance in ((1, True), (3, False)):
        values = pa.chunked_array([np.where(np.arange(43) >= 43 - holders, "own", "usual")])
        told = np.arange(43) >= 40
        found = lacks(pa.chunked_array([np.arange(43)]), values, told, "plan", "accounts", (40, 3))
        own = next(row for row in found if row["value"] == "own")
        assert (own["only_in"], own["is_by_chance"]) == ("extraction", is_by_chance)
