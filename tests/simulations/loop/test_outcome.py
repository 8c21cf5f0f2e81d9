"""The outcome: sums that do not hold end a run, days are whole, and a world without attackers tells of harm alone."""

import json
from typing import Any

import pytest

from simulations.loop.lines import lines
from simulations.loop.outcome import BrokenSumError, outcome_of
from simulations.loop.purse import Purse
from simulations.loop.stage import BEFORE
from tests.simulations.loop.play import (
    FLEET,
    OBSERVE,
    PEOPLE,
    PRODUCTS,
    Played,
    at_once,
    attack_of,
    defence_of,
    play,
    world_of,
)


@pytest.fixture
def played() -> Played:
    """A rehearsal of the small world in which the fleet is revoked."""
    return play(world_of(), at_once("revoke"), attack_of(purse_usd=500.0), {1.0: ("fleet", "review")})


def test_sums_that_do_not_hold_end_a_run(played: Played) -> None:
    """Tokens that nobody paid for, money that nobody had and served stopped keys are errors, each told."""
    outcome_of(played.loop)
    campaign = played.loop.campaigns[1]
    campaign.purse.spent["tokens"] += 0.01
    with pytest.raises(BrokenSumError, match="'fleet': pays for other requests"):
        outcome_of(played.loop)
    campaign.purse.spent["tokens"] -= 0.01
    campaign.purse.spent["tactics"] += 500.0
    with pytest.raises(BrokenSumError, match="'fleet': spends more than it has"):
        outcome_of(played.loop)
    played.loop.campaigns[1].purse = Purse(None, dict(campaign.purse.spent))
    played.loop.tally.n_served_stopped = 2
    with pytest.raises(BrokenSumError, match="2 requests were served to keys that are stopped"):
        outcome_of(played.loop)


def test_figures_by_hand(played: Played) -> None:
    """What leaks, what is prevented and when somebody was stopped follow from the log."""
    log = played.log[played.log["number"].isin(played.accounts("fleet"))]
    campaign = played.outcome["campaigns"]["fleet"]
    taken = int(played.loop.tally.with_defence["taken"][1].sum())
    assert campaign["taken"] == taken <= (log["status_code"] == 200).sum()
    assert campaign["prevented"] == 1 - taken / campaign["taken_without"] > 0.5
    assert (campaign["n_first_accounts"], campaign["n_revoked"]) == (8, 8)
    assert campaign["days_to_first_stop"] == campaign["days_to_first_flags"] == 1.0
    assert campaign["taken_before_first_flags"] == campaign["taken"]
    assert sum(campaign["daily"]["taken"]) == campaign["taken"]
    assert campaign["daily"]["alive"] == [8, 0, 0, 0, 0]
    assert campaign["daily"]["spent_usd"][-1] == pytest.approx(campaign["spent_usd"]["total"], abs=1e-6)
    assert json.loads(json.dumps(played.outcome)) == played.outcome
    assert any("fleet" in line for line in lines(played.outcome))


@pytest.mark.parametrize(("days", "n"), [(2.5, 3), (1.1, 2), (0.5, 1)])
def test_a_last_day_may_be_short(days: float, n: int) -> None:
    """Each list by day has a figure for every day that has begun."""
    daily = play(world_of(days=days), at_once("revoke"), script={}).outcome["campaigns"]["fleet"]["daily"]
    assert {name: len(values) for name, values in daily.items()} == dict.fromkeys(daily, n)


@pytest.mark.parametrize("attack", [{}, {"respawn": {"is_on": True}, "tactics": [{"do": "split"}]}])
def test_without_attackers_harm_is_told(attack: dict[str, Any]) -> None:
    """A scenario without a campaign works: nothing leaks, and what was done to honest accounts is told."""
    played = play(world_of([PEOPLE, PRODUCTS]), at_once("revoke"), attack_of(**attack), {1.0: ([0, 1], "review")})
    assert played.outcome["campaigns"] == {}
    assert played.outcome["honest"]["hobby_chat"]["revoke"] == 2
    assert "2 of" in "\n".join(lines(played.outcome))


def test_without_honest_accounts() -> None:
    """A scenario of attackers alone works too, and harms nobody."""
    played = play(world_of([FLEET]), defence_of(measures=OBSERVE), script={})
    assert played.outcome["honest"] == {} and lines(played.outcome)


@pytest.mark.parametrize(("n_first", "n_flagged", "is_found"), [(1, 1, True), (8, 1, False), (8, 2, True)])
def test_when_a_campaign_is_found(n_first: int, n_flagged: int, is_found: bool) -> None:
    """Two accounts tell of a campaign; one does where there is no second."""
    world = world_of([PEOPLE, {**FLEET, "accounts": n_first}])
    played = play(world, at_once("revoke"), script={1.0: ("fleet", "review")})
    loop = played.loop
    own = played.accounts("fleet")
    loop.first_flagged_us[list(own)[n_flagged:]] = BEFORE
    campaign = outcome_of(loop)["campaigns"]["fleet"]
    assert (campaign["days_to_first_flags"] is not None) == is_found
