"""Coverage: cells by hand, more topics reach more, and a coalition reaches more than its members."""

from math import comb

import numpy as np
import pytest

from detector.detectors.baselines.coverage import CELL_BITS, STATISTIC, cells_of
from detector.detectors.baselines.windows import WINDOW
from detector.features.extras import compute_extras
from detector.profiles.store import Profiles
from tests.detector.detectors.baselines.windows import random_windows
from tests.detector.features.small_logs import log_of
from tests.detector.worlds import to_batch


def test_cells_by_hand() -> None:
    """One cell stays one; all apart are as many as prompts; two halves are missed with the chance to draw but one."""
    apart = random_windows(1)
    apart[0, :, 0] = np.arange(WINDOW, dtype=np.uint64) << np.uint64(64 - CELL_BITS)
    same, halves = apart.copy(), apart.copy()
    same[0, :, 0] = 0
    halves[0, :, 0] = (np.arange(WINDOW, dtype=np.uint64) % 2) << np.uint64(63)
    assert cells_of(same, 5)[0] == pytest.approx(1.0)
    assert cells_of(apart, 5)[0] == pytest.approx(5.0)
    assert cells_of(halves, 5)[0] == pytest.approx(2 * (1 - comb(16, 5) / comb(32, 5)))


def _log(plan: dict[str, range]) -> Profiles:
    """Fold accounts that ask of the topics in a range, eight prompts each, which differ in one word of ten."""
    rng = np.random.default_rng(5)
    topics = [" ".join("".join(rng.choice(list("abcdefghij"), size=8)) for _ in range(9)) for _ in range(64)]
    rows = [(who, f"{topics[t]} part{n}") for who, asked in plan.items() for t in asked for n in range(8)]
    frame = log_of([float(i) for i in range(len(rows))], account_id=[a for a, _ in rows], prompt=[p for _, p in rows])
    profiles = Profiles(tuple(frame.columns), wanted=("queries",))
    profiles.fold(to_batch(frame))
    return profiles


def test_more_topics_reach_more() -> None:
    """With as many prompts, who asks of sixteen things has been to more places than who asks of four."""
    profiles = _log({"narrow": range(4), "wide": range(16)})
    found = compute_extras([STATISTIC], profiles, profiles, profiles.filled_columns).cells_reached
    assert found["narrow"] + 1 < found["wide"] <= CELL_BITS


def test_a_coalition_is_measured_as_one() -> None:
    """Four accounts that split the topics reach together what one account would that asks of them all."""
    members = _log({f"member{i}": range(8 * i, 8 * i + 8) for i in range(4)})
    whole = _log({"whole": range(32)})
    pool = members.pool(np.zeros(4, np.int64), ["pool"])
    single = compute_extras([STATISTIC], members, members, members.filled_columns).cells_reached
    together = compute_extras([STATISTIC], pool, members, members.filled_columns).cells_reached
    alone = compute_extras([STATISTIC], whole, whole, whole.filled_columns).cells_reached
    assert together["pool"] == pytest.approx(alone["whole"])
    assert together["pool"] > single.max() + 0.5
