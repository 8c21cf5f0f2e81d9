"""MMD: random features give the kernel, the statistic is the unbiased one, and a stranger to all stands out."""

import numpy as np
import pytest

from detector.detectors.baselines.mmd import STATISTIC, WIDTHS, _kernel_map, _median_distance
from detector.detectors.baselines.windows import WINDOW, differing_bits, directions, windows_of
from detector.features.extras import compute_extras
from detector.profiles.queries import BITS
from detector.profiles.store import Profiles
from tests.detector.features.small_logs import log_of
from tests.detector.worlds import to_batch


def _log(accounts: int = 12, *, stranger: bool = False, prompts: int = 48) -> Profiles:
    """Fold accounts that mix common words, and one that uses words of its own."""
    rng = np.random.default_rng(8)
    common = ["".join(rng.choice(list("abcdefgh"), size=7)) for _ in range(40)]
    own = ["".join(rng.choice(list("klmnopqr"), size=7)) for _ in range(12)]
    rows = []
    for a in range(accounts):
        pool = own if stranger and a == 0 else common
        rows += [(f"a{a:02d}", " ".join(rng.choice(pool, size=9))) for _ in range(prompts)]
    frame = log_of([float(i) for i in range(len(rows))], account_id=[a for a, _ in rows], prompt=[p for _, p in rows])
    profiles = Profiles(tuple(frame.columns), wanted=("queries",))
    profiles.fold(to_batch(frame))
    return profiles


def _values(profiles: Profiles) -> np.ndarray:
    return compute_extras([STATISTIC], profiles, profiles, profiles.filled_columns).mean_discrepancy.to_numpy()


def _exact(profiles: Profiles, account: int) -> float:
    """Compute the statistic from all pairs, without random features."""
    states = profiles.trimmed()
    (_, windows), middle = next(windows_of(states)), _median_distance(states)
    points = directions(windows)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        squared = ((x[:, None] - y[None, :]) ** 2).sum(axis=2)
        return np.mean([np.exp(-squared / (2 * (width * middle) ** 2)) for width in WIDTHS], axis=0)

    x, everyone = points[account], points.reshape(-1, BITS)
    within = (kernel(x, x).sum() - WINDOW) / (WINDOW * (WINDOW - 1))
    return float(within + kernel(everyone, everyone).mean() - 2 * kernel(x, everyone).mean())


def test_random_features_give_the_statistic() -> None:
    """One pass with random features comes near the value from all pairs, for the stranger and for one of the crowd."""
    profiles = _log(stranger=True)
    found = _values(profiles)
    assert found[0] == pytest.approx(_exact(profiles, 0), rel=0.15)
    assert found[5] == pytest.approx(_exact(profiles, 5), abs=0.02)


def test_a_stranger_stands_out() -> None:
    """Who uses words of his own is farther from all than anyone, by far."""
    found = _values(_log(stranger=True))
    assert found[0] > 3 * np.max(found[1:])


def test_the_null_has_no_bias() -> None:
    """Where all ask alike the statistic is about 0 whatever the number of prompts: no part of it is sample size."""
    for prompts in (WINDOW, 3 * WINDOW):
        assert np.mean(_values(_log(prompts=prompts))) == pytest.approx(0.0, abs=0.005)


def test_the_width_is_the_median_distance() -> None:
    """It is the median over pairs of prompts of the log."""
    states = _log().trimmed()
    (_, windows) = next(windows_of(states))
    bits = differing_bits(windows)[:, *np.triu_indices(WINDOW, 1)]
    assert _median_distance(states) == pytest.approx(np.sqrt(4 * np.median(bits) / BITS), rel=0.05)


def test_too_few_prompts_are_absent() -> None:
    """A log without one full window has no reference and no statistic."""
    profiles = _log(accounts=3, prompts=5)
    assert _kernel_map(profiles.trimmed()) is None
    assert np.isnan(_values(profiles)).all()
