"""Links to clusters: a shared instrument ties, other shared things tie when chance would not bring so many together.

Two groups with k and l things share Poisson(k l sum d^2 / M^2) of them by chance, where d is how many groups have a
thing and M the number of all group-thing pairs, unshared ones too: the configuration model. It is asked at several
limits of popularity, of the things below each alone, so that what everyone has (carriers, common templates) neither
ties strangers nor hides what few share; things above the highest limit count nothing. A tie by chance between
strangers stands alone, while members of a fleet are tied to many of its members: a tie that no third group confirms
is dropped.

References
----------
Newman, "Networks" (2nd ed., Oxford 2018), section 12.1: expected edges of the configuration model.
Hooi et al., "FRAUDAR" (KDD 2016): why popular things must be discounted.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import pdtrc

from detector.linkage.links import Links
from detector.linkage.overlaps import FindPairs, overlaps
from detector.settings import LinkageSettings

#: Chance of a tie that is still looked at. Chosen: with a third group needed too, strangers meet once in 1e8 triples.
_P_CHANCE = 1e-4
#: Fewer shared things never tie, however rare: an address is handed on, a carrier serves a town, a template is copied.
_MIN_SHARED = 3
#: Limits of popularity, as parts of the highest. Chosen: each step down leaves out what is four times as popular.
_LIMITS = (1, 4, 16)
Groups = npt.NDArray[np.int64]


def components(first: Groups, second: Groups, n: int) -> Groups:
    """Number the components that pairs of n groups make; shape (n,)."""
    graph = sparse.coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _tie_by_instrument(strong: Links, n_accounts: int) -> Groups:
    same = (strong.thing[1:] == strong.thing[:-1]) & (strong.kind[1:] == strong.kind[:-1])
    return components(strong.account[:-1][same], strong.account[1:][same], n_accounts)


def _tie_by_chance(weak: Links, groups: Groups, settings: LinkageSettings, pairs: FindPairs, threads: int) -> Groups:
    n_groups = int(groups.max(initial=-1)) + 1
    if len(weak) == 0:
        return groups
    thing, things = pd.factorize(weak.thing)
    held = sparse.coo_array((np.ones(len(weak), np.int8), (groups[weak.account], thing)), (n_groups, len(things)))
    columns = held.tocsc()
    unshared = np.bincount(groups, weights=weak.n_unshared, minlength=n_groups)
    per_group = unshared + np.bincount(columns.indices, minlength=n_groups)
    popularity = np.zeros(len(things), np.int64)
    popularity[thing] = weak.n_accounts
    limits = sorted(settings.max_accounts // part for part in _LIMITS)
    rank = np.searchsorted(limits, popularity)
    squares = np.bincount(rank, weights=np.diff(columns.indptr) ** 2.0, minlength=len(limits))
    pairing = np.cumsum(squares) / max(per_group.sum(), 1) ** 2

    def surprises(first: Groups, second: Groups, n_shared: Groups, at: Groups) -> npt.NDArray[np.bool_]:
        """Mark the pairs that share more of a limit's things than chance brings together."""
        p_chance = pdtrc(n_shared - 1, per_group[first] * per_group[second] * pairing[at])
        return np.asarray(p_chance < _P_CHANCE / len(_LIMITS))

    ties = pairs(columns, rank, _MIN_SHARED, surprises, threads=threads)
    return components(*confirmed(*ties, n_groups), n_groups)[groups]


def confirmed(first: Groups, second: Groups, n: int) -> tuple[Groups, Groups]:
    """Keep the ties whose two ends are both tied to some third group."""
    half = sparse.coo_array((np.ones(len(first), np.int64), (first, second)), shape=(n, n)).tocsr()
    ties = half + half.T
    ties.data[:] = 1
    closed = sparse.triu((ties @ ties) * ties, k=1).tocoo()
    return closed.row, closed.col


def numbered(groups: Groups, links: Links) -> Groups:
    """Number groups by what their members hold, so that the order of the log does not name them."""
    key = np.zeros(int(groups.max(initial=-1)) + 1, np.uint64)
    np.add.at(key, groups[links.account], links.thing)
    return np.argsort(np.argsort(key, kind="stable"), kind="stable")[groups]


def find_clusters(
    links: Links, n_accounts: int, settings: LinkageSettings, *, pairs: FindPairs = overlaps, threads: int = 1
) -> Groups:
    """Group accounts that are tied together.

    Parameters
    ----------
    links: of `find_links`.
    n_accounts: accounts in all.
    pairs: finds who shares things; an engine may do so where rows live.

    Returns
    -------
    Cluster number of each account, 0 to n - 1, shape (n_accounts,); an account that nothing ties is alone in its own.
    """
    if not settings.enabled:
        return np.arange(n_accounts)
    is_usable, is_strong = links.n_accounts <= settings.max_accounts, links.is_strong()
    groups = _tie_by_instrument(links.where(is_usable & is_strong), n_accounts)
    return numbered(_tie_by_chance(links.where(is_usable & ~is_strong), groups, settings, pairs, threads), links)
