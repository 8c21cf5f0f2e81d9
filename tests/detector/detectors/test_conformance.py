"""Our own detectors keep what is asked of anyone's, and each promise is one that can be broken."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detector.detectors.base import Verdict, extras_of
from detector.detectors.conformance import check_detector
from detector.detectors.registry import DETECTORS, make_detector
from detector.settings import DetectorSettings
from tests.detector.features.small_logs import draw_log, draw_truth, features_with

FRAME = draw_log(people=20, fleet=6, requests=50)
TRUTH = draw_truth(FRAME, people=20).is_extraction.to_numpy(bool)
#: Published detectors: what each of them finds is in its own test, and is not in a log of random words and no clusters.
PUBLISHED = ("prada", "seat", "coverage", "mmd", "mahalanobis", "glasswally")


@pytest.mark.parametrize("name", [*DETECTORS, "pyod:hbos"])
def test_our_detectors_conform(name: str) -> None:
    """Every shipped detector, and one of PyOD's by name, keeps every promise, with the statistics that it brings."""
    detector = make_detector(DetectorSettings(name=name))
    features = features_with(FRAME, extras_of(detector)).sort_index()
    assert features.notna().any().sum() > 20
    truth = None if name in PUBLISHED else TRUTH
    checks = check_detector(detector, features, 3, is_extraction=truth)
    assert [(check.name, check.found) for check in checks if not check.is_kept] == []


@pytest.mark.parametrize("name", ["isolation_forest", "ecod"])
def test_a_model_that_draws_rows_does_not_care_for_their_order(name: str) -> None:
    """Above 256 rows an isolation forest sees a part of them in each tree."""
    drawn = np.random.default_rng(5).normal(size=(600, 4))
    features = pd.DataFrame(drawn, columns=list("abcd"), index=[f"a{i}" for i in range(600)])
    checks = check_detector(make_detector(DetectorSettings(name=name)), features, 3)
    assert [(check.name, check.found) for check in checks if not check.is_kept] == []


class Odd:
    """A detector that scores by a function of the features."""

    name = "odd"

    def __init__(self, scores: Callable[[pd.DataFrame], Any], family: str = "rate") -> None:
        """Keep the function."""
        self._scores, self._family = scores, family

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score."""
        pieces = pd.DataFrame({"piece": np.asarray(self._scores(features), dtype=float)}, index=features.index)
        return Verdict(0.0, pieces, {"piece": self._family})


def _spoils(features: pd.DataFrame) -> pd.Series:
    features.iloc[0, 0] = -1.0
    return features.iloc[:, 0].fillna(0)


@pytest.mark.parametrize(
    ("broken", "scores"),
    [
        ("leaves its input alone", _spoils),
        ("is laid out as a verdict", lambda f: np.full(len(f), np.inf)),
        ("says the same twice", lambda f: np.random.default_rng().normal(size=len(f))),
        ("does not care for the order of rows", lambda f: np.arange(len(f))),
        ("does not care for names", lambda f: [len(str(name)) for name in f.index]),
        ("bears an absent feature", lambda f: f.iloc[:, 0]),
        ("ranks better than a constant", lambda f: np.zeros(len(f))),
        ("says the same twice", lambda f: 1 / 0),
    ],
)
def test_each_promise_can_be_broken(broken: str, scores: Callable[[pd.DataFrame], Any]) -> None:
    """A detector that breaks a promise is told so by its name."""
    features = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": 0.5}, index=["w", "xx", "yyy", "zzzz"])
    checks = check_detector(Odd(scores), features, 3, is_extraction=np.array([True, False, True, False]))
    assert broken in [check.name for check in checks if not check.is_kept]


def test_an_unknown_family_is_named() -> None:
    """Evidence of no known family could support nothing."""
    features = pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "y"])
    found = {check.name: check.found for check in check_detector(Odd(lambda f: [0, 1], "vibes"), features, 3)}
    assert found["is laid out as a verdict"] == "no known family for piece"
