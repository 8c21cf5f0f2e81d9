"""Requests leave in order whatever the stretches, and memory holds one stretch at a time."""

from pathlib import Path

import numpy as np
import pytest

from simulations.spill import RECORD, Records, Spill
from simulations.streams import member_keys

KEYS = member_keys("crowd", 50)
LENGTH_US = 1_000_000


def records_of(n: int, *, instants: int = LENGTH_US) -> Records:
    """Requests at random instants, many at the same."""
    draw = np.random.default_rng(3)
    records = np.zeros(n, dtype=RECORD)
    records["at_us"] = draw.integers(0, instants, n)
    records["account"] = draw.integers(0, len(KEYS), n)
    records["ordinal"] = np.arange(n)
    return records


def sorted_by(records: Records, stretch_rows: int, n_rows: int, folder: Path) -> Records:
    """Spill in three pieces and read back."""
    spill = Spill(KEYS, LENGTH_US, len(records), folder, stretch_rows)
    for piece in np.array_split(records, 3):
        spill.add(piece)
    chunks = list(spill.chunks(n_rows))
    spill.close()
    assert {len(chunk) for chunk in chunks[:-1]} <= {n_rows}
    return np.concatenate(chunks)


@pytest.mark.parametrize("stretch_rows", [10_000, 300, 7])
@pytest.mark.parametrize("instants", [LENGTH_US, 40, 1])
def test_order_is_by_time_key_and_ordinal(stretch_rows: int, instants: int, tmp_path: Path) -> None:
    """One file or many, few instants or a single one: the order is the same, and nothing is lost."""
    records = records_of(2000, instants=instants)
    order = np.lexsort((records["ordinal"], KEYS[records["account"]], records["at_us"]))
    assert np.array_equal(records[order], sorted_by(records, stretch_rows, 130, tmp_path))


def test_files_have_no_name(tmp_path: Path) -> None:
    """Nothing shows in the folder, so that nothing is left when the process dies."""
    spill = Spill(KEYS, LENGTH_US, 5000, tmp_path, 100)
    spill.add(records_of(5000))
    assert list(tmp_path.iterdir()) == []
    spill.close()


def test_overfull_stretch_is_read_in_parts(tmp_path: Path) -> None:
    """When all requests fall into one stretch, each part that is sorted is still small."""
    spill = Spill(KEYS, LENGTH_US, 4000, tmp_path, 100)
    spill.add(records_of(4000, instants=LENGTH_US // 40))
    assert max(len(part) for part in spill._slices()) < 600
    spill.close()
