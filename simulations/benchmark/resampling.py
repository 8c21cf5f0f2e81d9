"""Weights that resample a labelled population: campaigns as wholes, honest accounts one by one.

Equal populations get equal weights, whatever a detector says of them: so two runs are compared account by account.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

#: Resamples behind an interval. Chosen: a standard deviation is then known to a twentieth.
N_RESAMPLES = 200

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """How often each account is drawn.

    Attributes
    ----------
    once: every account one time, shape (1, n_accounts).
    drawn: shape (N_RESAMPLES, n_accounts).
    """

    once: Reals
    drawn: Reals


def resample(accounts: pd.DataFrame, name: str) -> Weights:
    """Draw weights.

    Parameters
    ----------
    accounts: `is_extraction`, `scenario`, `campaign` (empty of honest accounts); one row per account of all logs.
    name: of the population; equal names and sizes give equal weights.

    Notes
    -----
    Accounts of a campaign rise and fall together, so campaigns are drawn whole, within their scenario (Davison,
    Hinkley, "Bootstrap methods and their application", 1997, section 3.8: clusters with, members without replacement).
    A scenario with a single campaign shows no difference between campaigns; its accounts are drawn instead, and the
    interval says nothing of other campaigns. Honest accounts are drawn as by a Poisson process.
    """
    digest = hashlib.sha256(f"{name}/{len(accounts)}".encode()).digest()
    draw = np.random.default_rng(int.from_bytes(digest[:8]))
    drawn = draw.poisson(1.0, (N_RESAMPLES, len(accounts))).astype(np.float64)
    harvests = accounts["is_extraction"].to_numpy(bool)
    for _, rows in accounts.reset_index(drop=True)[harvests].groupby("scenario", sort=True):
        unit = pd.factorize(rows["campaign"], sort=True)[0]
        if unit.max() == 0:
            unit = np.arange(len(rows))
        n = int(unit.max()) + 1
        drawn[:, rows.index] = draw.multinomial(n, np.full(n, 1.0 / n), size=N_RESAMPLES)[:, unit]
    return Weights(np.ones((1, len(accounts))), drawn)
