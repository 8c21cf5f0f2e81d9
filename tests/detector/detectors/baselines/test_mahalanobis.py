"""Mahalanobis distance: by hand, the odd one out first, clusters counted once, what is no feature left out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from detector.detectors.baselines.mahalanobis import Mahalanobis, distances


def some_features(n: int = 80) -> pd.DataFrame:
    """Draw accounts of whose two features one follows the other; the last breaks the rule and no bound."""
    rng = np.random.default_rng(2)
    age = rng.normal(size=n)
    features = pd.DataFrame({"age": age, "repeats": age + rng.normal(size=n) / 10, "networks": rng.normal(size=n)})
    features.iloc[-1] = [1.0, -1.0, 0.0]
    return features


def test_what_breaks_the_rule_is_far() -> None:
    """An account within every feature's range is first when it breaks what ties the features together."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = Mahalanobis().judge(some_features(), 1).scores
    assert scores.argmax() == 79
    assert np.median(scores) == pytest.approx(0.0)


def test_unit_circle() -> None:
    """For points on a circle all distances are the same, and twice as far out is twice the distance."""
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    found = distances(circle)
    np.testing.assert_allclose(found, found[0], rtol=1e-6)


def test_a_cluster_counts_once() -> None:
    """Repeating a row moves nobody's distance."""
    table = some_features().to_numpy()
    repeated = np.concatenate([table, np.repeat(table[-1:], 50, axis=0)])
    np.testing.assert_allclose(distances(repeated)[:80], distances(table))


def test_constants_tell_nothing() -> None:
    """Features that never vary give everybody the same score."""
    constant = pd.DataFrame({"age": [2.0] * 5, "repeats": [1.0] * 5})
    assert not Mahalanobis().judge(constant, 1).scores.any()


def test_only_the_catalogue_counts() -> None:
    """A column that another detector brought along changes nothing."""
    features = some_features()
    other = features.assign(near_pair_share=np.arange(80.0))
    np.testing.assert_array_equal(Mahalanobis().judge(features, 3).scores, Mahalanobis().judge(other, 3).scores)
