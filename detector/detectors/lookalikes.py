"""How like an account is to each kind of honest customer that a model knows: counter-evidence, and no part of a score.

A kind is a middle and a spread per feature. How far its own members lie from that middle tells what far means.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Values

#: Fewer accounts make no kind (chosen, as for cohorts of a reference).
LEAST_MEMBERS = 20
#: A feature counts at most so many spreads, so that one odd value does not decide (chosen).
CAP = 4.0
#: Quartile range of a normal distribution in standard deviations.
_NORMAL_IQR = 1.349
#: Least spread, as a share of the standard deviation over all honest accounts: where a kind does not vary, a
#: difference counts as far as it is one among honest accounts at large (chosen).
_LEAST_SPREAD = 0.2
#: Share of its members that a kind's `far` holds (chosen).
_MOST = 0.95


@dataclass(frozen=True)
class Kind:
    """One kind of honest customer.

    Attributes
    ----------
    n: training accounts of the kind.
    middle: feature -> median.
    spread: feature -> robust standard deviation, above 0.
    typical: median distance of its own members, per evidence level.
    far: distance that 95 % of its own members keep within, per evidence level.
    """

    n: int
    middle: Mapping[str, float]
    spread: Mapping[str, float]
    typical: Mapping[int, float]
    far: Mapping[int, float]

    def distance(self, features: pd.DataFrame, used: Collection[str]) -> Values:
        """Give the mean distance over features, in spreads, each held to `CAP`; NaN where none is present. Shape (n,).

        Parameters
        ----------
        features: of accounts, or of their clusters, as `Detector.judge` takes them.
        used: features to compare; those unknown to the kind are passed over.
        """
        names = [name for name in features if name in used and name in self.middle]
        middle = np.array([self.middle[name] for name in names])
        spread = np.array([self.spread[name] for name in names])
        apart = np.abs(features[names].to_numpy(np.float64) - middle) / spread
        present = ~np.isnan(apart)
        total = np.where(present, np.minimum(apart, CAP), 0.0).sum(axis=1)
        return total / np.where(present.any(axis=1), present.sum(axis=1), np.nan)


def _six(value: float) -> float:
    return float(f"{value:.6g}")


def kinds_of(
    honest: pd.DataFrame, cohort: npt.NDArray[np.object_], used: Mapping[int, Collection[str]]
) -> dict[str, Kind]:
    """Describe each kind of honest account, in the six figures that a model file keeps.

    Parameters
    ----------
    honest: features of honest accounts, shape (n, n_features).
    cohort: kind of each, shape (n,).
    used: evidence level -> features that its model uses; distances are told over those.
    """
    names = sorted(set().union(*used.values()) & set(honest))
    least = _LEAST_SPREAD * honest[names].std()
    found: dict[str, Kind] = {}
    for kind, members in honest[names].groupby(cohort):
        if len(members) < LEAST_MEMBERS:
            continue
        spread = ((members.quantile(0.75) - members.quantile(0.25)) / _NORMAL_IQR).clip(lower=least)
        kept = [name for name in names if members[name].notna().any() and spread[name] > 0]
        middle = {name: _six(members[name].median()) for name in kept}
        bare = Kind(len(members), middle, {name: _six(spread[name]) for name in kept}, {}, {})
        apart = {level: bare.distance(members, set(names)) for level, names in used.items()}
        known = {level: x[~np.isnan(x)] for level, x in apart.items() if not np.isnan(x).all()}
        typical = {level: _six(float(np.median(x))) for level, x in known.items()}
        far = {level: _six(float(np.quantile(x, _MOST))) for level, x in known.items()}
        found[str(kind)] = Kind(bare.n, bare.middle, bare.spread, typical, far)
    return found


def written(kind: Kind) -> dict[str, Any]:
    """Lay a kind out as JSON values."""
    return {
        "n": kind.n,
        "features": {name: [kind.middle[name], kind.spread[name]] for name in kind.middle},
        "distances": {str(level): [kind.typical[level], kind.far[level]] for level in kind.typical},
    }


def read(raw: Mapping[str, Any]) -> Kind:
    """Read what `written` wrote.

    Raises
    ------
    ValueError
        A number is not finite, a spread or distance is below 0, or something is missing.
    """
    features = {str(name): (float(middle), float(spread)) for name, (middle, spread) in raw["features"].items()}
    distances = {int(level): (float(typical), float(far)) for level, (typical, far) in raw["distances"].items()}
    is_finite = np.isfinite([*sum(features.values(), ()), *sum(distances.values(), ())]).all()
    is_spread = all(spread > 0 for _, spread in features.values())
    if not (is_finite and is_spread and all(0 <= typical <= far for typical, far in distances.values())):
        raise ValueError("a kind of honest customer is none")
    middle, spread = ({name: pair[i] for name, pair in features.items()} for i in (0, 1))
    typical, far = ({level: pair[i] for level, pair in distances.items()} for i in (0, 1))
    return Kind(int(raw["n"]), middle, spread, typical, far)
