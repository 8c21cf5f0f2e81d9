"""The stage: accounts that may be opened change nothing of those that are there, and share nothing with them."""

from contextlib import closing
from typing import Any

import numpy as np
import pytest

from detector.errors import ConfigError
from simulations.loop.stage import BEFORE, Stage, open_stage
from simulations.world import build
from tests.simulations.loop.play import attack_of, world_of

WAYS: dict[str, Any] = {
    "respawn": {"is_on": True},
    "pathways": [
        {"name": "same", "pool": 1.5},
        {"name": "bought", "pool": 0.5, "parameters": {"payments": 0, "repeats": 3}},
        {"name": "again", "pool": 0.3, "parameters": {"payments": 1}},
    ],
}


def stage_of(**attack: Any) -> Stage:
    """The small world, and who may come."""
    stage = open_stage(world_of(), attack_of(**attack))
    stage.world.spill.close()
    return stage


def test_reserves_change_nothing_of_the_world() -> None:
    """Requests, names and ids of the scenario's accounts are the same with reserves behind them."""
    with closing(build(world_of()).spill) as spill:
        before = np.concatenate(list(spill.chunks(1 << 20)))
    stage = stage_of(**WAYS)
    after = np.concatenate(list(stage.world.spill.chunks(1 << 20)))
    assert after.tolist() == before.tolist()
    n = len(stage_of().names)
    assert stage.names[:n] == stage_of().names
    assert stage.accounts()[:n] == stage_of().accounts()


def test_pools_are_as_large_as_told() -> None:
    """Each campaign has its pathways in order, each with its multiple of the first accounts, nobody opened."""
    stage = stage_of(**WAYS)
    sizes = {name: [len(stage.world.casts[place].crowd) for place in places] for name, places in stage.reserves.items()}
    assert sizes == {"bulk": [3, 1, 1], "fleet": [12, 4, 3]}
    assert stage.n_first_casts == 4
    assert (stage.born_us == BEFORE).all()
    assert stage_of().reserves == {"bulk": (), "fleet": ()}


def test_no_two_accounts_are_one() -> None:
    """All accounts of all pathways are different ones, and of a campaign no two have the same place in its prompts."""
    stage = stage_of(**WAYS)
    assert len(set(stage.names.to_pylist())) == len(stage.names)
    for name, places in stage.reserves.items():
        own = [p for p, campaign in enumerate(stage.campaign_of_cast) if campaign == name]
        positions = np.concatenate([stage.world.casts[place].crowd.positions for place in own])
        assert len(np.unique(positions)) == len(positions)
        assert set(places) < set(own)


def test_pathways_have_instruments_of_their_own() -> None:
    """Accounts of a pathway that differs share no payment with others; those of one that does not, do."""
    stage = stage_of(**WAYS)
    payment, firsts = stage.world.population.payment, stage.world.population.firsts
    places = (3, *stage.reserves["fleet"])
    first, same, bought, again = (set(payment[firsts[p] : firsts[p + 1]].tolist()) for p in places)
    assert same <= first and len(first) == 2
    assert len(bought) == 4 and len(again) == 1
    assert not (bought | again) & first and not bought & again


def test_a_wrong_value_names_its_pathway() -> None:
    """A value that an attacker does not take is an error with pathway and parameter."""
    with pytest.raises(ConfigError, match=r"pathway 'a': fleet does not take {'exits': 'many'}"):
        stage_of(respawn={"is_on": True}, pathways=[{"name": "a", "parameters": {"exits": "many"}}])


@pytest.mark.parametrize("is_on", [True, False])
def test_an_unknown_parameter_is_an_error(is_on: bool) -> None:
    """A parameter that no attacker has is not left out in silence, whether pathways are used or not."""
    with pytest.raises(ConfigError, match=r"pathway 'a': no attacker .* parameter 'paymets'; nearest: 'payments'"):
        stage_of(respawn={"is_on": is_on}, pathways=[{"name": "a", "parameters": {"paymets": 3}}])


def test_volumes_are_of_the_whole_log() -> None:
    """Accounts of a pathway would send as much as the first ones."""
    stage = stage_of(**WAYS)
    first, reserve = stage.volumes[3], stage.volumes[stage.reserves["fleet"][0]]
    assert np.mean(reserve) == pytest.approx(np.mean(first), rel=0.6)
    assert (np.array(stage.volumes[0]) >= stage.world.casts[0].n_requests).all()
