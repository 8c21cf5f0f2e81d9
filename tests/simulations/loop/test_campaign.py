"""Campaigns: each reaction does what it says, within money, pool and days; scores and truth are out of their sight."""

import ast
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import simulations.loop.campaign
from detector.errors import ConfigError
from simulations.loop.campaign import Seen
from simulations.loop.engine import Loop
from simulations.loop.keys import DAY_US
from simulations.loop.stage import open_stage
from tests.simulations.loop.play import FLEET, OBSERVE, PEOPLE, Played, at_once, attack_of, defence_of, play, world_of

#: What a look at a day has stopped: one account of eight, so that the others show how they react.
ONE = {1.0: ([29], "review")}
REST = np.arange(30, 37)
SMALL = (PEOPLE, {**PEOPLE, "name": "more", "accounts": 5}, FLEET)


def react(*tactics: dict[str, Any], script: Any = None, defence: Any = None, **attack: Any) -> Played:
    """A fleet of eight from account 29 on, one of which is stopped after a day, in a world of five days."""
    return play(world_of(SMALL), defence or at_once("revoke"), attack_of(tactics=tactics, **attack), script or ONE)


@pytest.fixture(scope="module")
def passive() -> Played:
    """The same stop, and no reaction."""
    return react(script=ONE)


def rate(played: Played, accounts: Any, begin: float = 1.5) -> int:
    """Requests of some accounts from a day on."""
    log = played.log
    return int((log["number"].isin(accounts) & (log["at_us"] >= begin * DAY_US)).sum())


def opened(played: Played) -> list[int]:
    """Numbers of the accounts that were opened."""
    return played.of("opens an account")["number"].astype(int).tolist()


def test_what_a_campaign_sees() -> None:
    """It is told of outcomes and money only, and imports neither looks nor the truth's counts nor the reviewers."""
    assert {field.name for field in fields(Seen)} == {"stopped", "hampered", "told", "behind", "token_usd", "useful"}
    tree = ast.parse(Path(simulations.loop.campaign.__file__).read_text(encoding="utf-8"))
    rooms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {"simulations.loop.purse", "simulations.loop.plans"} <= rooms
    assert not rooms & {f"simulations.loop.{name}" for name in ("watch", "tally", "review", "engine")}


def test_scores_tell_a_campaign_nothing() -> None:
    """Other scores behind the same recommendations change no reaction and no request."""
    respawn = {"is_on": True, "per_day": 50}
    attack = attack_of(tactics=[{"do": "slow_down"}, {"do": "split"}], respawn=respawn, patience_days=0.0)
    plain = play(world_of(SMALL), at_once("revoke"), attack, {1.0: ([29, 30], "review"), 2.0: ([31, 32], "review")})
    stage, rows = open_stage(world_of(SMALL), attack), []
    loop = Loop(stage, at_once("revoke"), attack, rows.append)
    loop.looking = lambda now_us, look: replace(plain.looks[now_us], score=-7.0 * plain.looks[now_us].score)
    loop.run()
    assert loop.ledger.table() == plain.loop.ledger.table()
    assert (plain.ledger["who"] == "fleet").sum() > 8
    assert pa.concat_tables(rows).unify_dictionaries() == plain.rows


# -- accounts


@pytest.mark.parametrize("delay_days", [0.0, 0.5, 1.25])
def test_lost_accounts_are_replaced(delay_days: float) -> None:
    """Each lost account is replaced by a new one after the delay, for its price; new ones send from then on only."""
    respawn = {"is_on": True, "delay_days": delay_days, "per_day": 50}
    played = react(respawn=respawn, pathways=[{"name": "same", "account_usd": 7.0}], script={1.0: ("fleet", "review")})
    lost, new = played.of("gives up an account"), played.of("opens an account")
    assert len(lost) == len(new) == 8
    waited = np.sort(new["at_us"]) - np.sort(lost["at_us"])
    assert set(waited / DAY_US) == {delay_days}
    assert played.outcome["campaigns"]["fleet"]["spent_usd"]["accounts"] == 8 * 7.0 + 8 * 7.0
    created = played.loop.known_accounts().to_pandas().set_index("account_id")["created_at"]
    assert (created[new["account_id"]].to_numpy() == new["at"].to_numpy()).all()
    assert rate(played, new["number"], 0.0) > 50


def test_nobody_is_replaced_without_respawn(passive: Played) -> None:
    """A campaign without reactions opens no account."""
    assert opened(passive) == [] and not passive.loop.campaigns[0].has_ended


