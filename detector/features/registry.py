"""What a feature is, and every feature there is. A feature whose columns are missing is absent (NaN), never zero."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Family = Literal["rate", "content", "network", "economy"]


@dataclass(frozen=True)
class Feature:
    """One named number of an account or a cluster.

    Attributes
    ----------
    name: in snake case, with its unit where it has one.
    family: the kind of cause it measures; evidence of two families is independent.
    unit: of the number, as a report prints it; "" for a plain ratio or index.
    direction: +1 when higher is more suspicious on its own, -1 when lower is, 0 when that depends on the rest.
    level: least evidence level of a log that has it.
    needs: canonical columns without which it is absent.
    meaning: one line that a reviewer understands.
    compute: states of `Profiles.trimmed` to values, shape (n,); NaN where an account has too little to say.
    """

    name: str
    family: Family
    unit: str
    direction: Literal[-1, 0, 1]
    level: int
    needs: tuple[str, ...]
    meaning: str
    compute: Callable[[dict[str, Any]], Values]


def ratio(above: npt.ArrayLike, below: npt.ArrayLike) -> Values:
    """Divide where there is something to divide by; NaN elsewhere."""
    top, bottom = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=bottom > 0)


def histogram_quantile(counts: npt.NDArray[Any], floors: Values, q: float) -> Values:
    """Give the value below which a share q of each histogram lies.

    Parameters
    ----------
    counts: shape (n, places).
    floors: least value of each place, shape (places,).

    Returns
    -------
    Shape (n,), the floor of the place that holds the quantile; NaN for an empty histogram.
    """
    total = counts.sum(axis=1)
    reached = counts.cumsum(axis=1) >= np.maximum(total * q, 1e-9)[:, None]
    return np.where(total > 0, floors[reached.argmax(axis=1)], np.nan)


def log_spread(counts: npt.NDArray[Any], *, skip_zero: bool = True) -> Values:
    """Give the standard deviation of a half-octave histogram in octaves; shape (n,), NaN below two counts."""
    places = np.arange(counts.shape[1]) / 2.0
    used = counts[:, 1:].astype(np.float64) if skip_zero else counts.astype(np.float64)
    at = places[1:] if skip_zero else places
    total = used.sum(axis=1)
    mean = ratio(used @ at, total)
    square = ratio(used @ at**2, total)
    return np.where(total > 1, np.sqrt(np.maximum(square - mean**2, 0)), np.nan)


def collision_share(counts: npt.NDArray[Any]) -> Values:
    """Estimate the chance that two requests of an account fall together, from counts in hashed buckets.

    Unbiased for the number of requests, and corrected for chance meetings in `m` buckets: (p - 1/m) / (1 - 1/m).
    Shape (n,); NaN below two requests.
    """
    n = counts.sum(axis=1).astype(np.float64)
    pairs = (counts.astype(np.float64) ** 2).sum(axis=1) - n
    together = ratio(pairs, n * (n - 1))
    m = counts.shape[1]
    return np.where(n > 1, np.clip((together - 1 / m) / (1 - 1 / m), 0, 1), np.nan)


def usable(features: Iterable[Feature], columns: Iterable[str]) -> tuple[Feature, ...]:
    """Give the features that a log with these columns can have.

    Where a row stands for many requests (``n_requests``), only those of level 0 make sense.
    """
    present = set(columns)
    most = 0 if "n_requests" in present else 4
    return tuple(f for f in features if f.level <= most and set(f.needs) <= present)
