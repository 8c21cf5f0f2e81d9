"""PyOD models by name: they run, give the same scores twice, and a wrong name is answered with the nearest."""

import warnings

import numpy as np
import pandas as pd
import pytest

from detector.detectors.anomaly import Anomaly, load_pyod, standardised
from detector.detectors.registry import make_detector
from detector.errors import UnknownDetectorError
from detector.settings import DetectorSettings


def some_features(n: int = 60) -> pd.DataFrame:
    """Draw accounts of which the last is far from all others."""
    rng = np.random.default_rng(4)
    features = pd.DataFrame(rng.normal(size=(n, 4)), columns=["age", "repeats", "networks", "payments"])
    features.iloc[-1] = 9.0
    features.loc[3, "age"] = np.nan
    return features


@pytest.mark.parametrize("name", ["iforest", "loda", "cblof"])
def test_a_model_that_draws_repeats_itself(name: str) -> None:
    """Whatever was drawn before, the same log gives the same bytes."""
    first = Anomaly(name).judge(some_features(), 3).scores
    np.random.seed(11)
    np.testing.assert_array_equal(first, Anomaly(name).judge(some_features(), 3).scores)


@pytest.mark.parametrize("name", ["iforest", "ecod", "hbos", "knn", "inne"])
def test_a_model_runs(name: str) -> None:
    """No warning, two runs alike; the odd one out scores highest; the score is the only contribution."""
    detector = make_detector(DetectorSettings(name=f"pyod:{name}"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict, again = detector.judge(some_features(), 3), detector.judge(some_features(), 3)
    np.testing.assert_array_equal(verdict.scores, again.scores)
    assert verdict.scores.argmax() == 59
    assert list(verdict.contributions) == [detector.name] == [f"pyod:{name}"]
    assert verdict.families == {detector.name: ""}
    assert verdict.prior + verdict.contributions[detector.name][7] == verdict.scores[7]


def test_scores_are_on_a_common_scale() -> None:
    """The median account scores 0 and the middle half spans 1."""
    low, middle, high = np.quantile(Anomaly("iforest").judge(some_features(), 3).scores, [0.25, 0.5, 0.75])
    assert middle == pytest.approx(0.0)
    assert high - low == pytest.approx(1.0)


@pytest.mark.parametrize("family", ["rate", "content", "network", "economy"])
def test_it_supports_no_family(family: str) -> None:
    """What cannot be taken apart is evidence of no family, so it revokes nobody."""
    assert not Anomaly("ecod").judge(some_features(), 3).by_family(family).any()


def test_parameters_reach_the_model() -> None:
    """Another number of trees gives other scores; a parameter that the model lacks is refused by name."""
    assert load_pyod("iforest", {"n_estimators": 7}).n_estimators == 7
    with pytest.raises(UnknownDetectorError, match=r"pyod:iforest: parameters \['trees'\]: .*unexpected keyword"):
        load_pyod("iforest", {"trees": 7})


@pytest.mark.parametrize("name", ["iforst", "ifores", "../os", "os", "base", ""])
def test_an_unknown_model_is_refused(name: str) -> None:
    """No such model, and nothing but a model is ever imported by name."""
    with pytest.raises(UnknownDetectorError, match=f"pyod:{name}: PyOD has no such model here; "):
        load_pyod(name, {})


def test_the_nearest_model_is_named() -> None:
    """A slip is answered with what was meant."""
    with pytest.raises(UnknownDetectorError, match="nearest: 'iforest'"):
        load_pyod("iforst", {})


def test_standardised_by_hand() -> None:
    """Median 2 and quartile range 2; a gap becomes the median, a constant becomes 0, an empty column vanishes."""
    features = pd.DataFrame(
        {"age": [0.0, 1.0, 2.0, 3.0, 100.0], "repeats": [5.0] * 5, "networks": np.nan, "payments": [0, 0, 0, 0, np.nan]}
    )
    found = standardised(features)
    assert found[:, 0].tolist() == [-1.0, -0.5, 0.0, 0.5, 10.0]
    assert found[:, 1].tolist() == [0.0] * 5
    assert found.shape == (5, 3)
    assert np.isfinite(found).all()


def test_one_account_is_no_crash() -> None:
    """A log of one account is scaled without a number that is none."""
    assert standardised(pd.DataFrame({"age": [3.0]})).tolist() == [[0.0]]
