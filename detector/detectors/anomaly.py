"""PyOD detectors by name. They find what is rare, which is not what is dishonest: baselines, not the default."""

from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.base import Values, Verdict, within_log_reference
from detector.errors import UnknownDetectorError, nearest

#: Names that PyOD's modules and classes go by, for the nearest name in an error; any other module is tried as well.
KNOWN = ("abod", "cblof", "copod", "ecod", "hbos", "iforest", "inne", "knn", "loda", "lof", "mcd", "ocsvm", "pca")
#: Models that take a seed get this one, so that the same log gives the same scores.
_SEED = 7


def load_pyod(name: str, parameters: dict[str, Any]) -> Any:
    """Make a PyOD model.

    Raises
    ------
    UnknownDetectorError
        PyOD has no model of this name, or it refuses the parameters.
    """
    stem = name.lower()
    try:
        if not stem.isidentifier():
            raise ImportError(name)
        module = import_module(f"pyod.models.{stem}")
        found = [c for c in vars(module).values() if isinstance(c, type) and c.__name__.lower() == stem]
        kind = found[0]
    except (ImportError, IndexError) as error:
        raise UnknownDetectorError(f"pyod:{name}: PyOD has no such model here; {nearest(stem, KNOWN)}") from error
    try:
        takes_seed = "random_state" in signature(kind).parameters
        return kind(**({"random_state": _SEED} if takes_seed else {}) | parameters)
    except (TypeError, ValueError) as error:
        raise UnknownDetectorError(f"pyod:{name}: parameters {sorted(parameters)}: {error}") from error


def standardised(features: pd.DataFrame) -> Values:
    """Fill gaps with the median and scale by the spread between quartiles; shape (n, n_features)."""
    usable = features.loc[:, features.notna().any()]
    middle = usable.median()
    spread = (usable.quantile(0.75) - usable.quantile(0.25)).replace(0, np.nan).fillna(usable.std()).replace(0, 1.0)
    return ((usable.fillna(middle) - middle) / spread.fillna(1.0)).clip(-10, 10).to_numpy(np.float64)


def in_quartile_ranges(raw: Values) -> Values:
    """Put scores on a common scale: distance from the median in ranges between quartiles; shape (n,)."""
    low, middle, high = np.quantile(raw, [0.25, 0.5, 0.75])
    return np.asarray((raw - middle) / max(high - low, 1e-9), np.float64)


@dataclass
class Anomaly:
    """A PyOD model fitted on the log's own profiles.

    Its raw score is put on a common scale, distance from the median in quartile ranges, as the only contribution;
    it cannot be split into families and so never supports a revocation. Contamination is not asked for and not used.
    """

    model: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name as the command line takes it."""
        return f"pyod:{self.model.lower()}"

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        fitted = load_pyod(self.model, self.parameters)
        table = standardised(features)
        order = np.lexsort(table.T)  # a model that draws rows must not draw others when they come in another order
        fitted.fit(table[order])
        raw = np.empty(len(table))
        raw[order] = fitted.decision_scores_
        scores = in_quartile_ranges(raw)
        contributions = pd.DataFrame({self.name: scores}, index=features.index)
        return Verdict(0.0, contributions, {self.name: ""}, within_log_reference(scores))
