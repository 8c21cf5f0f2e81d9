"""The loop: only a decision moves what follows, sums hold in every rehearsal, each measure does what it says."""

from typing import Any

import numpy as np
import pytest

from detector.settings import load
from simulations.loop.defence import DefenceSettings
from simulations.loop.engine import STEP_US
from simulations.loop.keys import DAY_US, NOTICED
from simulations.loop.watch import Watch
from tests.simulations.loop.play import (
    BULK,
    FLEET,
    OBSERVE,
    PEOPLE,
    SURE,
    Played,
    at_once,
    attack_of,
    defence_of,
    numbers_of,
    play,
    world_of,
)
from tests.simulations.loop.sums import any_case, check_everything, states_at

ALONE = ("taken_without", "worth_usd_without", "spent_usd_without", "usd_per_useful_million_tokens_without")
ADAPTIVE: dict[str, Any] = {
    "respawn": {"is_on": True, "delay_days": 0.0, "per_day": 4.0},
    "tactics": [{"do": "switch_models"}, {"do": "slow_down"}, {"do": "split"}],
}


@pytest.fixture(scope="module")
def undefended() -> Played:
    """The small world, observed."""
    return play(world_of(), defence_of(measures=OBSERVE), script={})


@pytest.mark.parametrize("seed", range(8))
def test_sums_hold_in_every_rehearsal(seed: int) -> None:
    """Requests, money, accounts, states and the order of decisions agree, whatever defends, attacks and is found."""
    check_everything(play(world_of(), *any_case(seed)))


# -- nothing moves but what a decision moves


def test_stopping_an_account_moves_no_other(undefended: Played) -> None:
    """The rows of all other accounts are the same whether an account is stopped or not."""
    played = play(world_of(), at_once("revoke"), script={2.0: ([0, 5, 30], "review")})
    assert played.rows_of(without=[0, 5, 30]) == undefended.rows_of(without=[0, 5, 30])
    assert played.rows_of() != undefended.rows_of()


def test_defences_agree_up_to_the_first_decision(undefended: Played) -> None:
    """Two defences and none have the same log up to the first decision; honest accounts that none hits, all along."""
    script = {2.0: ("fleet", "review")}
    throttles = play(world_of(), at_once("throttle"), attack_of(**ADAPTIVE), script)
    revokes = play(world_of(), at_once("revoke"), attack_of(**ADAPTIVE), script)
    first = undefended.rows_of(end=2.0)
    assert throttles.rows_of(end=2.0) == first == revokes.rows_of(end=2.0)
    assert throttles.rows_of(begin=2.0) != revokes.rows_of(begin=2.0)
    others = np.setdiff1d(np.arange(200), np.concatenate([undefended.accounts(n) for n in ("people", "products")]))
    honest = undefended.rows_of(without=others)
    assert throttles.rows_of(without=others) == honest == revokes.rows_of(without=others)
    assert throttles.loop.campaigns[1].n_opened > 0


def test_looks_see_the_past_only() -> None:
    """Each look finds what a new defender finds in the rows so far, and nothing later changes it."""
    measures = {name: {"at_once": "observe", "confirmed": "revoke"} for name in OBSERVE}
    soon, late = (
        play(world_of(), defence_of(measures=measures, by="wave", wave_days=days, review=SURE)) for days in (2.0, 4.0)
    )
    assert any(len(look.accounts) for look in soon.looks.values())
    for played in (soon, late):
        watch = Watch(played.loop.defence, played.stage.names, played.loop.ledger.begins_us, has_text=False)
        may = np.ones(len(played.stage.born_us), np.bool_)
        before = 0
        for now_us, look in played.looks.items():
            watch.fold(played.rows.filter(_within(played, before, now_us)))
            again = watch.look(now_us, played.loop.known_accounts(), may)
            kept = np.isin(again.accounts, look.accounts)
            assert again.accounts[kept].tolist() == look.accounts.tolist()
            assert again.score[kept].tolist() == look.score.tolist()
            before = now_us
    firsts = [{now: look.score.tolist() for now, look in p.looks.items() if now <= 2 * DAY_US} for p in (soon, late)]
    assert firsts[0] == firsts[1]
    assert soon.of("changes a key")["at_us"].min() == 2 * DAY_US
    assert late.of("changes a key")["at_us"].min() == 4 * DAY_US


