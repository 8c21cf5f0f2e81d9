"""What anyone's detector must keep to, checked on profiles of his own: call `check_detector` in a test.

Examples
--------
>>> import pandas as pd
>>> from detector.detectors.rules import Rules
>>> profiles = pd.DataFrame({"requests_per_day": [1.0, 2.0, 9.0]}, index=["a", "b", "c"])
>>> [check.name for check in check_detector(Rules(), profiles, level=3) if not check.is_kept]
[]
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Detector, Verdict
from detector.tables import FAMILIES

#: Scores that differ by less are the same: sums of doubles taken in another order. Chosen.
SAME = 1e-9
_SEED = 20


@dataclass(frozen=True)
class Check:
    """A promise, whether it was kept, and where it was not, what was found."""

    name: str
    is_kept: bool
    found: str = ""


def check_detector(
    detector: Detector, features: pd.DataFrame, level: int, *, is_extraction: npt.NDArray[np.bool_] | None = None
) -> list[Check]:
    """Check a detector against what the pipeline takes for granted.

    Parameters
    ----------
    features: as `base.Detector.judge` takes them; shape (n, n_features), n at least 2.
    level: evidence level, 0 to 4.
    is_extraction: the truth of the profiles, shape (n,), both classes present; with it, a detector must rank better
        than one that gives everybody the same score.

    Returns
    -------
    One check per promise; a detector that raises breaks all that need its verdict.
    """
    promises: dict[str, Callable[[], str]] = {
        "leaves its input alone": lambda: _input(detector, features, level),
        "is laid out as a verdict": lambda: _layout(detector.judge(features, level), features),
        "says the same twice": lambda: _same(detector, features, features, level),
        "does not care for the order of rows": lambda: _order(detector, features, level),
        "does not care for names": lambda: _names(detector, features, level),
        "bears an absent feature": lambda: _absent(detector, features, level),
    }
    if is_extraction is not None:
        promises["ranks better than a constant"] = lambda: _ranking(detector, features, level, is_extraction)
    return [_kept(name, promise) for name, promise in promises.items()]


def _kept(name: str, promise: Callable[[], str]) -> Check:
    try:
        found = promise()
    except Exception as error:
        found = f"it raises {type(error).__name__}"
    return Check(name, not found, found)


def _input(detector: Detector, features: pd.DataFrame, level: int) -> str:
    given = features.copy()
    detector.judge(given, level)
    return "" if given.equals(features) else "the features it was given are changed"


def _layout(verdict: Verdict, features: pd.DataFrame) -> str:
    pieces = verdict.contributions
    if not pieces.index.equals(features.index):
        return "contributions do not have the rows of the features, in their order"
    if not (np.isfinite(pieces.to_numpy(np.float64)).all() and np.isfinite(verdict.prior)):
        return "a contribution or the prior is not a finite number"
    unknown = [str(piece) for piece in pieces if verdict.families.get(piece) not in (*FAMILIES, "")]
    return f"no known family for {', '.join(unknown)}" if unknown else ""


def _differs(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> str:
    gap = float(np.max(np.abs(one - other), initial=0.0))
    return "" if gap <= SAME else f"scores differ by up to {gap:.3g}"


def _same(detector: Detector, one: pd.DataFrame, other: pd.DataFrame, level: int) -> str:
    return _differs(detector.judge(one, level).scores, detector.judge(other, level).scores)


def _order(detector: Detector, features: pd.DataFrame, level: int) -> str:
    order = np.random.default_rng(_SEED).permutation(len(features))
    shuffled = detector.judge(features.iloc[order], level).scores
    return _differs(detector.judge(features, level).scores[order], shuffled)


def _names(detector: Detector, features: pd.DataFrame, level: int) -> str:
    # Reversed, so that a detector that sorts by name meets another order.
    others = [f"other{n:09d}" for n in range(len(features), 0, -1)]
    return _same(detector, features, features.set_axis(others), level)


def _absent(detector: Detector, features: pd.DataFrame, level: int) -> str:
    for column in features:
        found = _layout(detector.judge(features.assign(**{str(column): np.nan}), level), features)
        if found:
            return f"without {column}: {found}"
    return ""


def _ranking(detector: Detector, features: pd.DataFrame, level: int, is_extraction: npt.NDArray[np.bool_]) -> str:
    from sklearn.metrics import roc_auc_score

    auc = float(roc_auc_score(is_extraction, detector.judge(features, level).scores))
    return "" if auc > 0.5 else f"the area under the curve is {auc:.3f}, no better than a constant"
