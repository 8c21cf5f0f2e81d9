"""Exact intervals for shares of accounts."""

from typing import Any

from scipy.special import betaincinv

LEVEL = 0.95


def clopper_pearson(n_hits: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Bound a share.

    Returns
    -------
    Lower and upper bound; 0 and 1 where nothing was counted.

    References
    ----------
    Clopper, Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the binomial".

    Examples
    --------
    >>> [round(bound, 4) for bound in clopper_pearson(0, 100)]
    [0.0, 0.0362]
    """
    tail = (1.0 - level) / 2.0
    low = float(betaincinv(n_hits, n - n_hits + 1, tail)) if n_hits else 0.0
    high = float(betaincinv(n_hits + 1, n - n_hits, 1.0 - tail)) if n_hits < n else 1.0
    return low, high


def share_with_interval(n_hits: int, n: int, *, per: float = 1.0) -> dict[str, Any]:
    """Give a count, its share and the share's interval; `per` scales the share and its bounds."""
    low, high = clopper_pearson(n_hits, n)
    share = n_hits / n if n else None
    return {
        "n": n,
        "hits": n_hits,
        "share": None if share is None else round(share * per, 6),
        "low": round(low * per, 6),
        "high": round(high * per, 6),
    }
