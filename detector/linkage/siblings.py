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
from scipy import sparse
from scipy.special import bdtrc, ndtri

from detector.features.catalogue import FEATURES
from detector.profiles.store import Profiles

#: Chosen: makers of fleets open accounts for some days, and a week holds every weekday once.
_NEAR_DAYS = 7.0
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


def find_siblings(
    style: Reals, days: npt.NDArray[np.float64], n_requests: Numbers, groups: Numbers
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
    together = opened[opened["max"] - opened["min"] <= _NEAR_DAYS].sort_values("mean", kind="stable")
    names = together.index.to_numpy(np.int64)
    place = np.full(int(groups.max(initial=-1)) + 1, -1)
    place[names] = np.arange(len(names))
    members = usable[place[groups[usable]] >= 0]
    row = place[groups[members]]
    share = (1.0 / together["size"].to_numpy(np.float32))[row]
    mean = sparse.coo_array((share, (row, members)), shape=(len(names), len(style))).tocsr()
    first, second = _neighbours(mean @ style, together["mean"].to_numpy(np.float64))
    return names[first], names[second]


def _neighbours(style: Reals, days: npt.NDArray[np.float64]) -> tuple[Numbers, Numbers]:
    """Find the tied pairs among rows that are in order of their days."""
    n = len(days)
    is_core = np.zeros(n, dtype=bool)
    found = [np.empty((2, 0), np.int64)]
    compared = np.unique(np.linspace(0, n - 1, min(n, _STRANGERS)).astype(np.int64)) if n else np.empty(0, np.int64)
    # One product gives what orders the others by their distance to a row: |b|^2 - 2ab, as |a|^2 is the row's own.
    seen = np.empty((style.shape[1] + 1, n), np.float32)
    seen[:-1], seen[-1] = style.T, np.einsum("ij,ij->i", style, style)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        looks = np.hstack([-2 * style[block], np.ones((len(block), 1), np.float32)])
        near = _window(block, days)
        reach = _reach(looks @ seen[:, compared], compared, near)
        near = np.clip(near, block[:, None] - _MOST // 2, block[:, None] + _MOST // 2)
        begin, end = int(near[:, 0].min()), int(near[:, 1].max())
        distances = looks @ seen[:, begin:end]
        is_close = distances < reach[:, None]
        place = np.arange(begin, end)
        is_close &= (place >= near[:, :1]) & (place < near[:, 1:])
        is_close[np.arange(len(block)), block - begin] = False
        n_close = is_close.sum(axis=1)
        chance = bdtrc(np.maximum(n_close - 1, 0), near[:, 1] - near[:, 0] - 1, _CLOSE)
        is_core[block] = (n_close >= _MIN_NEIGHBOURS) & (chance < _P_CHANCE)
        cores = np.flatnonzero(is_core[block])
        squares = distances[cores] + seen[-1, block[cores]][:, None]
        one, other = np.nonzero(is_close[cores] & _is_kin(squares, is_close[cores]))
        found.append(np.stack([block[cores[one]], place[other]]))
    first, second = np.concatenate(found, axis=1)
    return _mutual(first[is_core[second]], second[is_core[second]], n)


def _window(block: Numbers, days: npt.NDArray[np.float64]) -> Numbers:
    """Give the range of rows that signed up near each row; shape (n_rows, 2)."""
    begin = np.searchsorted(days, days[block] - _NEAR_DAYS, side="left")
    return np.stack([begin, np.searchsorted(days, days[block] + _NEAR_DAYS, side="right")], axis=1)


def _reach(distances: Reals, compared: Numbers, near: Numbers) -> Reals:
    """Give the distance within which less than a hundredth of strangers lies; where they are few, nobody is within."""
    is_mate = (compared >= near[:, :1]) & (compared < near[:, 1:])
    distances[is_mate] = np.inf
    n_strangers = len(compared) - is_mate.sum(axis=1)
    place = np.floor(n_strangers * _CLOSE).astype(np.int64) - 1
    most = max(int(place.max(initial=0)), 0)
    nearest = np.sort(np.partition(distances, most, axis=1)[:, : most + 1], axis=1) if distances.size else distances
    enough = n_strangers >= _MIN_STRANGERS
    reach = np.full(len(near), -np.inf, np.float32)
    reach[enough] = nearest[enough, place[enough]]
    return reach


def _is_kin(squares: Reals, is_close: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark those not much further from a core than its nearest few: two odd crowds of one week stay apart."""
    if not len(squares):
        return is_close
    nearest = np.partition(np.where(is_close, squares, np.inf), _MIN_NEIGHBOURS - 1, axis=1)[:, _MIN_NEIGHBOURS - 1]
    kin: npt.NDArray[np.bool_] = squares <= _KIN * nearest[:, None]
    return kin


def _mutual(first: Numbers, second: Numbers, n: int) -> tuple[Numbers, Numbers]:
    """Keep the pairs that were found from both ends, once."""
    there, back = first * n + second, second * n + first
    both = np.intersect1d(there, back)
    both = both[both // n < both % n]
    return both // n, both % n
