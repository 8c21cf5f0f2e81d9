"""Who is scored: accounts, the clusters they are pooled in, and the features of both. Nothing is judged here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Detector
from detector.features.catalogue import compute_features
from detector.features.extras import Extra, compute_extras
from detector.linkage.clusters import link_accounts
from detector.linkage.links import Links
from detector.linkage.overlaps import FindPairs, overlaps
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
    core: number of the core of each account, see `link_accounts`; shape (n_accounts,).
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
    core: npt.NDArray[np.int64]
    extras: tuple[Extra, ...] = ()

    @property
    def cluster_size(self) -> npt.NDArray[np.int64]:
        """Accounts in the cluster of each account, shape (n_accounts,)."""
        return np.bincount(self.cluster)[self.cluster]


def _described(profiles: Profiles, everyone: Profiles, columns: Sequence[str], extras: Sequence[Extra]) -> pd.DataFrame:
    features = compute_features(profiles, columns)
    return features.join(compute_extras(extras, profiles, everyone, columns)) if extras else features


def describe(
    profiles: Profiles, settings: ScoreSettings, *, extras: tuple[Extra, ...] = (), pairs: FindPairs = overlaps
) -> Subjects:
    """Link accounts, pool clusters, compute features of both, and the statistics that a detector brings along.

    Parameters
    ----------
    pairs: finds who shares things; an engine may do so where rows live.
    """
    columns = profiles.filled_columns
    own = _described(profiles, profiles, columns, extras)
    style = styles(profiles, own)
    threads = settings.input.n_threads
    links, cluster, core = link_accounts(profiles, style, settings.linkage, pairs=pairs, threads=threads)
    rows, pooled = np.flatnonzero(np.bincount(cluster)[cluster] > 1), own.copy()
    pooled.iloc[rows] = _pooled(profiles, cluster, rows, extras)
    return Subjects(profiles, cluster, links, own, pooled, style, core, extras)


def _pooled(
    profiles: Profiles, cluster: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], extras: Sequence[Extra]
) -> npt.NDArray[np.float64]:
    """Give the features of the clusters of some accounts, all members of which are among them; shape (n_rows, ...)."""
    columns = profiles.filled_columns
    shared, groups = np.unique(cluster[rows], return_inverse=True)
    merged = profiles.take(rows).pool(groups, [str(number) for number in shared])
    return _described(merged, profiles, columns, extras).iloc[groups].to_numpy()


def without_dilution(subjects: Subjects, detector: Detector) -> Subjects:
    """Judge cores as clusters of their own where that is worse for them: decoys that only share things hide nobody.

    A detector that takes its measure from the log at hand judges clusters as they are.

    Returns
    -------
    Subjects whose clusters are those that are judged; the rest of a cluster stays together, and is judged as the whole.
    """
    size, of = np.bincount(subjects.core)[subjects.core], subjects.cluster_size
    rows = np.flatnonzero((size > 1) & (size < of))
    if not len(rows):
        return subjects
    level, whole = subjects.profiles.evidence_level, subjects.pooled.iloc[rows]
    core = whole.copy()
    core[:] = _pooled(subjects.profiles, subjects.core, rows, subjects.extras)
    verdict = detector.judge(core, level)
    if verdict.reference is None or verdict.reference.is_of_log:
        return subjects
    is_worse = verdict.scores > detector.judge(whole, level).scores
    pooled, cluster = subjects.pooled.copy(), subjects.cluster.copy()
    pooled.iloc[rows[is_worse]] = core.iloc[is_worse].to_numpy()
    cluster[rows[is_worse]] = cluster.max(initial=-1) + 1 + subjects.core[rows[is_worse]]
    return replace(subjects, pooled=pooled, cluster=np.unique(cluster, return_inverse=True)[1])
