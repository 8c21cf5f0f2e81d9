"""Accounts that sign up together and ask alike: fleets that share no address and no payment still share a maker.

For each account, strangers are those that signed up at other times. Its style neighbours are the accounts nearer to it
in style than all but a hundredth of strangers. If style had nothing to do with the time of sign-up, those of n accounts
that signed up near it would be among them with that chance each: Binomial(n, .01). An account with far more is a core;
two cores that are each other's neighbours are tied. A busy week alone ties nobody, as it brings more accounts of every
style, nor does a popular style, as it brings strangers as near.

References
----------
Knox, "The detection of space-time interactions" (Applied Statistics 1964): pairs near in time and space at once.
Jacquez, "A k nearest neighbour test for space-time interaction" (Statistics in Medicine 1996): nearness by rank.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit
from scipy import sparse
from scipy.special import bdtrc, ndtri

from detector.features.catalogue import FEATURES
from detector.linkage.overlaps import in_blocks
from detector.profiles.store import Profiles

#: Chosen: makers of fleets open accounts for some days, and a week holds every weekday once.
NEAR_DAYS = 7.0
#: Share of strangers that may be as near in style as a neighbour is (chosen: few, yet enough of them to count).
_CLOSE = 0.01
#: Chance of so many neighbours by chance at which an account is a core (chosen), and how few are never enough.
_P_CHANCE = 1e-4
_MIN_NEIGHBOURS = 4
#: Squared distance of kin, in that of the fourth nearest (chosen: accounts of one style are about equally far apart).
_KIN = 3.0
#: Below this many requests style is anecdote; below this many strangers a hundredth of them is.
_MIN_REQUESTS = 8
_MIN_STRANGERS = 200
#: Strangers, and accounts of one time, that one is compared with at most, and rows held at once: bounds of the work.
_STRANGERS = 1024
_MOST = 1024
_BLOCK = 512
Numbers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]


def _normal_scores(values: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Put every column on a normal scale by rank; absent is average."""
    ranks = values.rank(method="average")
    scores = ndtri((ranks - 0.5) / ranks.notna().sum()).fillna(0.0).to_numpy(np.float64)
    return np.asarray(scores[:, scores.std(axis=0) > 0])


