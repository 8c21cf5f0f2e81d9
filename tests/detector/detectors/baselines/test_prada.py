"""PRADA on prompts: nearest distances by hand, and laws that are no bell are abnormal."""

import numpy as np
import pytest
from scipy.stats import shapiro

from detector.detectors.baselines.prada import STATISTIC, _abnormality, nearest_distances
from detector.detectors.baselines.windows import WINDOW
from tests.detector.detectors.baselines.windows import random_windows, with_near


def test_nearest_distances_by_hand() -> None:
    """Two prompts that differ in 3 of 128 bits are 3/128 from their nearest; a prompt is never its own nearest."""
    found = nearest_distances(with_near(random_windows(1), 2, bits=3))[0]
    assert found[0] == found[1] == 3 / 128
    assert (found[2:] > 0.2).all()


def test_it_is_the_shapiro_wilk_statistic() -> None:
    """Without outliers the number is 1 - W of the library."""
    windows = random_windows(3)
    distances = nearest_distances(windows)[0]
    assert np.abs(distances - distances.mean()).max() <= 3 * distances.std()
    assert _abnormality(windows)[0] == pytest.approx(1 - shapiro(distances).statistic)


def test_outliers_are_dropped() -> None:
    """One pair of near-equal prompts beyond three deviations changes little; a quarter of the window does."""
    few, many = with_near(random_windows(5), 2), with_near(random_windows(5), WINDOW // 4)
    assert _abnormality(few)[0] < 0.1 < 0.2 < _abnormality(many)[0]


def test_of_a_constant_nothing_is_said() -> None:
    """Where all prompts have the same sketch there is no law to speak of: absent, without a warning."""
    same = np.repeat(random_windows(6)[:, :1], WINDOW, axis=1)
    assert np.isnan(_abnormality(same)).tolist() == [True]


def test_windows_do_not_mix() -> None:
    """Each window's number is that of the window alone."""
    together = _abnormality(random_windows(7, n=5))
    alone = [_abnormality(random_windows(7, n=5)[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-9)
    assert STATISTIC.level == 3
