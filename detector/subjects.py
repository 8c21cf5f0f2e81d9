"""Who is scored: accounts, the clusters they are pooled in, and the features of both. Nothing is judged here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.features.catalogue import compute_features
from detector.features.extras import Extra, compute_extras
from detector.linkage.clusters import link_accounts
from detector.linkage.links import Links
from detector.linkage.siblings import Reals, styles
from detector.profiles.store import Profiles
from detector.settings import ScoreSettings


@dataclass(frozen=True)
class Subjects:
    """Accounts and the clusters they are scored as.

    Attributes
    ----------
    profiles: of the accounts.
    cluster: cluster number of each account, shape (n_accounts,).
    links: what accounts share.
    own: features of the accounts, shape (n_accounts, n_features).
    pooled: features of each account's cluster, in the order of the accounts, same shape.
    style: how each account asks, see `linkage.siblings.styles`; shape (n_accounts, n_dimensions).
    extras: statistics that the detector brings along; those that the log can give are columns of both.
    """

    profiles: Profiles
    cluster: npt.NDArray[np.int64]
    links: Links
    own: pd.DataFrame
    pooled: pd.DataFrame
    style: Reals
    extras: tuple[Extra, ...] = ()

    @property
    def cluster_size(self) -> npt.NDArray[np.int64]:
        """Accounts in the cluster of each account, shape (n_accounts,)."""
        return np.bincount(self.cluster)[self.cluster]


def _described(profiles: Profiles, everyone: Profiles, columns: Sequence[str], extras: Sequence[Extra]) -> pd.DataFrame:
    features = compute_features(profiles, columns)
    return features.join(compute_extras(extras, profiles, everyone, columns)) if extras else features


def describe(profiles: Profiles, settings: ScoreSettings, *, extras: tuple[Extra, ...] = ()) -> Subjects:
    """Link accounts, pool clusters, compute features of both, and the statistics that a detector brings along."""
    columns = profiles.filled_columns
    own = _described(profiles, profiles, columns, extras)
    style = styles(profiles, own)
    links, cluster = link_accounts(profiles, style, settings.linkage, threads=settings.input.n_threads)
    pooled = own.copy()
    rows = np.flatnonzero(np.bincount(cluster)[cluster] > 1)
    if len(rows):
        shared, groups = np.unique(cluster[rows], return_inverse=True)
        merged = profiles.take(rows).pool(groups, [str(number) for number in shared])
        pooled.iloc[rows] = _described(merged, profiles, columns, extras).iloc[groups].to_numpy()
    return Subjects(profiles, cluster, links, own, pooled, style, extras)
