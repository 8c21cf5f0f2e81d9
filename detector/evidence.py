"""Scores taken apart for a reviewer: prior + contributions = score, each piece beside what is typical.

A model may weigh values of one family together; then what a value adds depends on the others of its family, and half
of what two add together is told with either. So a row tells how the score came about, not what it would be without.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.detectors.base import Values, Verdict
from detector.features.catalogue import FEATURES
from detector.features.extras import Extra
from detector.peers import CIRCLES, circles_of, stand
from detector.tables import EVIDENCE

PRIOR = "prior"
#: Places of the 5 %, 50 % and 95 % quantile in a population of `detectors.population`.
_LOW, _MIDDLE, _HIGH = 1, 10, 19


def _described(piece: str, extras: Mapping[str, Extra]) -> tuple[str, str]:
    known = FEATURES.get(piece) or extras.get(piece)
    return (known.unit, known.meaning) if known else ("", f"score of {piece} over all features")


def tabulate(
    account_ids: list[str],
    features: pd.DataFrame,
    verdict: Verdict,
    *,
    is_clustered: npt.NDArray[np.bool_],
    own: pd.DataFrame | None = None,
    population: Mapping[str, Values] | None = None,
    extras: Sequence[Extra] = (),
) -> pa.Table:
    """Lay the evidence of every account out, one row per account and piece.

    Parameters
    ----------
    account_ids: shape (n,).
    features: of the account's cluster, or of the account where it is alone; shape (n, n_features).
    verdict: contributions in the order of the accounts, shape (n, n_pieces).
    is_clustered: whether the value was measured on a cluster of several accounts, shape (n,).
    own: features of the accounts themselves, by which peers are found; those of `features` where not given.
    population: quantiles among honest accounts, see `detectors.population`; without, the log's median is typical.
    extras: statistics that the detector brought along, beside the features.

    Returns
    -------
    Columns of `tables.EVIDENCE`; per account the prior and then the pieces, absent features left out.
    """
    pieces = list(verdict.contributions)
    measured = [p for p in pieces if p in features]
    standing = stand(features[measured], circles_of(features if own is None else own))
    known = population or {}
    n, width = len(account_ids), len(pieces) + 1
    places = np.array([pieces.index(p) + 1 for p in measured], np.int64)

    def laid_out(columns: npt.NDArray[Any]) -> Values:
        grid = np.full((n, width), np.nan)
        grid[:, places] = columns
        return grid.ravel()

    def honest(place: int, otherwise: Values) -> Values:
        """Give one number per piece, NaN for the prior and for what was not measured; shape (width,)."""
        numbers = np.full(width, np.nan)
        numbers[places] = [known[p][place] if p in known else otherwise[i] for i, p in enumerate(measured)]
        return numbers

    contribution = np.column_stack([np.full(n, verdict.prior), verdict.contributions.to_numpy(np.float64)]).ravel()
    value = laid_out(features[measured].to_numpy(np.float64))
    absent = np.full(len(measured), np.nan)
    typical = honest(_MIDDLE, features[measured].median().to_numpy(np.float64))
    brought = {extra.name: extra for extra in extras}
    start = ("", "where the sum starts: the share of accounts assumed to extract")
    described = [start, *(_described(piece, brought) for piece in pieces)]
    is_prior = np.arange(n * width) % width == 0
    kept = np.flatnonzero(is_prior | ~np.isnan(value) | (contribution != 0))
    account, piece = np.divmod(kept, width)
    circle = np.where(np.isnan(value), len(CIRCLES), laid_out(standing.circle))[kept].astype(np.int64)

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
            "reference": pa.array(typical[piece], from_pandas=True),
            "usual_low": pa.array(honest(_LOW, absent)[piece], from_pandas=True),
            "usual_high": pa.array(honest(_HIGH, absent)[piece], from_pandas=True),
            "percentile": pa.array(laid_out(standing.percentile)[kept], from_pandas=True),
            "n_peers": pa.array(laid_out(standing.n_peers)[kept], from_pandas=True),
            "peers": words_of((*CIRCLES, ""), circle),
            "contribution": pa.array(contribution[kept]),
            "meaning": words_of([meaning for _, meaning in described], piece),
        }
    ).cast(EVIDENCE)
