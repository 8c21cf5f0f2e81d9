"""Scores taken apart for a reviewer: prior + contributions = score, each piece beside what is typical."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.detectors.base import Values, Verdict
from detector.features.catalogue import FEATURES
from detector.features.extras import Extra
from detector.tables import EVIDENCE

PRIOR = "prior"


def percentiles(values: pd.DataFrame) -> pd.DataFrame:
    """Give the share of accounts with a smaller value, ties in the middle; same shape, 0 to 1, NaN where absent."""
    ranks = values.rank(method="average")
    return (ranks - 0.5) / values.notna().sum()


def _described(piece: str, extras: Mapping[str, Extra]) -> tuple[str, str]:
    known = FEATURES.get(piece) or extras.get(piece)
    return (known.unit, known.meaning) if known else ("", f"score of {piece} over all features")


def tabulate(
    account_ids: list[str],
    features: pd.DataFrame,
    verdict: Verdict,
    *,
    is_clustered: npt.NDArray[np.bool_],
    extras: Sequence[Extra] = (),
) -> pa.Table:
    """Lay the evidence of every account out, one row per account and piece.

    Parameters
    ----------
    account_ids: shape (n,).
    features: of the account's cluster, or of the account where it is alone; shape (n, n_features).
    verdict: contributions in the order of the accounts, shape (n, n_pieces).
    is_clustered: whether the value was measured on a cluster of several accounts, shape (n,).
    extras: statistics that the detector brought along, beside the features.

    Returns
    -------
    Columns of `tables.EVIDENCE`; per account the prior and then the pieces, absent features left out.
    """
    pieces = list(verdict.contributions)
    ranked = percentiles(features)
    n, width = len(account_ids), len(pieces) + 1

    def laid_out(columns: Mapping[str, Values], first: float) -> Values:
        grid = np.full((n, width), np.nan)
        grid[:, 0] = first
        for j, piece in enumerate(pieces, start=1):
            if piece in columns:
                grid[:, j] = columns[piece]
        return grid.ravel()

    contribution = laid_out({p: verdict.contributions[p].to_numpy() for p in pieces}, verdict.prior)
    value = laid_out({p: features[p].to_numpy() for p in pieces if p in features}, np.nan)
    percentile = laid_out({p: ranked[p].to_numpy() for p in pieces if p in features}, np.nan)
    medians = features.median()
    typical = laid_out({p: np.full(n, medians[p]) for p in pieces if p in features}, np.nan)
    own = {extra.name: extra for extra in extras}
    start = ("", "where the sum starts: the share of accounts assumed to extract")
    described = [start, *(_described(piece, own) for piece in pieces)]
    is_prior = np.arange(n * width) % width == 0
    kept = np.flatnonzero(is_prior | ~np.isnan(value) | (contribution != 0))
    account, piece = np.divmod(kept, width)

    def words_of(words: Sequence[str], places: npt.NDArray[np.signedinteger[Any]]) -> pa.Array:
        return pa.array(words, pa.string()).take(pa.array(places))

    return pa.table(
        {
            "account_id": words_of(account_ids, account),
            "family": words_of(["", *(verdict.families[p] for p in pieces)], piece),
            "feature": words_of([PRIOR, *pieces], piece),
            "subject": words_of(("account", "cluster"), is_clustered.astype(np.int8)[account]),
            "value": pa.array(value[kept], from_pandas=True),
            "unit": words_of([unit for unit, _ in described], piece),
            "reference": pa.array(typical[kept], from_pandas=True),
            "percentile": pa.array(percentile[kept], from_pandas=True),
            "contribution": pa.array(contribution[kept]),
            "meaning": words_of([meaning for _, meaning in described], piece),
        }
    ).cast(EVIDENCE)
