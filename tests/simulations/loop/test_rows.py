"""Rows of a step: each request once and in order, however it is cut; what is denied has no answer."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.turns import in_turn
from simulations.columns import LEAN
from simulations.loop.keys import REFUSED, SERVED, THROTTLED, UNSENT
from simulations.loop.rows import Cursor, copied, enforced, pieces
from simulations.spill import RECORD
from simulations.world import build
from tests.simulations.loop.play import PEOPLE, world_of


@given(
    at=st.lists(st.integers(0, 50), max_size=40).map(sorted),
    n_rows=st.integers(1, 9),
    ends=st.lists(st.integers(0, 60), max_size=8).map(sorted),
)
def test_a_cursor_gives_each_request_once(at: list[int], n_rows: int, ends: list[int]) -> None:
    """Up to each instant come the requests before it that had not come, whatever the chunks."""
    records = np.zeros(len(at), RECORD)
    records["at_us"], records["item"] = at, np.arange(len(at))
    cursor = Cursor(records[begin : begin + n_rows] for begin in range(0, len(at), n_rows))
    given_before = 0
    for end in ends:
        n_before = int(np.searchsorted(records["at_us"], end))
        assert cursor.until(end)["item"].tolist() == list(range(given_before, n_before))
        given_before = n_before


def test_rows_come_in_order_and_denied_ones_without_an_answer() -> None:
    """Rows are those of the world, in turn; what is not sent is no row, what is denied tells the status alone."""
    world = build(world_of([PEOPLE]))
    with closing(world.spill), ThreadPoolExecutor(2) as pool:
        records = next(world.spill.chunks(1 << 20))
        whole = world.scene.table(records)
        pairs = list(in_turn(pool, world.scene.table, pieces(records, 50), ahead=2))
    assert np.concatenate([some for some, _ in pairs]).tolist() == records.tolist()
    parts = [events.cast(whole.schema) for _, events in pairs]
    assert pa.concat_tables(parts)["request_id"] == whole["request_id"]
    outcome = np.arange(len(records)).astype(np.uint8) % 4
    sent = enforced(whole, outcome)
    assert sent.schema == LEAN
    kept = outcome != UNSENT
    assert sent["request_id"].to_pylist() == np.array(whole["request_id"].to_pylist())[kept].tolist()
    rows, before = sent.to_pylist(), whole.filter(pa.array(kept)).to_pylist()
    for row, old, what in zip(rows, before, outcome[kept].tolist(), strict=True):
        if what == SERVED:
            assert row == old
        else:
            assert row["status_code"] == {THROTTLED: 429, REFUSED: 403}[what]
            gone = ("output_tokens", "finish_reason", "refusal_category", "latency_ms", "cost_usd")
            assert [row[name] for name in gone] == [None] * 5
            assert {k: v for k, v in row.items() if k not in (*gone, "status_code")} == {
                k: v for k, v in old.items() if k not in (*gone, "status_code")
            }
    assert enforced(whole, np.zeros(len(records), np.uint8)) is whole


def test_a_copied_scene_does_not_change() -> None:
    """What campaigns change of their accounts does not reach the copy."""
    scene = build(world_of([PEOPLE])).scene
    kept = copied(scene)
    before = kept.population.traits["preferred"].copy()
    scene.population.traits["preferred"] += 1
    assert kept.population.traits["preferred"].tolist() == before.tolist()
