"""A statistic becomes log-odds of its rank: in order, neutral where absent, clusters counted once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.detectors.base import extras_of
from detector.detectors.baselines.ranked import rank_odds
from detector.detectors.combined import Combined
from detector.detectors.registry import make_detector
from detector.errors import ConfigError
from detector.features.catalogue import FEATURES
from detector.profiles.store import SLICES
from detector.settings import DetectorSettings, PolicySettings
from detector.tables import FAMILIES

NAMES = ("prada", "seat", "coverage", "mmd")


def test_odds_by_hand() -> None:
    """Of four values the highest has 1/5 at or above it, odds of 4; two-sided the ends share the surprise."""
    odds = rank_odds(np.array([1.0, 2.0, 3.0, 4.0]), is_two_sided=False)
    np.testing.assert_allclose(odds, np.log([1 / 4, 2 / 3, 3 / 2, 4]))
    both = rank_odds(np.array([1.0, 2.0, 3.0, 4.0]), is_two_sided=True)
    np.testing.assert_allclose(both, np.log([3 / 2, 1 / 4, 1 / 4, 3 / 2]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30, unique=True))
def test_order_is_kept(values: list[float]) -> None:
    """A higher value never scores lower, and two-sided a mirrored statistic scores the same."""
    statistic = np.array(values)
    assert (np.diff(rank_odds(np.sort(statistic), is_two_sided=False)) > 0).all()
    one, other = rank_odds(statistic, is_two_sided=True), rank_odds(-statistic, is_two_sided=True)
    np.testing.assert_allclose(one, other)


def test_absent_is_neutral() -> None:
    """Who has too little to say scores 0; where nobody has, or all are alike, everybody does."""
    assert rank_odds(np.array([1.0, np.nan, 9.0]), is_two_sided=False)[1] == 0
    assert not rank_odds(np.full(3, np.nan), is_two_sided=True).any()
    assert not rank_odds(np.full(3, 7.0), is_two_sided=False).any()


def test_a_cluster_counts_once() -> None:
    """However many members share a value, the others are ranked as beside one."""
    alone = rank_odds(np.array([1.0, 2.0, 3.0]), is_two_sided=False)
    shared = rank_odds(np.array([1.0, 2.0, 3.0, 3.0, 3.0]), is_two_sided=False)
    np.testing.assert_array_equal(alone, shared[:3])
    assert shared[2] == shared[4]


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_of_one_statistic(name: str) -> None:
    """It says what it needs, scores by it, and is neutral without it; no catalogue name is taken."""
    detector = make_detector(DetectorSettings(name=name))
    (extra,) = extras_of(detector)
    assert extra.family in FAMILIES and extra.needs == ("prompt",) and extra.name not in FEATURES
    assert all(SLICES[slice_].is_optional for slice_ in extra.slices)
    features = pd.DataFrame({extra.name: [0.1, 0.2, np.nan]}, index=list("abc"))
    verdict = detector.judge(features, 3)
    assert list(verdict.contributions) == [extra.name]
    assert verdict.scores[2] == 0 and len(set(verdict.scores[:2])) == (1 if name == "prada" else 2)
    assert not detector.judge(features.drop(columns=extra.name), 1).scores.any()


@pytest.mark.parametrize("name", NAMES)
def test_sides_can_be_set(name: str) -> None:
    """`two_sided` is the one parameter; another, or another kind of value, is refused by name."""
    statistic = extras_of(make_detector(DetectorSettings(name=name)))[0].name
    features = pd.DataFrame({statistic: np.arange(9.0)})
    both = make_detector(DetectorSettings(name=name, parameters={"two_sided": True})).judge(features, 3).scores
    high = make_detector(DetectorSettings(name=name, parameters={"two_sided": False})).judge(features, 3).scores
    assert both[0] == both[8] > both[4] and high[0] < high[4] < high[8]
    with pytest.raises(ConfigError, match=f"{name} has no 'two_side'; nearest: 'two_sided'"):
        make_detector(DetectorSettings(name=name, parameters={"two_side": True}))
    with pytest.raises(ConfigError, match="two_sided = 'yes': give true or false"):
        make_detector(DetectorSettings(name=name, parameters={"two_sided": "yes"}))


def test_one_family_is_never_enough_to_revoke() -> None:
    """A baseline speaks for one family, and a revocation needs more."""
    features = pd.DataFrame({"near_pair_share": np.arange(2000.0)})
    verdict = make_detector(DetectorSettings(name="seat")).judge(features, 3)
    support = sum((verdict.by_family(f) >= PolicySettings().family_support).any() for f in FAMILIES)
    assert support == 1 < PolicySettings().revoke_families


def test_the_fitted_model_brings_nothing() -> None:
    """The default detector asks for no statistic beyond the catalogue, so default scoring folds no optional slice."""
    assert extras_of(Combined()) == ()
