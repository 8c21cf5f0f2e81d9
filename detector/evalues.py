"""Evidence against honesty as bets: an e-value is what a stake of 1 has become, at most 1 on average where honest.

E-values of dependent accounts, such as members of one cluster, and of dependent days can be combined; p-values cannot.
"""

import numpy as np
import numpy.typing as npt

from detector.detectors.base import Values

#: Nothing is staked on p-values above this. Chosen: no flag could rest on them, and staking on fewer pays more on each.
LARGEST_P = 0.01


def from_p(p_values: Values, least: float) -> Values:
    """Turn p-values into e-values: 1 / (p L) up to `LARGEST_P`, 0 beyond, with L = 1 + ln(`LARGEST_P` / least).

    Parameters
    ----------
    p_values: valid and never below `least`: P(p <= t) <= t for every t where honest.
    least: the least p-value that the reference can give, such as 1 / (n + 1).

    Returns
    -------
    E-values, shape of `p_values`; at most 1 / (least L).

    Notes
    -----
    The calibrator falls and integrates to least / (least L) + ln(`LARGEST_P` / least) / L = 1 over [0, 1], where it
    is constant below `least`; that makes an e-value of every valid p-value (Vovk and Wang, "E-values: calibration,
    combination and applications", Annals of Statistics 2021). It is the shape behind Benjamini and Yekutieli's
    correction, paid for down to `least` only. As valid as the p-value, see `base.Reference`.

    Examples
    --------
    >>> from_p(np.array([0.001, 0.01, 0.02]), 0.001).round(1).tolist()
    [302.8, 30.3, 0.0]
    """
    largest = max(LARGEST_P, least)
    price = 1.0 + np.log(largest / least)
    return np.where(p_values <= largest, 1.0 / (np.maximum(p_values, least) * price), 0.0)


def e_bh(e_values: Values, rate: float) -> npt.NDArray[np.bool_]:
    """Reject the k largest e-values with e >= N / (k rate), for the largest such k; equal ones share their fate.

    Parameters
    ----------
    e_values: shape (n,), dependent in any way.
    rate: bound on the expected share of false ones among the rejected, above 0.

    References
    ----------
    Wang and Ramdas, "False discovery rate control with e-values" (JRSS B, 2022).

    Examples
    --------
    >>> e_bh(np.array([50.0, 50.0, 1.0, 0.0]), 0.1).tolist()
    [True, True, False, False]
    """
    ordered = np.sort(e_values)[::-1]
    wanted = len(ordered) / (rate * np.arange(1, len(ordered) + 1))
    enough = np.flatnonzero(ordered >= wanted * (1 - 1e-12))
    return e_values >= ordered[enough[-1]] if len(enough) else np.zeros(len(e_values), dtype=bool)


def reachable_rate(e_values: Values) -> float:
    """Give the least rate at which `e_bh` would reject anyone; infinite where no e-value is positive."""
    ordered = np.sort(e_values)[::-1]
    gathered = float(np.max(ordered * np.arange(1, len(ordered) + 1), initial=0.0))
    return len(ordered) / gathered if gathered > 0 else float("inf")
