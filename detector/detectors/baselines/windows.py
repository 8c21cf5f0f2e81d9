"""Windows of equally many prompts, one per account or cluster, and the distances between the prompts in them.

Every statistic over prompts is taken from exactly `WINDOW` distinct prompts, drawn at random by hash, so that accounts
differ in what they ask and not in how much: the null that a statistic is ranked against has its own sample size.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.features.registry import Values
from detector.profiles.queries import BITS
from detector.profiles.sketches import FREE

#: Prompts in a window. Chosen: nine in ten programs ask so many, and 496 pairs tell shares of a few per cent.
WINDOW = 32
#: Windows worked on at once, so that memory does not grow with accounts times prompts squared. Chosen.
_CHUNK = 2048
Sketches = npt.NDArray[np.uint64]


def windows_of(states: dict[str, Any]) -> Iterator[tuple[npt.NDArray[np.int64], Sketches]]:
    """Walk the windows of the profiles that have one: their rows, and sketches of shape (n, WINDOW, 2)."""
    queries = states["queries"]
    full = np.flatnonzero(queries.prompt_hash[:, WINDOW - 1] != FREE)
    for start in range(0, len(full), _CHUNK):
        rows = full[start : start + _CHUNK]
        yield rows, np.stack([queries.low[rows, :WINDOW], queries.high[rows, :WINDOW]], axis=-1)


def over_windows(statistic: Callable[[Sketches], Values], states: dict[str, Any]) -> Values:
    """Compute a statistic of each window.

    Parameters
    ----------
    statistic: windows of sketches, shape (n, WINDOW, 2), to values, shape (n,).
    states: of `Profiles.trimmed`, with the slice `queries`.

    Returns
    -------
    Shape (n_profiles,); NaN where a profile has fewer than `WINDOW` distinct prompts.
    """
    out = np.full(len(states["queries"].prompt_hash), np.nan)
    for rows, windows in windows_of(states):
        out[rows] = statistic(windows)
    return out


def differing_bits(windows: Sketches) -> npt.NDArray[np.int64]:
    """Count the bits in which the prompts of a window differ, for each pair; shape (n, WINDOW, WINDOW)."""
    counts = np.bitwise_count(windows[:, :, None] ^ windows[:, None, :])
    return counts.sum(axis=-1, dtype=np.int64)


def directions(windows: Sketches) -> Values:
    """Give each sketch as a unit vector of `BITS` signs; shape (n, WINDOW, BITS)."""
    bits = np.unpackbits(np.ascontiguousarray(windows).view(np.uint8), axis=-1)
    return (bits * 2.0 - 1.0) / np.sqrt(BITS)
