"""How far figures spread over seeds: intervals of means and of paired differences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from detector.intervals import LEVEL, clopper_pearson

#: Said wherever these intervals are shown.
METHOD = (
    "95 % intervals of the mean over seeds by Student's t. They hold for other seeds of this scenario, not for other "
    "scenarios; one without a width only says that all seeds came out alike. Shares of honest accounts have the wider "
    "of this and the exact interval of Clopper and Pearson over the accounts of all seeds, so that no harm seen is not "
    "taken for no harm."
)
#: Below so many seeds the intervals are said to be rough. Chosen: the t quantile is 2.6 times the normal one at 3.
FEW = 5


def mean_interval(values: Sequence[float | None], *, floor: float = -np.inf, ceiling: float = np.inf) -> dict[str, Any]:
    """Bound a mean over seeds; what is None is left out.

    Parameters
    ----------
    floor, ceiling: least and greatest value that the figure can have; the bounds stay between them.

    Returns
    -------
    `n`, `mean`, `low` and `high`: without a value all are None, with one there are no bounds.

    References
    ----------
    Student (1908), "The probable error of a mean".

    Examples
    --------
    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> [round(found[name], 3) for name in ("low", "mean", "high")]
    [-0.484, 2.0, 4.484]
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    n = len(known)
    mean = float(known.mean()) if n else None
    if n < 2 or mean is None:
        return {"n": n, "mean": mean, "low": None, "high": None}
    half = float(stats.t.ppf((1.0 + LEVEL) / 2.0, n - 1)) * float(stats.sem(known))
    return {"n": n, "mean": mean, "low": max(mean - half, floor), "high": min(mean + half, ceiling)}


def share_interval(hits: Sequence[int], of: Sequence[int]) -> dict[str, Any]:
    """Bound a share of accounts over seeds: by t over seeds and exactly over all accounts, whichever is wider.

    Parameters
    ----------
    hits, of: accounts hit and all accounts, a value per seed.

    Examples
    --------
    >>> share_interval([0, 0], [50, 50])["high"] > 0.03
    True
    """
    found = mean_interval([hit / n if n else None for hit, n in zip(hits, of, strict=True)], floor=0.0, ceiling=1.0)
    if found["mean"] is None:
        return found
    low, high = clopper_pearson(sum(hits), sum(of))
    if found["low"] is not None:
        low, high = min(low, found["low"]), max(high, found["high"])
    return {**found, "low": low, "high": high}


def paired(a: Sequence[float | None], b: Sequence[float | None]) -> dict[str, Any]:
    """Bound the mean difference b - a of pairs; a pair with a None is left out.

    Returns
    -------
    `mean_interval` of the differences, `n_up`, `n_down` and `n_equal` pairs, and `p_sign`, the two-sided p-value of
    the sign test: the chance of signs so uneven if neither were the greater; 1 where all are equal.

    References
    ----------
    Dixon, Mood (1946), "The statistical sign test".

    Examples
    --------
    >>> found = paired([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    >>> found["mean"], found["n_up"], found["p_sign"]
    (2.0, 3, 0.25)
    """
    differences = [y - x for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    n_up, n_down = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    p_sign = float(stats.binomtest(n_up, n_up + n_down).pvalue) if n_up + n_down else 1.0
    n_equal = len(differences) - n_up - n_down
    return {**mean_interval(differences), "n_up": n_up, "n_down": n_down, "n_equal": n_equal, "p_sign": p_sign}
