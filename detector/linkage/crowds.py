"""Who stands in a crowd: many accounts that ask alike, and that no one customer owns to.

A fleet may fall into several clusters, by card or by address. Clusters that are suspected on their own, that ask like
each other and that signed up together are one crowd. Whose instrument pays for half of it is open about being one
customer, as a company with many keys is, and who says nothing of instruments cannot be told from such: neither is a
crowd. Nothing is suspected for standing in one, nor is a cluster's score changed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.linkage.communities import components
from detector.linkage.links import HELD, STRONG, held
from detector.linkage.resemblance import Yardstick
from detector.linkage.siblings import NEAR_DAYS, Reals
from detector.profiles.store import Profiles

#: Clusters held against each other, the largest: bounds of the work (chosen: far more than a log has fleets).
_MOST_CLUSTERS = 512
#: Share of a crowd's accounts that hold one instrument, from which on it is one customer's (chosen).
_OWNED = 0.5
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


def find_crowds(
    yardstick: Yardstick | None,
    profiles: Profiles,
    style: Reals,
    cluster: Numbers,
    days: npt.NDArray[np.float64],
    *,
    asks_alike: Flags,
    least: int,
) -> Flags:
    """Tell which accounts stand in a crowd.

    Parameters
    ----------
    yardstick: of `resemblance.measure` on the same accounts.
    style: of `siblings.styles`.
    cluster: cluster number of each account, shape (n_accounts,).
    days: of `siblings.sign_up_days`.
    asks_alike: accounts that ask like the others of their cluster, of `resemblance.resembles`; nobody else counts.
    least: accounts that make a crowd.

    Returns
    -------
    Shape (n_accounts,).
    """
    crowd = np.zeros(len(cluster), dtype=bool)
    rows = np.flatnonzero(asks_alike)
    if yardstick is None or not len(rows):
        return crowd
    _, number = np.unique(cluster[rows], return_inverse=True)
    group = _kin(yardstick, style[rows], number, days[rows])[number]
    is_known, is_owned = _owned(profiles.trimmed(), rows, group)
    is_many = np.bincount(group, weights=is_known) >= least
    crowd[rows] = is_known & (is_many & ~is_owned)[group]
    return crowd


def _kin(yardstick: Yardstick, style: Reals, number: Numbers, days: npt.NDArray[np.float64]) -> Numbers:
    """Number the crowd of each cluster; shape (n_clusters,).

    Two are kin when the mean of either asks like the other and the middles of their sign-ups are within a week.
    """
    frame = pd.DataFrame(style.astype(np.float64)).assign(day=days).groupby(number)
    opened, size = frame.day.median().to_numpy(), frame.size().to_numpy()
    looked = np.sort(np.argsort(-size, kind="stable")[:_MOST_CLUSTERS])
    means = frame.mean().drop(columns="day").to_numpy()[looked]
    like = yardstick.like(means)
    is_far = like.direction @ means.T > like.least[:, None]
    is_near = yardstick.lengths(means)[None, :] - 2 * like.pull @ means.T < like.most[:, None]
    asks = is_far & is_near & (np.abs(opened[looked][:, None] - opened[looked]) <= NEAR_DAYS)
    first, second = np.nonzero(np.triu(asks & asks.T, k=1))
    return components(looked[first], looked[second], len(size))


def _owned(states: dict[str, Any], rows: Numbers, group: Numbers) -> tuple[Flags, Flags]:
    """Tell which of some accounts hold a known instrument, and which of their groups one instrument pays for."""
    size = np.bincount(group)
    states = {k: type(states[k])(*(a[rows] for a in states[k])) for k in {HELD[s][0] for s in STRONG} & set(states)}
    is_known, is_owned = np.zeros(len(group), dtype=bool), np.zeros(len(size), dtype=bool)
    for kind in STRONG:
        account, thing, _ = held(states, kind)
        is_known[account] = True
        holders = pd.DataFrame({"group": group[account], "thing": thing}).value_counts().reset_index()
        is_owned[holders.group[holders["count"] >= _OWNED * size[holders.group]]] = True
    return is_known, is_owned
