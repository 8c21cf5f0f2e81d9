"""Windows are of one size, and distances between sketches are those of the vectors they stand for."""

import numpy as np
import pytest

from detector.detectors.baselines.windows import WINDOW, differing_bits, directions, over_windows
from detector.profiles.queries import BITS
from detector.profiles.store import Profiles
from tests.detector.detectors.baselines.windows import random_windows, with_near
from tests.detector.features.small_logs import log_of
from tests.detector.worlds import to_batch


def folded(n_prompts: dict[str, int]) -> Profiles:
    """Fold accounts that ask so many distinct prompts."""
    rows = [(account, f"tell about number{i}") for account, n in n_prompts.items() for i in range(n)]
    frame = log_of(
        list(map(float, range(len(rows)))), account_id=[a for a, _ in rows], prompt=[prompt for _, prompt in rows]
    )
    profiles = Profiles(tuple(frame.columns), wanted=("queries",))
    profiles.fold(to_batch(frame))
    return profiles


def test_a_window_is_full_or_absent() -> None:
    """One prompt short of a window is too little to say; ten times as many are a window of the same size."""
    profiles = folded({"short": WINDOW - 1, "full": WINDOW, "long": 10 * WINDOW})
    seen = []
    found = over_windows(lambda w: seen.append(w.shape) or np.arange(len(w), dtype=float), profiles.trimmed())
    np.testing.assert_array_equal(found, [np.nan, 0.0, 1.0])
    assert seen == [(2, WINDOW, 2)]


def test_accounts_that_ask_the_same_have_the_same_window() -> None:
    """What is drawn depends on the prompts alone, not on who asked or how much else was asked before."""
    profiles = folded({"one": 2 * WINDOW, "other": 2 * WINDOW})
    found = over_windows(lambda w: w.astype(float).sum(axis=(1, 2)), profiles.trimmed())
    assert found[0] == found[1]


def test_differing_bits_by_hand() -> None:
    """A prompt differs from itself in nothing, from its neighbour in the bits that were turned."""
    bits = differing_bits(with_near(random_windows(1), 3, bits=5))
    assert bits[0, 0, 0] == 0
    assert (bits[0, 0, 1], bits[0, 1, 0], bits[0, 1, 2]) == (5, 5, 10)


def test_directions_agree_with_bits() -> None:
    """Squared distance of two directions is four times the share of bits in which they differ, at unit length."""
    windows = random_windows(2)
    points = directions(windows)[0]
    squared = ((points[:, None] - points[None, :]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared, 4 * differing_bits(windows)[0] / BITS, atol=1e-12)
    assert (points[0] @ points[0]) == pytest.approx(1.0)
