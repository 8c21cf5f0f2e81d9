"""Plans: later plans repeat no request, keep within their days, and change what the manner says and nothing else."""

from contextlib import closing
from typing import Any

import numpy as np
import pytest

from simulations.loop.keys import DAY_US
from simulations.loop.plans import MOST_PLANS, NONE, PLAN_DAYS, Manner, Plans
from simulations.loop.stage import open_stage
from simulations.traffic.kinds import IS_EXTRACTION
from tests.simulations.loop.play import BULK, FLEET, PEOPLE, STEP_US, attack_of, world_of

DAYS = 10


@pytest.fixture
def plans() -> Any:
    """Plans of people, two single harvesters and a fleet of eight, over ten days."""
    stage = open_stage(world_of([PEOPLE, BULK, FLEET], days=DAYS), attack_of())
    with closing(stage.world.spill):
        yield Plans(stage.world, stage.volumes, STEP_US)


def begun(plans: Plans, place: int, accounts: Any, from_us: int, manner: Manner | None = None) -> Any:
    """Requests of a new plan, in order."""
    plans.begin(place, np.asarray(accounts), from_us, manner or Manner())
    records = np.concatenate([plans.take(step) for step in range(DAYS * 4)])
    return records[np.lexsort((records["ordinal"], records["account"]))]


def test_plans_keep_their_days(plans: Plans) -> None:
    """A plan begins when it is made and ends with all others; the last one ends with the log."""
    first = begun(plans, 2, range(26, 34), 2 * DAY_US)
    assert (first["at_us"] >= 2 * DAY_US).all() and (first["at_us"] < PLAN_DAYS * DAY_US).all()
    assert set(plans.ends_us[26:34]) == {PLAN_DAYS * DAY_US} and (plans.plan[26:34] == 1).all()
    second = begun(plans, 2, range(26, 34), PLAN_DAYS * DAY_US)
    assert (second["at_us"] >= PLAN_DAYS * DAY_US).all() and (second["at_us"] < DAYS * DAY_US).all()
    assert set(plans.ends_us[26:34]) == {DAYS * DAY_US}
    assert len(first) > 100 and len(second) > 100


def test_only_the_latest_plan_counts(plans: Plans) -> None:
    """A new plan voids the one before it, of the accounts that are planned anew; who is dropped sends nothing."""
    open_loop = np.concatenate(list(plans.world.spill.chunks(1 << 20)))
    assert plans.is_valid(open_loop).all()
    new = begun(plans, 2, [26, 28], DAY_US)
    assert set(new["account"]) == {26, 28} and plans.is_valid(new).all()
    assert set(open_loop["account"][~plans.is_valid(open_loop)]) == {26, 28}
    plans.drop(np.array([26]))
    assert set(new["account"][plans.is_valid(new)]) == {28} and plans.plan[26] == NONE


def test_no_request_comes_twice(plans: Plans) -> None:
    """No plan of an account uses an ordinal, a conversation or a harvest's prompt of another."""
    parts = [
        begun(plans, place, accounts, day * DAY_US) for day in (1, 3, 8) for place, accounts in ((1, [24]), (2, [26]))
    ]
    records = np.concatenate([np.concatenate(list(plans.world.spill.chunks(1 << 20))), *parts])
    records = records[np.isin(records["account"], [24, 26])]
    for number in (24, 26):
        own = records[records["account"] == number]
        assert len(np.unique(own["plan"])) == 4
        plan_of = {}
        for name in ("ordinal", "session"):
            assert all(plan_of.setdefault((name, v), p) == p for v, p in zip(own[name], own["plan"], strict=True))
        harvest = own[IS_EXTRACTION[own["kind"]]]
        asked = list(zip(harvest["owner"].tolist(), harvest["item"].tolist(), strict=True))
        by_plan = [{a for a, p in zip(asked, harvest["plan"], strict=True) if p == plan} for plan in range(4)]
        assert sum(map(len, by_plan)) == len(set(asked))


def test_accounts_do_not_depend_on_their_neighbours(plans: Plans) -> None:
    """An account's plan is the same whoever is planned with it."""
    both = begun(plans, 2, [27, 30], DAY_US)
    plans.latest[:], plans.plan[:] = 0, 0
    alone = begun(plans, 2, [30], DAY_US)
    assert both[both["account"] == 30].tolist() == alone.tolist()


@pytest.mark.parametrize(("place", "accounts"), [(1, [24, 25]), (2, list(range(26, 34)))])
def test_paraphrasing_changes_what_is_harvested_only(plans: Plans, place: int, accounts: list[int]) -> None:
    """Every harvest prompt is another one, shared by whom it was shared; times, kinds and cover stay."""
    told = begun(plans, place, accounts, DAY_US)
    plans.latest[:], plans.plan[:] = 0, 0
    reworded = begun(plans, place, accounts, DAY_US, Manner(wording=1))
    harvest = IS_EXTRACTION[told["kind"]]
    for name in ("at_us", "account", "ordinal", "session", "kind", "item"):
        assert told[name].tolist() == reworded[name].tolist()
    assert (told["owner"][harvest] != reworded["owner"][harvest]).all() and harvest.any()
    assert (told["owner"][~harvest] == reworded["owner"][~harvest]).all()
    assert len(np.unique(told["owner"][harvest])) == len(np.unique(reworded["owner"][harvest]))


def test_pace_changes_how_much(plans: Plans) -> None:
    """Half the pace is half the requests, a tenth a tenth."""
    sizes = []
    for pace in (1.0, 0.5, 0.1):
        plans.latest[:], plans.plan[:] = 0, 0
        sizes.append(len(begun(plans, 2, range(26, 34), DAY_US, Manner(pace=pace))))
    assert sizes[1] / sizes[0] == pytest.approx(0.5, abs=0.06)
    assert sizes[2] / sizes[0] == pytest.approx(0.1, abs=0.03)


def test_unknown_parameters_are_left_out(plans: Plans) -> None:
    """A manner changes the parameters that an actor has."""
    manner = Manner(changes=(("cover_share", 0.9), ("pace", "sessions")))
    bulk, fleet = plans.world.casts[1], plans.world.casts[2]
    assert (manner.parameters(fleet).cover_share, manner.parameters(fleet).pace) == (0.9, "sessions")
    assert manner.parameters(bulk) == bulk.parameters.model_copy(update={"pace": "sessions"})


def test_too_many_plans_end_an_account(plans: Plans) -> None:
    """An account whose ordinals are used up sends nothing more."""
    plans.latest[26] = MOST_PLANS
    assert set(begun(plans, 2, [26, 27], DAY_US)["account"]) == {27}
    assert plans.plan[26] == NONE
