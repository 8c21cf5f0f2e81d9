"""Mahalanobis distance of the catalogue's features: how far an account is from the bulk of the log.

d^2 = (x - m)' S^-1 (x - m). Features are scaled by median and quartile range and cut off at ten of these, so that no
row bends the fit far; rows that are the same, as those of a cluster are, count once; S is shrunk, since features of a
log are often collinear. The distance on the scale of `detectors.anomaly` is the only contribution.

The minimum covariance determinant (`pyod:mcd`) was tried in place of S: half of an API log has many features
constant, so its determinant is zero, the fit depends on how that is mended, and machines are told apart worse.

References
----------
Mahalanobis, "On the generalised distance in statistics" (1936).
Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (J. Multivariate Analysis
2004). Liu, Guo, Dong, arXiv:2606.05725 (2026): as a baseline, there on the embedding of a prompt, feature by feature.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.detectors.anomaly import in_quartile_ranges, standardised
from detector.detectors.base import Values, Verdict, within_log_reference
from detector.features.catalogue import FEATURES


def distances(table: Values) -> Values:
    """Give the distance of each row from the middle of the distinct ones; shape (n,)."""
    from sklearn.covariance import LedoitWolf

    distinct = np.unique(table, axis=0)
    varied = np.ptp(distinct, axis=0) > 0
    if not varied.any():
        return np.zeros(len(table))
    fitted = LedoitWolf().fit(distinct[:, varied])
    return np.sqrt(np.maximum(fitted.mahalanobis(table[:, varied]), 0.0))


@dataclass(frozen=True)
class Mahalanobis:
    """Distance from the bulk of the log; it cannot be taken apart, so it supports no family."""

    name: str = "mahalanobis"

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        known = features[[name for name in features if name in FEATURES]]
        scores = in_quartile_ranges(distances(standardised(known)))
        contributions = pd.DataFrame({self.name: scores}, index=features.index)
        return Verdict(0.0, contributions, {self.name: ""}, within_log_reference(scores))
