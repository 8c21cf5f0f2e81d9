"""Rhythm by hand: gaps, regularity, hours, and a timeline that widens."""

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.profiles.rhythm import TIMELINE_PLACES
from detector.profiles.store import Profiles
from tests.detector.worlds import to_batch

MONDAY = pd.Timestamp("2026-03-02T00:00:00Z")


def rhythm_of(seconds: list[float], weights: list[int] | None = None) -> tuple[Profiles, object]:
    """Fold one account's instants, given in seconds since Monday midnight."""
    frame = pd.DataFrame({"occurred_at": MONDAY + pd.to_timedelta(seconds, unit="s"), "account_id": "a"})
    if weights:
        frame["n_requests"] = weights
    profiles = Profiles(tuple(frame.columns))
    profiles.fold(to_batch(frame.astype({"occurred_at": "datetime64[us, UTC]"})))
    return profiles, profiles.states["rhythm"]


def test_gaps_fall_on_a_log_scale() -> None:
    """Gaps of 1 ms, 1.5 ms and 4 ms lie in places 1, 2 and 5 of the half-octave scale."""
    _, rhythm = rhythm_of([0, 0.001, 0.0026, 0.0067])
    assert np.flatnonzero(rhythm.gaps[0]).tolist() == [1, 5]
    assert rhythm.gaps[0, 1] == 2
    assert rhythm.longest_gap[0] == 4100


def test_a_clock_is_regular() -> None:
    """Equal gaps have CV2 of 0; alternating gaps of 1 and 3 s have 1, which is not regular."""
    _, clock = rhythm_of([0, 10, 20, 30, 40])
    assert (clock.n_pairs[0], clock.n_regular[0], clock.cv2_sum[0]) == (3, 3, 0.0)
    _, jumpy = rhythm_of([0, 1, 4, 5, 8])
    assert (jumpy.n_pairs[0], jumpy.n_regular[0], jumpy.cv2_sum[0]) == (3, 0, 3.0)


def test_a_quarter_of_poisson_pairs_is_regular() -> None:
    """The reference value in the docstring holds for drawn exponential gaps."""
    gaps = np.random.default_rng(1).exponential(60, size=20_000)
    _, rhythm = rhythm_of(np.cumsum(gaps).tolist())
    assert abs(rhythm.n_regular[0] / rhythm.n_pairs[0] - 0.25) < 0.01
    assert abs(rhythm.cv2_sum[0] / rhythm.n_pairs[0] - 1.0) < 0.02


def test_hours_count_from_monday() -> None:
    """Monday 00:30 is hour 0, Sunday 23:59 is hour 167."""
    _, rhythm = rhythm_of([1800, 7 * 86_400 - 60])
    assert np.flatnonzero(rhythm.hours[0]).tolist() == [0, 167]


def test_timeline_widens_without_losing_requests() -> None:
    """A life of 65 hours needs buckets of two hours; every request is kept, in its bucket."""
    _, rhythm = rhythm_of([0, 3600, 64 * 3600])
    assert rhythm.timeline[0].sum() == 3
    assert rhythm.timeline[0, 0] == 2
    assert rhythm.last_hour[0] - rhythm.first_hour[0] == TIMELINE_PLACES


def test_counts_per_bucket_have_no_gaps() -> None:
    """A row that stands for many requests counts as many, and its instant is no request's instant."""
    profiles, rhythm = rhythm_of([0, 3600], weights=[5, 7])
    assert rhythm.gaps.sum() == 0
    assert rhythm.hours[0].sum() == 12
    assert profiles.states["volume"].n_requests[0] == 12


def test_late_rows_are_counted() -> None:
    """A row before the account's last one is late across batches and harmless within one."""
    log = to_batch(
        pd.DataFrame({"occurred_at": [MONDAY, MONDAY - pd.Timedelta(hours=1)], "account_id": ["a", "a"]}).astype(
            {"occurred_at": "datetime64[us, UTC]"}
        )
    )
    together, apart = Profiles(("occurred_at", "account_id")), Profiles(("occurred_at", "account_id"))
    together.fold(log)
    apart.fold(log.slice(0, 1))
    apart.fold(log.slice(1))
    assert (together.n_late, apart.n_late) == (0, 1)
    apart.refold_rhythm([pa.RecordBatch.from_arrays(log.columns, schema=log.schema)])
    assert apart.n_late == 0
