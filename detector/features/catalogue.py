"""Every feature, and the table of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from detector.features import content, economy, network, rate
from detector.features.registry import Feature, usable
from detector.profiles.store import Profiles

FEATURES: dict[str, Feature] = {
    f.name: f for f in (*rate.FEATURES, *content.FEATURES, *network.FEATURES, *economy.FEATURES)
}


def compute_features(profiles: Profiles, columns: Sequence[str]) -> pd.DataFrame:
    """Turn profiles into named numbers.

    Parameters
    ----------
    profiles: of accounts or of clusters.
    columns: canonical columns that the log has; features that need others are left out.

    Returns
    -------
    One row per profile, indexed by its id, one float column per feature; NaN where a profile has too little to say.
    """
    states = profiles.trimmed()
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {f.name: f.compute(states) for f in usable(FEATURES.values(), columns)}
    table = pd.DataFrame(values, index=pd.Index(profiles.account_ids, name="account_id"))
    return table.replace([np.inf, -np.inf], np.nan)
