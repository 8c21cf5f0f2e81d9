"""Accounts that an account may fairly be compared with: as busy, and driven alike by people or by programs.

Comparison only describes; no score depends on it. So an account that chooses its peers gains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Values

#: Fewer accounts make no percentile worth reading (chosen); then the next wider circle is asked.
LEAST_PEERS = 20
#: Bands of volume per tenfold (chosen: within a band, accounts differ by at most 3.2 times).
BANDS_PER_DECADE = 2
#: Spread of the time between requests, in octaves, from which people are at the keys: seconds within a conversation,
#: hours between. Chosen: in two logs the middle person has 4.6, the middle program of each kind 1.9 to 3.8.
LEAST_PERSON_SPREAD = 4.0
#: In what accounts of a circle are alike, narrowest first.
CIRCLES = ("volume and client", "volume", "nothing")


@dataclass(frozen=True)
class Standing:
    """Where values stand among those of peers.

    Attributes
    ----------
    percentile: share of peers with a smaller value, ties in the middle, 0 to 1; NaN where absent; shape (n, n_values).
    n_peers: accounts of the circle that have a value, the account itself among them; 0 where it has none; same shape.
    circle: place in `CIRCLES`, same shape.
    """

    percentile: Values
    n_peers: npt.NDArray[np.int64]
    circle: npt.NDArray[np.int64]


def circles_of(own: pd.DataFrame) -> list[Values]:
    """Number the circles that accounts belong to, narrowest first; NaN where the log cannot tell. Shape (n,) each.

    Parameters
    ----------
    own: features of the accounts themselves, not of their clusters; shape (n, n_features).

    Notes
    -----
    A client program's name is not asked: anyone may send any. A log of counts has no time between requests, so there
    volume alone decides.
    """
    absent = pd.Series(np.nan, own.index)
    band = np.floor(BANDS_PER_DECADE * own.get("requests_per_day", absent).to_numpy(np.float64))
    spread = own.get("gap_spread", absent).to_numpy(np.float64)
    is_person = np.where(np.isnan(spread), np.nan, spread >= LEAST_PERSON_SPREAD)
    return [2.0 * band + is_person, band, np.zeros(len(own))]


def _ranked(values: pd.DataFrame, circle: Values) -> tuple[Values, npt.NDArray[np.int64]]:
    if np.isnan(circle).all() or not values.shape[1]:
        return np.full(values.shape, np.nan), np.zeros(values.shape, np.int64)
    groups = values.groupby(circle, dropna=True)
    present = values.notna()
    count = (present.groupby(circle, dropna=True).transform("sum").fillna(0) * present).to_numpy(np.int64, copy=True)
    ranks = groups.rank(method="average").to_numpy(np.float64)
    return (ranks - 0.5) / np.where(count > 0, count, np.nan), count


def stand(values: pd.DataFrame, circles: Sequence[Values]) -> Standing:
    """Place each value among those of the narrowest circle that holds enough.

    Parameters
    ----------
    values: shape (n, n_values); NaN where absent.
    circles: of `circles_of`, shape (n,) each.
    """
    percentile, n_peers = _ranked(values, circles[0])
    circle = np.zeros(values.shape, np.int64)
    present = values.notna().to_numpy(bool)
    for wider in range(1, len(circles)):
        lacking = present & (n_peers < LEAST_PEERS)
        columns = np.flatnonzero(lacking.any(axis=0))
        rows = np.flatnonzero(np.isin(circles[wider], circles[wider][lacking.any(axis=1)]))
        if not len(columns) or not len(rows):
            continue
        at = np.ix_(rows, columns)
        wide, count = _ranked(values.iloc[rows, columns], circles[wider][rows])
        taken = lacking[at] & (count > 0)
        percentile[at] = np.where(taken, wide, percentile[at])
        n_peers[at] = np.where(taken, count, n_peers[at])
        circle[at] = np.where(taken, wider, circle[at])
    return Standing(percentile, n_peers, circle)
