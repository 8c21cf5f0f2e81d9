"""A column that tells the classes apart is named, unless a campaign declares it and really shows it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simulations.giveaways import judge_tree, lacks, p_all_in

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


N_VALUES = 80


def lacking(values: Any, told: Any, *, account: Any = None, place: Any = None) -> list[dict[str, Any]]:
    """Values that one class lacks; every row is an account of its own where none is given."""
    account = np.arange(len(told)) if account is None else account
    n_told = len(np.unique(account[told]))
    sizes = (len(np.unique(account)) - n_told, n_told)
    places = None if place is None else pa.chunked_array([place])
    columns = pa.chunked_array([account]), pa.chunked_array([values])
    return lacks(*columns, told, n_classes=sizes, n_values=N_VALUES, place=places)


@pytest.mark.parametrize(
    ("n_honest", "n_members", "holders", "is_by_chance"),
    [(360, 40, 300, False), (360, 40, 3, True), (40, 3, 1, True), (4000, 24, 2000, False), (2016, 40, 486, True)],
)
def test_lack_is_weighed(n_honest: int, n_members: int, holders: int, is_by_chance: bool) -> None:
    """A value that only honest accounts have is a leak when they often have it, and chance when they hardly do."""
    n = n_honest + n_members
    found = lacking(np.where(np.arange(n) < holders, "rare", "usual"), np.arange(n) >= n_honest)
    expected = {"value": "rare", "only_in": "honest", "n_accounts": holders, "is_by_chance": is_by_chance}
    assert [row for row in found if expected.items() <= row.items()]


def test_lone_member_with_a_value_of_its_own_is_chance() -> None:
    """One account of three with a value that none of forty has is no leak; all three of twenty-four are."""
    for n_honest, holders, is_by_chance in ((40, 1, True), (2000, 1, True), (2000, 3, False)):
        n = n_honest + 24
        found = lacking(np.where(np.arange(n) >= n - holders, "own", "usual"), np.arange(n) >= n_honest)
        own = next(row for row in found if row["value"] == "own")
        assert (own["only_in"], own["is_by_chance"]) == ("extraction", is_by_chance)


def test_chance_is_that_of_the_urn() -> None:
    """With the same odds for all, the chance is that of drawing all holders from one class without putting back."""
    assert p_all_in(30, 40, 3) > 30 * 29 * 28 / (40 * 39 * 38)
    drawn = np.random.default_rng(5).random((40_000, 12)) < np.where(np.arange(12) < 8, 2 / 5, 1 / 4)
    three = drawn[drawn.sum(axis=1) == 3]
    expected = np.mean(~three[:, 8:].any(axis=1))  # odds 2/3 and 1/3: twice
    assert p_all_in(8, 12, 3) == pytest.approx(expected, abs=0.02)
    assert p_all_in(2, 12, 3) == 0.0


def uneven(seed: int) -> tuple[Any, Any, Any, Any]:
    """Rows of 300 quiet honest accounts, of 40 busy ones, and of 24 busy members of a campaign behind three exits."""
    draw = np.random.default_rng(seed)
    n_rows = np.concatenate([draw.integers(2, 12, 300), draw.integers(20, 120, 40), draw.integers(20, 120, 24)])
    account = np.repeat(np.arange(364), n_rows)
    told = account >= 340
    place = np.where(told, 1000 + account % 3, account)
    return draw, account, told, place


def test_what_all_draw_alike_passes() -> None:
    """On 200 seeds no value is blamed that accounts, requests or shared places draw alike, rare or not."""
    blamed = []
    weights = 0.6 ** np.arange(20) / (0.6 ** np.arange(20)).sum()
    for seed in range(200):
        draw, account, told, place = uneven(seed)
        columns = {
            "by account": (draw.choice(20, 364, p=weights)[account], None),
            "by request": (draw.choice(20, len(account), p=weights), None),
            "by place": (draw.choice(20, 1003, p=weights)[place], place),
        }
        for name, (values, places) in columns.items():
            found = lacking(values, told, account=account, place=places)
            blamed += [(seed, name, row) for row in found if not row["is_by_chance"]]
    assert blamed == []


@pytest.mark.parametrize("n_planted", [6, 24])
def test_planted_constant_is_caught(n_planted: int) -> None:
    """A constant that some members of a campaign have and nobody else is blamed on every seed."""
    for seed in range(20):
        draw, account, told, _ = uneven(seed)
        values = np.where(account >= 364 - n_planted, "planted", draw.choice(["a", "b"], len(account)))
        found = {row["value"]: row for row in lacking(values, told, account=account)}
        planted = found["planted"]
        assert (planted["only_in"], planted["is_by_chance"]) == ("extraction", False)


def test_network_of_one_exit_is_one_draw() -> None:
    """A network that only one exit of a fleet is in is chance, however many leave by it; three exits are not."""
    account = np.arange(2024)
    told = account >= 2000
    for n_exits, is_by_chance in ((1, True), (3, False)):
        place = np.where(told, 5000 + account % n_exits, account)
        found = lacking(np.where(told, "abroad", "here"), told, place=place)
        assert {row["is_by_chance"] for row in found if row["value"] == "abroad"} == {is_by_chance}
