"""A request that a limit refused is sent again by those who do so: a little later, and otherwise the same."""

import numpy as np
import pyarrow as pa
import pytest

from simulations.crowd import DAY_S, FIRST_TRIES, Crowd, Horizon, Visits
from simulations.settings import scenario_of
from simulations.spill import Records
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic.arrivals import Runs
from simulations.traffic.lengths import P_LIMITED
from simulations.traffic.retries import MOST_TRIES, later_tries
from simulations.world import World, build

N, EACH = 40, 1500


def crowd_of(n: int) -> Crowd:
    """A crowd of n accounts over two weeks."""
    group = np.array([key_of("group")], dtype=np.uint64)
    return Crowd("crowd", member_keys("crowd", n), group, Streams(4), Horizon(1.7724096e9, 14.0))


def visits_of(n: int) -> Visits:
    """Conversations of n accounts."""
    return Runs().visits(crowd_of(n), np.full(n, EACH))


@pytest.fixture(scope="module")
def log() -> tuple[World, Records, pa.Table]:
    """A log of developers, agents, products and a harvest."""
    cohorts = [
        {"name": "tinkerers", "persona": "developer", "accounts": 40, "parameters": {"requests": 200}},
        {"name": "agents", "persona": "coding_agent", "accounts": 20, "parameters": {"requests": 200}},
        {"name": "products", "persona": "product_backend", "accounts": 10},
        {"name": "bulk", "attacker": "bulk_harvest", "accounts": 5},
    ]
    values = {"name": "retries", "seed": 3, "starts_at": "2026-03-02T00:00:00Z", "days": 14, "cohorts": cohorts}
    world = build(scenario_of(values, where="test"))
    records, tables = zip(*world.rows(), strict=True)
    return world, np.concatenate(records), pa.concat_tables(tables).unify_dictionaries()


def test_limited_requests_are_sent_again() -> None:
    """As many are sent again as limits refuse, each a little later, within the account's life; many more than once."""
    visits = visits_of(N)
    rows, ordinal, at_us = later_tries(crowd_of(N), visits, p_retries=1.0)
    tries = ordinal // FIRST_TRIES
    assert 0.4 < (tries == 1).mean() < 0.8 and tries.max() < MOST_TRIES
    assert (tries == 1).sum() / len(visits) == pytest.approx(P_LIMITED, rel=0.15)
    assert np.array_equal(ordinal % FIRST_TRIES, visits.ordinal[rows])
    wait_s = (at_us - visits.at_us[rows]) / 1e6
    assert wait_s.min() >= 0 and 1 < np.median(wait_s) < 6 and wait_s.max() < 120
    assert at_us.max() < 14 * DAY_S * 1e6


def test_turns_keep_their_order() -> None:
    """A later try comes before the next turn of its conversation."""
    visits = visits_of(N)
    rows, _, at_us = later_tries(crowd_of(N), visits, p_retries=1.0)
    rows, at_us = rows[rows < len(visits) - 1], at_us[rows < len(visits) - 1]
    goes_on = (visits.member[rows + 1] == visits.member[rows]) & (visits.session[rows + 1] == visits.session[rows])
    assert goes_on.sum() > 100
    assert (at_us <= visits.at_us[rows + 1])[goes_on].all()


def test_some_accounts_give_up() -> None:
    """An account sends all limited requests again or none, and the share that does is the one asked for."""
    rows, _, _ = later_tries(crowd_of(400), visits_of(400), p_retries=0.6)
    again = np.unique(visits_of(400).member[rows])
    assert len(again) / 400 == pytest.approx(0.6, abs=0.1)
    assert len(later_tries(crowd_of(N), visits_of(N), p_retries=0.0)[0]) == 0


def test_neighbours_change_no_retry() -> None:
    """An account's later tries are the same, to the microsecond, alone and among others."""
    visits = visits_of(N)
    rows, ordinal, at_us = later_tries(crowd_of(N), visits, p_retries=0.6)
    own = visits.take(visits.member == 7)
    alone = Visits(own.member * 0, own.ordinal, own.at_us, own.session, own.turn)
    _, own_ordinal, own_at_us = later_tries(crowd_of(N).part(7, 8), alone, p_retries=0.6)
    of_seven = visits.member[rows] == 7
    assert np.array_equal(ordinal[of_seven], own_ordinal) and np.array_equal(at_us[of_seven], own_at_us)
    assert len(own_ordinal) > 0


def test_retry_asks_the_same(log: tuple[World, Records, pa.Table]) -> None:
    """In the log a later try follows a 429 with the same prompt, model, size and address, under an id of its own."""
    _, records, events = log
    first = {(a, o): row for row, (a, o) in enumerate(zip(records["account"], records["ordinal"], strict=True))}
    again = np.flatnonzero(records["ordinal"] >= FIRST_TRIES)
    before = [first[records["account"][row], records["ordinal"][row] - FIRST_TRIES] for row in again]
    assert len(again) > 100
    same = ("account_id", "session_id", "prompt", "system_prompt", "model", "input_tokens", "ip", "user_agent")
    for name in (*same, "max_output_tokens"):
        assert events[name].take(pa.array(again)).to_pylist() == events[name].take(pa.array(before)).to_pylist(), name
    assert set(events["status_code"].take(pa.array(before)).to_pylist()) == {429}
    assert len(set(events["request_id"].to_pylist())) == len(events)


def test_most_are_served_in_the_end(log: tuple[World, Records, pa.Table]) -> None:
    """Tries go on while the quota is spent, and mostly beyond it; later tries included, limits refuse 1.2 %."""
    _, records, events = log
    status = events["status_code"].to_numpy()
    request = records["account"].astype(np.int64) * FIRST_TRIES + records["ordinal"] % FIRST_TRIES
    order = np.lexsort((records["ordinal"], request))
    is_last = np.diff(request[order], append=-1) != 0
    ends = status[order][is_last & (records["ordinal"][order] >= FIRST_TRIES)]
    assert 0.6 < np.mean(ends == 200) < 1.0
    assert np.mean(status == 429) == pytest.approx(0.012, abs=0.004)


def test_labels_follow_the_request(log: tuple[World, Records, pa.Table]) -> None:
    """Later tries count in the truth as what they repeat, for honest and extracting accounts alike."""
    world, records, _ = log
    again = records[records["ordinal"] >= FIRST_TRIES]
    assert {True, False} == set(world.is_member[again["account"]])
    assert world.truth()["n_events"].to_numpy().sum() == len(records)
