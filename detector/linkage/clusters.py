"""Accounts to clusters: first by what they hold, then by what they do. Knows the order of the two, and no more."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.linkage.communities import components, confirmed, find_clusters, numbered
from detector.linkage.links import Links, find_links, link_communities
from detector.linkage.siblings import find_siblings, sign_up_days, styles
from detector.profiles.store import Profiles
from detector.settings import LinkageSettings

Numbers = npt.NDArray[np.int64]


def link_accounts(profiles: Profiles, own: pd.DataFrame, settings: LinkageSettings) -> tuple[Links, Numbers]:
    """Find what accounts share, and who belongs together.

    Parameters
    ----------
    own: features of the accounts, in their order.

    Returns
    -------
    Links, and the cluster number of each account as `find_clusters` gives it.
    """
    states = profiles.trimmed()
    links = find_links(states)
    groups = find_clusters(links, len(profiles), settings)
    if not settings.enabled:
        return links, groups
    n_requests, days = states["volume"].n_requests, sign_up_days(profiles)
    n = int(groups.max(initial=-1)) + 1
    ties = confirmed(*find_siblings(styles(profiles, own), days, n_requests, groups), n)
    community = components(*ties, n)[groups]
    is_tied = np.isin(groups, np.concatenate(ties))
    alone = community.max(initial=-1) + 1 + np.arange(len(groups))
    links = link_communities(links, "sign_up", np.where(is_tied, community, alone), days, n_requests)
    return links, numbered(community, links)
