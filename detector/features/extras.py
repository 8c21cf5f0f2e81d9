"""Statistics that a detector brings along. They are computed for it alone and are no part of the catalogue.

So a published baseline has what its paper asks for, the fitted model never sees it, and nobody else pays for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from detector.features.catalogue import FEATURES
from detector.features.registry import Family, Values
from detector.profiles.store import Profiles

States = dict[str, Any]


@dataclass(frozen=True)
class Extra:
    """One named number of an account or a cluster, wanted by one detector.

    Attributes
    ----------
    name: in snake case; no feature of the catalogue has it.
    family: the kind of cause it measures.
    unit: of the number, "" for a plain ratio or index.
    level: least evidence level of a log that has it.
    needs: canonical columns without which it is absent.
    slices: optional slices of the profile that it reads.
    meaning: one line that a reviewer understands.
    compute: states of `Profiles.trimmed`, and those of all accounts of the log to lay them beside, to values;
        shape (n,), NaN where a profile has too little to say.
    """

    name: str
    family: Family
    unit: str
    level: int
    needs: tuple[str, ...]
    slices: tuple[str, ...]
    meaning: str
    compute: Callable[[States, States], Values]

    def __post_init__(self) -> None:
        """Refuse a name that would hide a feature."""
        if self.name in FEATURES:
            raise ValueError(f"{self.name!r} is a feature of the catalogue; give the extra statistic another name")


def slices_of(extras: Iterable[Extra]) -> tuple[str, ...]:
    """Give the optional slices that statistics read, each once."""
    return tuple(sorted({name for extra in extras for name in extra.slices}))


def compute_extras(
    extras: Sequence[Extra], profiles: Profiles, everyone: Profiles, columns: Iterable[str]
) -> pd.DataFrame:
    """Compute statistics of profiles.

    Parameters
    ----------
    profiles: of accounts or of clusters.
    everyone: of all accounts of the log.
    columns: canonical columns that the log has; statistics that need others are left out.

    Returns
    -------
    One row per profile, one float column per statistic that the log can give; NaN where there is too little to say.
    """
    present, most = set(columns), 0 if "n_requests" in set(columns) else 4
    states, all_states = profiles.trimmed(), everyone.trimmed()
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            extra.name: extra.compute(states, all_states)
            for extra in extras
            if set(extra.needs) <= present and extra.level <= most and set(extra.slices) <= set(states)
        }
    table = pd.DataFrame(values, index=pd.Index(profiles.account_ids, name="account_id"), dtype=np.float64)
    return table.replace([np.inf, -np.inf], np.nan)