def _within(played: Played, begin_us: int, end_us: int) -> Any:
    at_us = played.log["at_us"].to_numpy()
    return (at_us >= begin_us) & (at_us < end_us)


def test_an_observer_sees() -> None:
    """A defence that does nothing tells when it would have flagged whom, opens no case and changes nothing."""
    seen = play(world_of(), defence_of(measures=OBSERVE))
    assert seen.outcome["campaigns"]["fleet"]["days_to_first_flags"] is not None
    assert seen.outcome["work"] == {"looks": 4, "cases": 0, "appeals": 0, "waiting": 0, "reviewer_hours": 0.0}
    assert len(seen.of("changes a key")) == 0


# -- without a defence


@pytest.mark.parametrize(
    "attack",
    [{}, {"purse_usd": 67.0}, {"stops_at_cost": True, "value": {"regime": "style", "worth_usd": 30.0}}, ADAPTIVE],
)
def test_nothing_is_prevented_where_nobody_defends(attack: dict[str, Any]) -> None:
    """What is told of a world without a defence is what happens in one: money runs out there, too."""
    outcome = play(world_of(), defence_of(measures=OBSERVE), attack_of(**attack), {}).outcome
    for campaign in outcome["campaigns"].values():
        assert campaign["taken"] == campaign["taken_without"] > 0
        assert campaign["spent_usd"]["total"] == pytest.approx(campaign["spent_usd_without"])
        assert campaign["cost_multiplier"] == pytest.approx(1.0)
        assert (campaign["prevented"], campaign["worth_usd"]) == (0.0, campaign["worth_usd_without"])
    ends = [campaign["has_ended"] for campaign in outcome["campaigns"].values()]
    assert any(ends) == ("purse_usd" in attack or "stops_at_cost" in attack)


def test_a_defence_changes_nothing_of_the_world_without_one(undefended: Played) -> None:
    """What would have happened is the same beside every defence and every reaction, other models among them."""
    defended = play(world_of(), at_once("throttle"), attack_of(**ADAPTIVE), {1.0: ("fleet", "review")})
    assert "switch_models" in set(defended.ledger["what"])
    for name, campaign in defended.outcome["campaigns"].items():
        before = undefended.outcome["campaigns"][name]
        assert {key: campaign[key] for key in ALONE} == pytest.approx({key: before[key] for key in ALONE})


# -- measures


def test_throttled_accounts_keep_their_first_requests_of_each_day(undefended: Played) -> None:
    """Of each day the first few requests are answered as without a defence, and all others meet the limit."""
    played = play(world_of(), at_once("throttle", throttled={"per_day": 3}), script={1.0: ("bulk", "review")})
    assert played.log["request_id"].tolist() == undefended.log["request_id"].tolist()
    log = played.log.assign(before=undefended.log["status_code"])
    hit = log["number"].isin(played.accounts("bulk")) & (log["day"] >= 1)
    place = log[hit].groupby(["number", "day"]).cumcount()
    assert (log[hit]["status_code"][place < 3] == log[hit]["before"][place < 3]).all()
    assert (log[hit]["status_code"][place >= 3] == 429).all()
    assert log[hit]["cost_usd"][place >= 3].isna().all()
    assert (place >= 3).sum() > 50
    assert (log[~hit]["status_code"] == log[~hit]["before"]).all()


@pytest.mark.parametrize("action", ["suspend", "revoke", "verify"])
def test_stopped_accounts_give_up(undefended: Played, action: str) -> None:
    """A stopped account is refused a few times and then sends nothing more."""
    defence = at_once(action, verification={"p_attacker": 0.0, "p_honest": 0.0})
    played = play(world_of(), defence, script={1.0: ("bulk", "review")})
    late = played.log[played.log["number"].isin(played.accounts("bulk")) & (played.log["day"] >= 1)]
    assert late.groupby("number")["status_code"].agg(list).tolist() == [[403] * NOTICED] * 2
    assert undefended.sent("bulk", 1, 5) > 100
    assert played.outcome["campaigns"]["bulk"]["n_revoked"] == (2 if action == "revoke" else 0)


