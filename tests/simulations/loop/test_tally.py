"""Counts: what is told of a campaign is what can be counted in the log and the truth."""

from collections import Counter
from contextlib import closing

import numpy as np
import pytest

from simulations.loop.attack import ValueSettings
from simulations.loop.keys import ACTIVE, DEGRADE, HIDE_REASONING, REVOKE, SERVED, UNSENT
from simulations.loop.stage import open_stage
from simulations.loop.tally import Answers, Tally
from simulations.traffic.kinds import IS_EXTRACTION, number
from tests.simulations.loop.play import BULK, FLEET, OBSERVE, PEOPLE, attack_of, defence_of, play, world_of


def tally_of(**values: object) -> Tally:
    """Empty counts: people, a harvester that repeats each prompt (accounts 24 and 25) and a fleet (26 to 33)."""
    stage = open_stage(world_of([PEOPLE, BULK, FLEET]), attack_of())
    with closing(stage.world.spill):
        return Tally(stage, ValueSettings(**values), 4)


def records_of(rows: list[tuple[int, int]], kind: str = "collected") -> np.ndarray:
    """Requests of some accounts for some items of their own."""
    from simulations.spill import RECORD

    records = np.zeros(len(rows), RECORD)
    records["account"], records["item"] = [row[0] for row in rows], [row[1] for row in rows]
    records["owner"], records["kind"] = records["account"], number(kind)
    return records


def add(tally: Tally, records: np.ndarray, *, outcome: int = SERVED, state: int = ACTIVE, status: int = 200) -> None:
    """Count requests of 10 tokens and half a dollar each."""
    n = len(records)
    answers = Answers(np.full(n, status), np.full(n, 10), np.full(n, 0.5 if status == 200 else 0.0))
    outcomes, states = np.full(n, outcome, np.uint8), np.full(n, state, np.int8)
    tally.add(0, records, answers, outcomes, state=states, alone=answers, is_sent_alone=np.ones(n, np.bool_))


def test_each_repeated_prompt_is_useful_once() -> None:
    """Answers to one prompt are taken each time, and useful the first; with and without a defence apart."""
    tally = tally_of()
    add(tally, records_of([(24, 0), (24, 0), (25, 0), (24, 1)]))
    add(tally, records_of([(24, 1), (25, 0), (25, 1)]), outcome=UNSENT)
    add(tally, records_of([(25, 1), (24, 0)]))
    assert tally.with_defence["taken"][0].sum() == 6.0
    assert tally.with_defence["useful"][0].sum() == 4.0
    assert tally.without["taken"][0].sum() == 9.0
    assert tally.without["useful"][0].sum() == 4.0
    assert tally.with_defence["useful_tokens"][0].sum() == 40.0


def test_useful_is_what_the_world_repeats() -> None:
    """In a whole rehearsal the useful answers of a harvester are its distinct prompts that were answered."""
    scenario = world_of([PEOPLE, BULK], text=True)
    played = play(scenario, defence_of(measures=OBSERVE), script={})
    own = played.log[played.log["number"].isin(played.accounts("bulk")) & (played.log["status_code"] == 200)]
    campaign = played.loop.tally.with_defence
    assert campaign["taken"][0].sum() == len(own)
    distinct = len(own.drop_duplicates(["account_id", "prompt"]))
    assert campaign["useful"][0].sum() == pytest.approx(distinct, rel=0.02)
    assert distinct < 0.75 * len(own)


def test_cover_is_no_loot_and_costs() -> None:
    """What hides a harvest is neither taken nor useful; it is paid for."""
    tally = tally_of()
    add(tally, records_of([(26, 0), (27, 1)], kind="chat_first"))
    assert tally.with_defence["taken"][1].sum() == 0.0
    assert tally.with_defence["token_usd"][1].sum() == 1.0
    assert tally.n_extraction.sum() == 0 and tally.usd[26] == 0.5


@pytest.mark.parametrize(
    ("state", "kind", "left"),
    [
        (ACTIVE, "reasoning", 1.0),
        (HIDE_REASONING, "reasoning", 0.46),
        (HIDE_REASONING, "reasoning_guided", 0.46),
        (HIDE_REASONING, "collected", 1.0),
        (DEGRADE, "collected", 0.5),
    ],
)
def test_spoiled_answers_count_for_less(state: int, kind: str, left: float) -> None:
    """A spoiled answer is taken in full and useful in part; without a defence it is useful in full."""
    tally = tally_of()
    add(tally, records_of([(26, 0)], kind=kind), state=state)
    assert (tally.with_defence["taken"][1, 0], tally.with_defence["useful"][1, 0]) == (1.0, left)
    assert tally.without["useful"][1, 0] == 1.0


def test_what_fails_by_itself_is_no_loss() -> None:
    """A request that fails without a defence too is not served, is no loss and leaks nothing."""
    tally = tally_of()
    add(tally, records_of([(0, 0), (26, 0)]), status=429)
    add(tally, records_of([(0, 1)]), status=500)
    add(tally, records_of([(0, 2), (0, 3)]), outcome=UNSENT)
    assert tally.by_outcome[0].tolist() == [0, 1, 1, 2]
    assert (tally.n_lost[0], tally.usd_lost[0]) == (2, 1.0)
    assert tally.with_defence["taken"].sum() == 0.0


def test_a_served_request_of_a_stopped_key_is_noticed() -> None:
    """Should a stopped key ever be served, it is counted, and the run ends in an error."""
    tally = tally_of()
    add(tally, records_of([(0, 0)]), state=REVOKE)
    assert tally.n_served_stopped == 1


def test_members_belong_to_their_campaign() -> None:
    """Accounts of a campaign are its own, honest ones nobody's."""
    tally = tally_of()
    assert Counter(tally.campaign.tolist()) == {-1: 24, 0: 2, 1: 8}
    assert tally.names == ["bulk", "fleet"] and IS_EXTRACTION.any()
