"""The default detector: an additive model, so that the evidence of every account sums to its score."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from detector.detectors.base import Verdict
from detector.detectors.model import AdditiveModel
from detector.detectors.modelfile import load_model


@dataclass
class Combined:
    """Piecewise-linear additive log-odds over few robust features, fitted by `detectors.fitting`.

    Attributes
    ----------
    path: model file, or None for the shipped one.

    Notes
    -----
    Weak where a single account asks few, varied, well-written questions: nothing in such a log tells.
    """

    path: Path | None = None
    name: str = "combined"
    model: AdditiveModel = field(init=False)

    def __post_init__(self) -> None:
        """Read the model."""
        self.model = load_model(self.path)

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        return self.model.judge(features, level)