@pytest.mark.parametrize(("action", "left"), [("hide_reasoning", 0.46), ("degrade", 0.5)])
def test_spoiled_answers_are_worth_less_and_look_the_same(action: str, left: float) -> None:
    """Hiding the reasoning and degrading answers lower what is useful from then on, and leave the log alone."""
    fleet = {**FLEET, "parameters": {**FLEET["parameters"], "generator_share": 0.0, "answers": ["reasoning"]}}
    scenario = world_of([PEOPLE, fleet])
    plain = play(scenario, defence_of(measures=OBSERVE), script={})
    played = play(scenario, at_once(action), script={1.0: ("fleet", "review")})
    assert played.rows_of() == plain.rows_of()
    with_defence, without = played.loop.tally.with_defence["useful"][0], played.loop.tally.without["useful"][0]
    assert with_defence[:4].tolist() == without[:4].tolist()
    assert with_defence[4:] == pytest.approx(left * without[4:])
    campaign = played.outcome["campaigns"]["fleet"]
    assert campaign["taken"] == campaign["taken_without"]
    assert campaign["worth_usd"] < campaign["worth_usd_without"]


def test_small_students_need_no_reasoning() -> None:
    """Hiding reasoning costs a small student nothing."""
    attack = attack_of(value={"student": "small"})
    campaign = play(world_of(), at_once("hide_reasoning"), attack, {1.0: ("fleet", "review")}).outcome["campaigns"]
    assert campaign["fleet"]["worth_usd"] == campaign["fleet"]["worth_usd_without"]


def test_a_milder_measure_never_replaces_a_stronger_one() -> None:
    """Who is suspended stays so when a throttle is recommended."""
    measures = {**OBSERVE, "review": {"at_once": "suspend"}, "throttle": {"at_once": "throttle"}}
    script = {1.0: ([0, 1], "review"), 2.0: ([0, 1], "throttle")}
    played = play(world_of(), defence_of(measures=measures, review={"delay_days": 60.0}), script=script)
    assert played.of("changes a key")["state"].tolist() == ["suspend", "suspend"]


@pytest.mark.parametrize(("is_honest", "p"), [(True, 0.7), (False, 0.25)])
def test_verification_is_passed_as_often_as_stated(is_honest: bool, p: float) -> None:
    """So many of those asked to verify pass, after so long; they are served again, the others are not."""
    n, cohort = 400, PEOPLE if is_honest else FLEET
    scenario = world_of([{**cohort, "accounts": n}], days=2)
    chances = {"p_honest": p if is_honest else 0.0, "p_attacker": 0.0 if is_honest else p, "days": 0.25}
    played = play(scenario, at_once("verify", verification=chances), script={1.0: (cohort["name"], "review")})
    verified = played.of("is verified")
    assert abs(len(verified) / n - p) < 4 * np.sqrt(p * (1 - p) / n)
    assert (verified["at_us"] == DAY_US + STEP_US).all()
    late = played.log[played.log["at_us"] >= DAY_US + STEP_US]
    has_passed = late["number"].isin(verified["number"])
    assert (late["status_code"][~has_passed] == 403).all()
    assert (late["status_code"][has_passed] != 403).all()
    assert has_passed.any()


def test_verification_that_nobody_pays_for_is_not_passed() -> None:
    """A campaign passes as many verifications as its purse reaches for, and the other accounts stay stopped."""
    attack = attack_of(purse_usd=150.0, verify_usd=30.0)
    defence = at_once("verify", verification={"p_attacker": 1.0})
    played = play(world_of(), defence, attack, {1.0: ("fleet", "review")})
    spent = played.outcome["campaigns"]["fleet"]["spent_usd"]
    assert len(played.of("is verified")) == spent["verification"] / 30.0 == 2
    check_everything(played)


def test_a_campaign_keeps_accounts_that_may_still_be_verified() -> None:
    """An account that waits for its verification is not given up; one that fails is."""
    defence = at_once("verify", verification={"p_attacker": 0.5, "days": 0.75})
    attack = attack_of(respawn={"is_on": True}, verify_usd=0.0)
    played = play(world_of(), defence, attack, {1.0: ("fleet", "review")})
    verified, lost = played.of("is verified"), played.of("gives up an account")
    assert len(verified) and len(lost) and len(verified) + len(lost) == 8
    assert (lost["at_us"] >= 1.75 * DAY_US).all()


def test_withheld_models_are_for_verified_accounts() -> None:
    """An account that is not verified is refused a withheld model, and nothing else."""
    gate = {"models": ["stone-large"], "p_honest": 1.0, "p_attacker": 0.0}
    played = play(world_of(), defence_of(measures=OBSERVE, gate=gate), script={})
    is_attacker = played.log["number"].isin(np.r_[played.accounts("bulk"), played.accounts("fleet")])
    is_gated = is_attacker & (played.log["model"] == "stone-large")
    assert ((played.log["status_code"] == 403) == is_gated).all()
    assert is_gated.any()


