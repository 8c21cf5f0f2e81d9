"""Profiles that travel as rows are the profiles that were folded, however the log was dealt out."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles.rows import from_rows, rows_schema, to_rows
from detector.profiles.store import SLICES, Profiles
from tests.detector.profiles.test_store import assert_same, folded
from tests.detector.worlds import COLUMNS, draw_events

WANTED = tuple(s.name for s in SLICES.values() if s.is_optional)


def travelled(*parts: Profiles, batch_rows: int = 3) -> Profiles:
    """Write parts as rows, cut those into small batches, and read them as one."""
    rows = pa.concat_tables([to_rows(part) for part in parts])
    return from_rows(pa.Table.from_batches(rows.to_batches(batch_rows), rows.schema), COLUMNS, WANTED)


def refolded(profiles: Profiles, log: pa.RecordBatch) -> Profiles:
    """Fold times again where rows came late, as every reader of a log does."""
    if profiles.n_late:
        profiles.refold_rhythm([log.select(["occurred_at", "account_id"])])
    return profiles


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.booleans())
def test_any_partition_folds_to_the_same(seed: int, n_parts: int, is_split_in_time: bool) -> None:
    """Rows dealt out at will and folded apart merge to what one fold gives: counts exactly, float sums to 1e-6."""
    log = draw_events(seed)
    part = np.random.default_rng(seed).integers(0, n_parts, log.num_rows)
    part = np.sort(part) if is_split_in_time else part
    parts = [folded(log.filter(pa.array(part == p))) for p in np.random.default_rng(seed + 1).permutation(n_parts)]
    merged = travelled(*parts)
    assert is_split_in_time is False or merged.n_late == 0
    assert_same(folded(log), refolded(merged, log))


def test_rows_are_one_an_account_and_read_back_bit_by_bit() -> None:
    """Nothing is lost on the way, not even of float sums."""
    profiles = folded(draw_events(3))
    rows = to_rows(profiles)
    assert rows.schema == rows_schema(COLUMNS, WANTED)
    assert rows.column("account_id").to_pylist() == profiles.account_ids
    assert to_rows(travelled(profiles)).equals(rows)


def test_no_account_is_no_row() -> None:
    """A part without rows of the log takes no part."""
    whole = folded(draw_events(4))
    assert_same(whole, travelled(Profiles(COLUMNS, wanted=WANTED), whole))
    assert len(travelled(Profiles(COLUMNS, wanted=WANTED))) == 0


def test_cells_of_other_slices_are_refused() -> None:
    """A cell that is not as long as its slice is not read as something else."""
    rows = to_rows(folded(draw_events(5)))
    cut = pa.array([cell[:-1] for cell in rows["volume"].to_pylist()], pa.binary())
    damaged = rows.set_column(rows.schema.get_field_index("volume"), rows.schema.field("volume"), cut)
    with pytest.raises(ValueError, match="a cell of volume is not 72 bytes; fold the log anew"):
        from_rows(damaged, COLUMNS, WANTED)
