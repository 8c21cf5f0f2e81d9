"""Models small enough to compute by hand."""

import numpy as np

from detector.detectors.base import Cohorts, Reference
from detector.detectors.lookalikes import Kind
from detector.detectors.model import AdditiveModel, Curve, Level, Pairs

COHORTS = Cohorts({"chat": 70, "bulk": 30}, ("chat", "chat", "bulk"), np.array([70, 5, 1]))
REFERENCE = Reference(100, np.array([-3.0, 0.0, 2.0]), np.array([0.9, 0.1, 0.02]), 0.01, np.array([90, 9, 1]), COHORTS)
POPULATION = {"age": np.arange(21.0)}

KINDS = {"chat": Kind(40, {"age": 1.0}, {"age": 0.5}, {0: 0.5}, {0: 1.25})}


def small_model() -> AdditiveModel:
    """A model of two levels and three curves."""
    age = Curve(np.array([0.0, 1.0, 2.0]), np.array([1.5, 0.25, -0.75]))
    repeats = Curve(np.array([0.0, 4.0]), np.array([-0.5, 3.5]))
    levels = {
        0: Level(-5.0, {"age": age}, REFERENCE),
        2: Level(-6.0, {"age": age, "repeats": repeats}, REFERENCE),
    }
    return AdditiveModel(levels, {"logs": [{"n_accounts": 100}]}, POPULATION, KINDS)


def paired_model(first: str = "repeats", second: str = "answer_length", weight: float = 2.0) -> AdditiveModel:
    """A model of two flat curves and one pair, whose scales run from -1 at 0 to 1 at 2."""
    flat, scale = Curve(np.array([0.0, 2.0]), np.zeros(2)), Curve(np.array([0.0, 2.0]), np.array([-1.0, 1.0]))
    curves, scales = (dict.fromkeys((first, second), line) for line in (flat, scale))
    return AdditiveModel({0: Level(-5.0, curves, REFERENCE, Pairs(scales, {(first, second): weight}))}, {})