def test_a_campaign_notices_withheld_models() -> None:
    """Refusals of a model hamper a campaign: it reacts."""
    gate = {"models": ["stone-large"], "p_attacker": 0.0}
    attack = attack_of(tactics=[{"do": "switch_models"}])
    played = play(world_of(), defence_of(measures=OBSERVE, gate=gate), attack, {})
    assert "switch_models" in set(played.ledger["what"])


@pytest.mark.parametrize(("least", "n_revoked"), [(0, 1), (1, 1), (2, 1), (2, 2)])
def test_who_pays_as_revoked_ones_must_verify(least: int, n_revoked: int) -> None:
    """All accounts with the payment of so many revoked ones are asked to verify, and nobody else."""
    world = world_of()
    stage = play(world, script={}).stage
    payment = stage.world.population.payment
    fleet = numbers_of(stage, "fleet")
    own = fleet[payment[fleet] == payment[fleet[0]]]
    revoked = own[:n_revoked]
    defence = at_once("revoke", indicators={"revoked_before_verify": least}, verification={"days": 60})
    played = play(world, defence, script={1.0: (revoked, "review")})
    asked = played.of("changes a key").query("state == 'verify'")
    expected = np.flatnonzero(payment == payment[own[0]]) if 0 < least <= n_revoked else revoked
    assert sorted([*asked["number"], *revoked]) == sorted(expected)
    assert set(asked["reason"]) <= {"economy"}


def test_the_word_of_another_provider_is_enough() -> None:
    """Payments that others have told of must verify from the beginning, with nobody revoked; honest ones need not."""
    defence = defence_of(
        measures=OBSERVE, indicators={"revoked_before_verify": 1, "received_share": 1.0}, verification={"days": 60}
    )
    played = play(world_of(), defence, script={})
    asked = played.of("changes a key")
    assert sorted(asked["number"]) == sorted([*played.accounts("bulk"), *played.accounts("fleet")])
    assert (asked["at_us"] == STEP_US).all()


def test_nobody_is_asked_before_he_exists() -> None:
    """An account that is opened later in the scenario is not asked to verify before."""
    hydra = {"name": "hydra", "attacker": "hydra", "accounts": 12, "parameters": {"heads": 4, "life_days": 1.5}}
    defence = defence_of(
        measures=OBSERVE, indicators={"revoked_before_verify": 1, "received_share": 1.0}, verification={"days": 60}
    )
    played = play(world_of([PEOPLE, hydra]), defence, script={})
    created = played.loop.known_accounts().to_pandas().set_index("account_id")["created_at"]
    asked = played.of("changes a key")
    assert len(asked) > 3 and asked["at_us"].nunique() > 1
    assert (asked["at"].to_numpy() >= created[asked["account_id"]].to_numpy()).all()


# -- reviewers, appeals, waves


def test_reviewers_decide() -> None:
    """With reviewers who never err, suspended honest accounts are cleared and harvests revoked; both the same day."""
    measures = {**OBSERVE, "review": {"at_once": "suspend", "confirmed": "revoke"}}
    script = {1.0: ([0, 1, *range(29, 37)], "review")}
    played = play(world_of(), defence_of(measures=measures, review=SURE), script=script)
    assert played.of("clears")["number"].tolist() == [0, 1]
    assert played.of("changes a key").query("state == 'revoke'")["number"].tolist() == list(range(29, 37))
    assert played.outcome["work"]["cases"] == 10
    log = states_at(played)
    assert (log[log["number"] < 2]["status_code"] != 403).all()


def test_without_reviewers_the_policy_decides() -> None:
    """Where review is not mandatory nobody is asked, and every recommendation is confirmed after its delay."""
    review = {"is_mandatory": False, "delay_days": 0.5, "capacity_per_day": 0.0}
    played = play(world_of(), defence_of(review=review), script={1.0: ([0, 30], "review")})
    changes = played.of("changes a key")
    assert changes["number"].tolist() == [0, 30]
    assert (changes["at_us"] == 1.5 * DAY_US).all()
    assert played.outcome["work"]["cases"] == 0