def _of_equal_weight(block: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    size = np.sqrt((block**2).sum(axis=1).mean()) if block.size else 0.0
    return block / size if size > 0 else block


def styles(profiles: Profiles, own: pd.DataFrame) -> Reals:
    """Describe how each account asks and is answered: its content features, and the words it uses.

    Parameters
    ----------
    own: features of the accounts, in their order.

    Returns
    -------
    Shape (n_accounts, n_dimensions); each of the two blocks has mean square length 1.
    """
    names = [name for name in own if name in FEATURES and FEATURES[name].family == "content"]
    blocks = [_of_equal_weight(_normal_scores(own[names]))]
    text: Any = profiles.trimmed().get("text")
    if text is not None:
        length = np.sqrt((text.vector.astype(np.float64) ** 2).sum(axis=1))
        has_words = length > 0
        words = text.vector / np.maximum(length, 1)[:, None]
        words[has_words] -= words[has_words].mean(axis=0) if has_words.any() else 0.0
        blocks.append(_of_equal_weight(words))
    return np.hstack(blocks).astype(np.float32)


def sign_up_days(profiles: Profiles) -> npt.NDArray[np.float64]:
    """Give when each account signed up, in days since 1970; NaN where that is unknown. Shape (n_accounts,)."""
    member = profiles.trimmed()["membership"]
    days = np.full(len(profiles), np.nan)
    return np.divide(member.sign_up_sum, member.n_signed_up, out=days, where=member.n_signed_up > 0)


def sign_up_parts(days: npt.NDArray[np.float64], n_requests: Numbers, groups: Numbers) -> Numbers:
    """Divide groups by when their accounts signed up, so that one bought years ago hides no maker's week.

    Parameters
    ----------
    days, n_requests, groups: see `find_siblings`; each of shape (n_accounts,).

    Returns
    -------
    Number of each account's part, shape (n_accounts,); -1 for an account that is too small or of unknown sign-up.
    """
    usable = np.flatnonzero((n_requests >= _MIN_REQUESTS) & ~np.isnan(days))
    opened = pd.Series(days[usable]).groupby(groups[usable])
    late = np.maximum(np.ceil((days[usable] - opened.transform("min").to_numpy()) / NEAR_DAYS) - 1, 0).astype(np.int64)
    parts = np.full(len(days), -1)
    parts[usable] = np.unique(groups[usable] * (late.max(initial=0) + 1) + late, return_inverse=True)[1]
    return parts


def find_siblings(
    style: Reals, days: npt.NDArray[np.float64], n_requests: Numbers, groups: Numbers, *, threads: int = 1
) -> tuple[Numbers, Numbers]:
    """Find the groups that signed up together and ask more alike than chance makes them.

    Parameters
    ----------
    style: of `styles`.
    days: of `sign_up_days`.
    n_requests: of each account, shape (n_accounts,).
    groups: number of the group that ties each account already; it counts as one, by the mean of its members.

    Returns
    -------
    Pairs of groups, each pair once, as two arrays.
    """
    usable = np.flatnonzero((n_requests >= _MIN_REQUESTS) & ~np.isnan(days))
    opened = pd.Series(days[usable]).groupby(groups[usable]).agg(["mean", "min", "max", "size"])
    together = opened[opened["max"] - opened["min"] <= NEAR_DAYS].sort_values("mean", kind="stable")
    names = together.index.to_numpy(np.int64)
    place = np.full(int(groups.max(initial=-1)) + 1, -1)
    place[names] = np.arange(len(names))
    members = usable[place[groups[usable]] >= 0]
    row = place[groups[members]]
    share = (1.0 / together["size"].to_numpy(np.float32))[row]
    mean = sparse.coo_array((share, (row, members)), shape=(len(names), len(style))).tocsr()
    first, second = _neighbours(mean @ style, together["mean"].to_numpy(np.float64), threads)
    return names[first], names[second]


def _neighbours(style: Reals, days: npt.NDArray[np.float64], threads: int) -> tuple[Numbers, Numbers]:
    """Find the tied pairs among rows that are in order of their days."""
    n = len(days)
    is_core = np.zeros(n, dtype=bool)
    compared = np.unique(np.linspace(0, n - 1, min(n, _STRANGERS)).astype(np.int64)) if n else np.empty(0, np.int64)
    # |a - b|^2 is |a|^2 + |b|^2 - 2ab; the first is the row's own and orders nothing.
    squares, strangers = np.einsum("ij,ij->i", style, style), style[compared].T

    def work(begin: int, end: int) -> Numbers:
        """Find the neighbours of some rows, whether or not these are cores, and note which rows are."""
        looks = -2 * style[begin:end]
        near = _window(np.arange(begin, end), days)
        reach = _reach(looks @ strangers, squares[compared], compared, near)
        near = np.clip(near, np.arange(begin, end)[:, None] - _MOST // 2, np.arange(begin, end)[:, None] + _MOST // 2)
        left, right = int(near[:, 0].min()), int(near[:, 1].max())
        distances = looks @ style[left:right].T
        n_close = _count_close(distances, squares, reach, near, left, begin)
        core = np.flatnonzero(n_close >= _MIN_NEIGHBOURS)
        core = core[bdtrc(n_close[core] - 1, near[core, 1] - near[core, 0] - 1, _CLOSE) < _P_CHANCE]
        is_core[begin + core] = True
        return np.asarray(_kin(distances, squares, reach, near, left, begin, core, n_close))

    found = np.concatenate([np.empty((2, 0), np.int64), *in_blocks(work, n, _BLOCK, threads)], axis=1)
    first, second = found[:, is_core[found[1]]]
    return _mutual(first, second, n)


def _window(block: Numbers, days: npt.NDArray[np.float64]) -> Numbers:
    """Give the range of rows that signed up near each row; shape (n_rows, 2)."""
    begin = np.searchsorted(days, days[block] - NEAR_DAYS, side="left")
    return np.stack([begin, np.searchsorted(days, days[block] + NEAR_DAYS, side="right")], axis=1)


@njit(nogil=True, cache=True)
def _reach(products: Any, squares: Any, compared: Any, near: Any) -> Any:
    """Give the distance within which less than a hundredth of strangers lies; where they are few, nobody is within.

    Parameters
    ----------
    products: -2ab of each row and of each that it is compared with.
    """
    reach = np.full(len(near), -np.inf, np.float32)
    nearest = np.empty(len(compared), np.float32)
    for row in range(len(near)):
        low, high = np.searchsorted(compared, near[row, 0]), np.searchsorted(compared, near[row, 1])
        n_strangers = len(compared) - (high - low)
        if n_strangers < _MIN_STRANGERS:
            continue
        wanted, n = int(n_strangers * _CLOSE), 0
        for j in range(len(compared)):
            distance = products[row, j] + squares[j]
            if low <= j < high or (n == wanted and distance >= nearest[n - 1]):
                continue
            place = min(n, wanted - 1)
            while place > 0 and nearest[place - 1] > distance:
                nearest[place] = nearest[place - 1]
                place -= 1
            nearest[place] = distance
            n = min(n + 1, wanted)
        reach[row] = nearest[wanted - 1]
    return reach


@njit(nogil=True, cache=True)
def _count_close(products: Any, squares: Any, reach: Any, near: Any, left: Any, begin: Any) -> Any:
    """Count the rows of one time that are within reach of each row; the products begin at the row `left`."""
    n_close = np.zeros(len(near), np.int64)
    for row in range(len(near)):
        n = 0
        for other in range(near[row, 0], near[row, 1]):
            n += products[row, other - left] + squares[other] < reach[row]
        me = begin + row
        n_close[row] = n - (products[row, me - left] + squares[me] < reach[row])
    return n_close


@njit(nogil=True, cache=True)
def _kin(products: Any, squares: Any, reach: Any, near: Any, left: Any, begin: Any, core: Any, n_close: Any) -> Any:
    """Pair cores with those not much further than their nearest few: two odd crowds of one week stay apart."""
    pairs = np.empty((2, n_close[core].sum()), np.int64)
    n = 0
    for row in core:
        me, m = begin + row, 0
        others, distances = np.empty(n_close[row], np.int64), np.empty(n_close[row], np.float32)
        for other in range(near[row, 0], near[row, 1]):
            distance = products[row, other - left] + squares[other]
            if distance < reach[row] and other != me:
                others[m], distances[m] = other, distance + squares[me]
                m += 1
        limit = _KIN * np.sort(distances)[_MIN_NEIGHBOURS - 1]
        for i in range(m):
            if distances[i] <= limit:
                pairs[0, n], pairs[1, n] = me, others[i]
                n += 1
    return pairs[:, :n]


def _mutual(first: Numbers, second: Numbers, n: int) -> tuple[Numbers, Numbers]:
    """Keep the pairs that were found from both ends, once."""
    there, back = first * n + second, second * n + first
    both = np.intersect1d(there, back)
    both = both[both // n < both % n]
    return both // n, both % n
