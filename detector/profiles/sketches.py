"""Fixed-size summaries of sets that merge: HyperLogLog registers and bottom-k samples with counts.

A bottom-k sample keeps the k smallest hashes of a set, each with how often it came.
A hash among the k smallest of a union is among the k smallest of its part, so counts of what is kept are exact, and
two accounts that share a thing keep it alike: the sample counts distinct things, measures repetition and finds links.

References
----------
Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (AofA 2007): estimator and bias constant.
Beyer, Haas, Reinwald, Sismanis, Gemulla, "On synopses for distinct-value estimation" (SIGMOD 2007): (k - 1) / h_k.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from detector.profiles.bits import leading_zeros

#: Negative powers of two, by register.
_HALVES = np.exp2(-np.arange(256.0))
#: Marks a free place of a bottom-k sample.
FREE = np.uint64(2**64 - 1)
_U = np.uint64


@njit(cache=True, inline="always")
def rank(h: Any, bits: Any) -> Any:
    """Give the HyperLogLog rank of a hash; its register is its highest `bits` bits."""
    return np.uint8(min(leading_zeros(h << _U(bits)), _U(62)) + _U(1))


def count_distinct(registers: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Estimate how many distinct things went into HyperLogLog registers.

    Parameters
    ----------
    registers: shape (n, m), m a power of two of at least 128.

    Returns
    -------
    Shape (n,), relative standard error 1.04 / sqrt(m); linear counting below 2.5 m.
    """
    m = registers.shape[1]
    bias = 0.7213 / (1 + 1.079 / m)
    raw = bias * m * m / _HALVES[registers].sum(axis=1)
    empty = (registers == 0).sum(axis=1)
    linear = m * np.log(m / np.maximum(empty, 1))
    return np.where((raw <= 2.5 * m) & (empty > 0), linear, raw)


@njit(cache=True)
def add_to_sample(hashes: Any, counts: Any, h: Any, weight: Any) -> None:
    """Add a hash to one ascending bottom-k sample, in place."""
    k = len(hashes)
    if h > hashes[k - 1]:
        return
    # A step is an addition and not a branch, which half of all hashes would take the wrong way.
    low, left = 0, k
    while left > 1:
        half = left // 2
        low += half * (hashes[low + half - 1] < h)
        left -= half
    if hashes[low] == h:
        counts[low] += weight
        return
    for j in range(k - 1, low, -1):
        hashes[j] = hashes[j - 1]
        counts[j] = counts[j - 1]
    hashes[low] = h
    counts[low] = weight


@njit(cache=True, nogil=True)
def merge_samples(hashes: Any, counts: Any, starts: Any, out_hashes: Any, out_counts: Any) -> None:
    """Merge runs of samples; run g is rows `starts[g]` up to `starts[g + 1]`. Outputs are filled in place."""
    for g in range(len(starts) - 1):
        for row in range(starts[g], starts[g + 1]):
            for j in range(hashes.shape[1]):
                if hashes[row, j] == FREE:
                    break
                add_to_sample(out_hashes[g], out_counts[g], hashes[row, j], counts[row, j])


def count_sampled(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Estimate how many distinct things went into bottom-k samples.

    Parameters
    ----------
    hashes: shape (n, k), ascending, free places last.

    Returns
    -------
    Shape (n,); exact below k, else with relative standard error about 1 / sqrt(k - 2).
    """
    k = hashes.shape[1]
    kept = (hashes != FREE).sum(axis=1)
    largest = hashes[:, -1].astype(np.float64) / 2.0**64
    return np.where(kept < k, kept, (k - 1) / np.maximum(largest, 1e-18))
