"""Accounts to clusters: first by what they hold, then by what they do. Knows the order of the two, and no more."""

import numpy as np
import numpy.typing as npt

from detector.linkage.communities import components, confirmed, find_clusters, numbered
from detector.linkage.links import Links, find_links, link_communities
from detector.linkage.lockstep import find_lock_steps
from detector.linkage.siblings import Reals, find_siblings, sign_up_days
from detector.profiles.store import Profiles
from detector.settings import LinkageSettings

_DAY_US = 86_400e6
Numbers = npt.NDArray[np.int64]


def link_accounts(
    profiles: Profiles, style: Reals, settings: LinkageSettings, *, threads: int = 1
) -> tuple[Links, Numbers]:
    """Find what accounts share, and who belongs together.

    Parameters
    ----------
    style: of `siblings.styles`.

    Returns
    -------
    Links, and the cluster number of each account as `find_clusters` gives it.
    """
    states = profiles.trimmed()
    links = find_links(states)
    groups = find_clusters(links, len(profiles), settings, threads=threads)
    if not settings.enabled:
        return links, groups
    n_requests, days = states["volume"].n_requests, sign_up_days(profiles)
    n = int(groups.max(initial=-1)) + 1
    siblings = confirmed(*find_siblings(style, days, n_requests, groups, threads=threads), n)
    links = link_communities(links, "sign_up", _communities(*siblings, groups), days, n_requests)
    stepping = find_lock_steps(states["moments"].moments, most_accounts=settings.max_accounts, threads=threads)
    in_step = confirmed(*stepping, len(groups))
    begins = states["volume"].first_at / _DAY_US
    links = link_communities(links, "lock_step", _communities(*in_step, np.arange(len(groups))), begins, n_requests)
    first = np.concatenate([siblings[0], groups[in_step[0]]])
    second = np.concatenate([siblings[1], groups[in_step[1]]])
    return links, numbered(components(first, second, n)[groups], links)


def _communities(first: Numbers, second: Numbers, groups: Numbers) -> Numbers:
    """Number the community of each account that ties between groups make; accounts that none ties are alone."""
    n = int(groups.max(initial=-1)) + 1
    community = components(first, second, n)[groups]
    is_tied = np.isin(groups, first) | np.isin(groups, second)
    return np.where(is_tied, community, n + np.arange(len(groups)))