def test_confirmed_accounts_are_not_reviewed_again() -> None:
    """A reviewer's word holds: what was confirmed once costs no second review, in waves and where nobody is stopped."""
    script = dict.fromkeys((1.0, 2.0, 3.0, 4.0), ("fleet", "review"))
    for changes in ({"by": "wave", "wave_days": 4.0}, {"measures": {**OBSERVE, "review": {"confirmed": "throttle"}}}):
        played = play(world_of(), defence_of(review=SURE, **changes), script=script, case="one")
        assert played.outcome["work"]["cases"] == 1
        assert len(played.of("confirms")) == 8


@pytest.mark.parametrize(("wave_days", "expected"), [(2.0, [2.0, 4.0]), (0.8, [1.0, 3.25]), (2.3, [2.5, 4.75])])
def test_waves_come_on_wave_days(wave_days: float, expected: list[float]) -> None:
    """Confirmed cases wait for the end of the step in which a wave's day falls, whole or not."""
    defence = defence_of(by="wave", wave_days=wave_days, review=SURE, cadence_days=0.5)
    played = play(world_of(), defence, script={1.0: ([29], "review"), 3.0: ([30], "review")})
    changes = played.of("changes a key")
    assert changes["number"].tolist() == [29, 30]
    assert (changes["at_us"] / DAY_US).tolist() == expected


def test_stopped_customers_appeal() -> None:
    """A stopped honest customer who appeals is reinstated after the days that takes, or refused; once."""
    appeals = {"p_appeals": 1.0, "p_attacker_appeals": 0.0, "p_granted": 1.0, "days": 1.0}
    defence = load(DefenceSettings, {**at_once("revoke").model_dump(mode="json"), "appeals": appeals}, where="test")
    for granted, what in ((1.0, "reinstates"), (0.0, "refuses an appeal")):
        answered = defence.model_copy(update={"appeals": defence.appeals.model_copy(update={"p_granted": granted})})
        played = play(world_of(), answered, script={1.0: ([*range(24, 27), 29, 30], "review")})
        appealed, answers = played.of("appeals"), played.of(what)
        assert len(appealed) == len(answers) == 3
        assert (answers["at_us"].to_numpy() - appealed["at_us"].to_numpy() == DAY_US).all()
        assert set(answers["number"]) == {24, 25, 26}
        check_everything(played)


def test_who_fails_a_verification_can_appeal() -> None:
    """An honest customer who could not verify is heard like any other who was stopped."""
    appeals = {"p_appeals": 1.0, "p_granted": 1.0, "days": 0.5}
    values = at_once("verify", verification={"p_honest": 0.0, "days": 0.5}).model_dump(mode="json")
    defence = load(DefenceSettings, {**values, "appeals": appeals}, where="test")
    played = play(world_of(), defence, script={1.0: ([24, 25, 26], "review")})
    assert sorted(played.of("reinstates")["number"]) == [24, 25, 26]
    assert (played.of("appeals")["at_us"] >= 1.5 * DAY_US).all()


def test_who_is_told_why_learns_the_reason_of_the_stop() -> None:
    """A campaign whose account is stopped for its payment learns that it was the payment."""
    defence = defence_of(
        measures=OBSERVE,
        indicators={"revoked_before_verify": 1, "received_share": 1.0},
        verification={"p_attacker": 0.0},
    )
    attack = attack_of(tactics=[{"do": "slow_down"}, {"do": "switch_pathway"}], pathways=[{"name": "a"}, {"name": "b"}])
    played = play(world_of([PEOPLE, BULK]), defence, attack, {})
    done = [what for what in played.ledger["what"] if what in ("slow_down", "switch_pathway")]
    assert done == ["switch_pathway", "slow_down"]


def test_honest_losses_are_those_of_the_open_loop(undefended: Played) -> None:
    """What honest accounts lose is what they would have been served and were not, in requests and in money."""
    played = play(world_of(), at_once("revoke"), script={2.0: ("products", "review")})
    lost = undefended.log[undefended.log["number"].isin(undefended.accounts("products"))]
    lost = lost[(lost["at_us"] >= 2 * DAY_US) & (lost["status_code"] == 200)]
    harm = played.outcome["honest"]["product_backend"]
    assert (harm["n"], harm["revoke"], harm["requests_lost"]) == (3, 3, len(lost))
    assert harm["usd_lost"] == pytest.approx(lost["cost_usd"].sum())
    assert len(lost) > 10