@pytest.mark.parametrize(("per_day", "expected"), [(0.5, 4), (1.0, 8), (0.1, 1)])
def test_so_many_accounts_a_day(per_day: float, expected: int) -> None:
    """No day sees more new accounts than the bound, as a multiple of the first ones; a small bound adds up."""
    respawn = {"is_on": True, "delay_days": 0.0, "per_day": per_day}
    played = react(respawn=respawn, pathways=[{"name": "same", "pool": 9.0}], script={1.0: ("fleet", "review")})
    steps = np.bincount(played.of("opens an account")["at_us"] * 4 // DAY_US, minlength=24)
    assert np.convolve(steps, np.ones(4, int)).max() == expected


def test_a_pool_is_used_up_and_the_next_pathway_taken() -> None:
    """With the first pathway's pool at an end the rest comes from the next, and when all are, no more come."""
    ways = [{"name": "a", "pool": 0.25}, {"name": "b", "pool": 0.5, "account_usd": 9.0, "parameters": {"payments": 0}}]
    respawn = {"is_on": True, "delay_days": 0.0, "per_day": 50}
    played = react(pathways=ways, respawn=respawn, script={1.0: ("fleet", "review")})
    assert played.of("opens an account")["reason"].tolist() == ["a"] * 2 + ["b"] * 4
    assert played.outcome["campaigns"]["fleet"]["n_opened_later"] == 6


def test_the_rest_of_an_order_is_not_lost() -> None:
    """An order beyond the daily bound is completed where a pool runs dry on the way."""
    ways = [{"name": "a", "pool": 0.25}, {"name": "b", "pool": 2.0}]
    respawn = {"is_on": True, "delay_days": 0.0, "per_day": 2.0}
    played = react({"do": "split", "factor": 2.0}, pathways=ways, respawn=respawn)
    assert len(opened(played)) == 1 + 7


def test_orders_do_not_wait_for_one_another() -> None:
    """Accounts of a split come at once, also where replacements come days later."""
    respawn = {"is_on": True, "delay_days": 2.0, "per_day": 50}
    played = react({"do": "split", "factor": 2.0}, respawn=respawn)
    lost_us = played.of("gives up an account")["at_us"].min()
    waited = played.of("opens an account")["at_us"] - lost_us
    assert sorted(waited / DAY_US) == [0.0] * 7 + [2.0]


def test_money_bounds_everything() -> None:
    """Accounts are opened as far as the purse reaches; when it is empty the campaign ends and sends nothing more."""
    attack = {"purse_usd": 82.0, "exit_usd_per_day": 0.0, "respawn": {"is_on": True, "delay_days": 0.0, "per_day": 50}}
    played = react(script={1.0: ("fleet", "review")}, **attack)
    assert 2 <= len(opened(played)) <= 4
    poor = react(purse_usd=64.0)
    end = poor.of("stops").query("who == 'fleet'")
    assert end["reason"].tolist() == ["its money is spent"]
    assert rate(poor, np.arange(29, 40), end["at_us"].iloc[0] / DAY_US) == 0
    assert rate(poor, np.arange(29, 40), 0.0) > 50


def test_a_purse_must_reach_for_the_first_accounts() -> None:
    """A campaign that cannot pay for what it begins with is an error that says what that costs."""
    with pytest.raises(
        ConfigError, match=r"purse_usd = 50: campaign 'fleet' begins with 8 accounts and 2 payments for"
    ):
        react(purse_usd=50.0)


# -- tactics


def test_slow_down_halves_the_rate(passive: Played) -> None:
    """The accounts that are left send about half of what they did; nothing else changes."""
    played = react({"do": "slow_down", "factor": 2.0})
    assert rate(played, REST) / rate(passive, REST) == pytest.approx(0.5, abs=0.07)


def test_split_keeps_the_total(passive: Played) -> None:
    """As many accounts again send half as much each, together what it was."""
    played = react({"do": "split", "factor": 2.0}, respawn={"per_day": 50})
    new = opened(played)
    assert len(new) == 7
    assert rate(played, REST) / rate(passive, REST) == pytest.approx(0.5, abs=0.07)
    assert rate(played, [*REST, *new]) / rate(passive, REST) == pytest.approx(1.0, abs=0.15)


def test_jitter_comes_like_people(passive: Played) -> None:
    """Requests come in sessions instead of evenly: the median pause becomes short beside the mean."""
    evenness = []
    for played in (passive, react({"do": "jitter"})):
        log = played.log[played.log["number"].isin(REST) & (played.log["at_us"] >= 1.5 * DAY_US)]
        gaps = log.sort_values(["number", "at_us"]).groupby("number")["at_us"].diff().dropna()
        evenness.append(gaps.median() / gaps.mean())
    assert evenness[1] < evenness[0] / 2


def test_add_cover_raises_the_share_of_cover() -> None:
    """Of what is harvest half becomes cover: .2 becomes .6."""
    shares = []
    for played in (react(), react({"do": "add_cover", "share": 0.5})):
        tally = played.loop.tally
        shares.append(tally.n_extraction[REST].sum() / tally.by_outcome[REST, :3].sum())
    assert shares[0] == pytest.approx(0.8, abs=0.04)
    assert shares[1] == pytest.approx(0.25 * 0.8 + 0.75 * 0.4, abs=0.08)


def test_switch_models_asks_others(passive: Played) -> None:
    """Each account turns to another model than the one it preferred."""
    played = react({"do": "switch_models"})
    changed = 0
    for number in REST:
        before, after = (
            some.log[(some.log["number"] == number) & (some.log["at_us"] >= 1.5 * DAY_US)]["model"].mode()[0]
            for some in (passive, played)
        )
        changed += before != after
    assert changed == len(REST)


def test_switch_pathway_changes_instruments() -> None:
    """New accounts come by the next pathway: with payments of their own, that no earlier account has."""
    ways = [{"name": "same"}, {"name": "bought", "account_usd": 9.0, "parameters": {"payments": 0, "exits": 0}}]
    respawn = {"is_on": True, "delay_days": 0.5, "per_day": 50}
    played = react({"do": "switch_pathway"}, pathways=ways, respawn=respawn, script={1.0: (range(29, 33), "review")})
    new = played.of("opens an account")
    assert new["reason"].tolist() == ["bought"] * 4 and set(new["usd"]) == {9.0}
    accounts = played.loop.known_accounts().to_pandas()
    payments = accounts.loc[opened(played), "payment_id"]
    assert payments.is_unique
    assert not set(payments) & set(accounts.loc[range(37), "payment_id"])
    same = react(respawn=respawn, script={1.0: (range(29, 33), "review")})
    known = same.loop.known_accounts().to_pandas()
    assert set(known.loc[opened(same), "payment_id"]) <= set(known.loc[range(29, 37), "payment_id"])


def test_there_is_no_next_pathway() -> None:
    """Nobody pays for a tactic that changes nothing: a last pathway, a cover that the attacker cannot send."""
    bulk = {"name": "bulk", "attacker": "bulk_harvest", "accounts": 4, "parameters": {"requests": 300}}
    tactics = [{"do": "switch_pathway", "usd": 5}, {"do": "add_cover", "usd": 5}, {"do": "slow_down", "usd": 5}]
    played = play(world_of([bulk]), at_once("revoke"), attack_of(tactics=tactics), {2.0: ([0], "review")})
    assert [what for what in played.ledger["what"] if what in {t["do"] for t in tactics}] == ["slow_down"]
    assert played.outcome["campaigns"]["bulk"]["spent_usd"]["tactics"] == 5.0


@pytest.mark.parametrize("action", ["revoke", "throttle"])
def test_a_probe_learns_what_is_not_said(action: str) -> None:
    """Where nobody says why, a probe finds out the family behind stops and limits, and the next tactic answers it."""
    tactics = [{"do": "probe", "days": 1.0, "usd": 12.0}, {"do": "paraphrase"}, {"do": "jitter"}]
    script = {1.0: ([29, 30, 31, 32], "review"), 2.0: ([33], "review"), 3.0: ([34], "review")}
    defence = at_once(action, says_why=False, throttled={"per_day": 0})
    scenario, attack = world_of(SMALL), attack_of(tactics=tactics)
    played = play(scenario, defence, attack, script, families="network")
    own = played.ledger[(played.ledger["who"] == "fleet") & ~played.ledger["what"].str.contains("account")]
    assert own["what"].tolist()[:3] == ["probe", "has probed", "jitter"]
    assert own["reason"].fillna("").tolist()[:3] == ["", "network", "network"]
    assert own["at_us"].diff().iloc[1] == DAY_US
    blind = play(scenario, defence, attack_of(tactics=tactics[1:]), script, families="network")
    assert "paraphrase" in blind.ledger["what"].tolist() and blind.of("paraphrase")["reason"].isna().all()


def test_who_is_told_why_needs_no_probe() -> None:
    """Where the defence says why, the first reaction answers it."""
    played = play(
        world_of(SMALL), at_once("revoke"), attack_of(tactics=[{"do": "paraphrase"}, {"do": "jitter"}]), ONE,
        families="network",
    )  # fmt: skip
    assert played.of("jitter")["reason"].tolist() == ["network"]
    assert len(played.of("paraphrase")) == 0


def test_stop_ends_it() -> None:
    """A campaign that stops sends nothing from then on, with all its accounts."""
    played = react({"do": "stop"})
    stopped = played.of("stops")
    assert stopped["reason"].tolist() == ["it was found"]
    assert rate(played, np.arange(29, 60), stopped["at_us"].iloc[0] / DAY_US) == 0


def test_it_stops_when_a_day_costs_more_than_it_brings() -> None:
    """With little to gain it ends at the end of its first losing day, with much it goes on."""
    ends = [
        react(defence=defence_of(measures=OBSERVE), stops_at_cost=True, value={"regime": "style", "worth_usd": usd})
        for usd in (10.0, 1e6)
    ]
    assert ends[0].of("stops").query("who == 'fleet'")["at_us"].tolist() == [2 * DAY_US]
    assert len(ends[1].of("stops").query("who == 'fleet'")) == 0


def test_tactics_wait_repeat_and_tolerate() -> None:
    """A tactic is used as often as allowed, reactions keep their distance, and few losses are borne."""
    script = {float(day): ([28 + day], "review") for day in range(1, 5)}
    played = react({"do": "slow_down", "times": 2}, script=script, patience_days=2.0)
    assert (np.diff(played.of("slow_down")["at_us"]) >= 2 * DAY_US).all()
    assert played.of("slow_down")["n"].tolist() == [1, 2]
    assert len(react({"do": "slow_down"}, tolerates=0.2).of("slow_down")) == 0
