"""Accounts to clusters: first by what they hold, then by what they do. Knows the order of the two, and no more."""

import numpy as np
import numpy.typing as npt

from detector.linkage.communities import components, confirmed, find_clusters, numbered
from detector.linkage.links import Links, find_links, link_communities
from detector.linkage.lockstep import find_lock_steps
from detector.linkage.overlaps import FindPairs, overlaps
from detector.linkage.siblings import Reals, find_siblings, sign_up_days, sign_up_parts
from detector.profiles.store import Profiles
from detector.settings import LinkageSettings

_DAY_US = 86_400e6
Numbers = npt.NDArray[np.int64]
Pairs = tuple[Numbers, Numbers]


def link_accounts(
    profiles: Profiles, style: Reals, settings: LinkageSettings, *, pairs: FindPairs = overlaps, threads: int = 1
) -> tuple[Links, Numbers, Numbers]:
    """Find what accounts share, and who belongs together.

    Parameters
    ----------
    style: of `siblings.styles`.
    pairs: finds who shares things; an engine may do so where rows live.

    Returns
    -------
    Links; the cluster number of each account as `find_clusters` gives it; and the number of its core, the accounts of
    its cluster that what they do ties to it, whatever they hold: one that nothing so ties is a core of its own.
    """
    states = profiles.trimmed()
    links = find_links(states)
    groups = find_clusters(links, len(profiles), settings, pairs=pairs, threads=threads)
    if not settings.enabled:
        return links, groups, groups
    n_requests, days = states["volume"].n_requests, sign_up_days(profiles)
    n = int(groups.max(initial=-1)) + 1
    parts = sign_up_parts(days, n_requests, groups)
    siblings, kin = _siblings(*find_siblings(style, days, n_requests, parts, threads=threads), parts, groups)
    links = link_communities(links, "sign_up", _communities(*siblings, groups), days, n_requests)
    stepping = find_lock_steps(states["moments"].moments, most_accounts=settings.max_accounts, threads=threads)
    in_step = confirmed(*stepping, len(groups))
    begins = states["volume"].first_at / _DAY_US
    links = link_communities(links, "lock_step", _communities(*in_step, np.arange(len(groups))), begins, n_requests)
    first = np.concatenate([siblings[0], groups[in_step[0]]])
    second = np.concatenate([siblings[1], groups[in_step[1]]])
    core = components(np.concatenate([kin[0], in_step[0]]), np.concatenate([kin[1], in_step[1]]), len(groups))
    return links, numbered(components(first, second, n)[groups], links), core


def _siblings(first: Numbers, second: Numbers, parts: Numbers, groups: Numbers) -> tuple[Pairs, Pairs]:
    """Lift ties between parts of groups: to confirmed ties of the groups, and to ties of the accounts of the parts."""
    n, n_parts = int(groups.max(initial=-1)) + 1, int(parts.max(initial=-1)) + 1
    group = np.zeros(n_parts, np.int64)
    group[parts[parts >= 0]] = groups[parts >= 0]
    one, other = group[first], group[second]
    siblings = confirmed(one[one != other], other[one != other], n)
    is_kept = np.isin(np.minimum(one, other) * n + np.maximum(one, other), siblings[0] * n + siblings[1])
    member = np.flatnonzero(np.isin(parts, np.concatenate([first[is_kept], second[is_kept]])))
    leader = np.zeros(n_parts, np.int64)
    leader[parts[member]] = member
    kin = (
        np.concatenate([member, leader[first[is_kept]]]),
        np.concatenate([leader[parts[member]], leader[second[is_kept]]]),
    )
    return siblings, kin


def _communities(first: Numbers, second: Numbers, groups: Numbers) -> Numbers:
    """Number the community of each account that ties between groups make; accounts that none ties are alone."""
    n = int(groups.max(initial=-1)) + 1
    community = components(first, second, n)[groups]
    is_tied = np.isin(groups, first) | np.isin(groups, second)
    return np.where(is_tied, community, n + np.arange(len(groups)))
