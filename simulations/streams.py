"""Counter-based random numbers: a draw depends on its key (seed, account, purpose, index) and on nothing else.

Chunk size, order and other accounts change nothing, because no generator is advanced. Here live draws only:
what they mean is said by the rooms that ask for them. Kernels draw the same
numbers one at a time by `simulations.draws`.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from simulations.draws import GOLDEN, gamma, mix64, normal_of, unit

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def mix(bits: Any) -> Any:
    """Scramble 64-bit words, one to one."""
    mixed = np.empty_like(bits)
    for i in range(len(bits)):
        mixed[i] = mix64(bits[i])
    return mixed


@lru_cache(maxsize=4096)
def key_of(*parts: str | int) -> int:
    """Hash names and numbers to 64 bits, the same on every machine and in every process.

    Examples
    --------
    >>> key_of("fleet", 3) == key_of("fleet", 3) != key_of("fleet", 4)
    True
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def member_keys(group: str, n: int) -> Keys:
    """Make the keys of the first n members of a named group; a longer group begins with the same keys."""
    start = np.full(n, key_of("member", group), dtype=np.uint64)
    return mix(start + np.arange(1, n + 1, dtype=np.uint64) * GOLDEN)


@dataclass(frozen=True)
class Streams:
    """All random numbers of one seed.

    Every method takes `keys` (whose draw) and `index` (which draw), broadcast against each other, and returns one
    draw per pair. Equal (seed, key, purpose, index) give equal draws.

    Examples
    --------
    >>> keys = member_keys("chat", 3)
    >>> every = Streams(7).uniform(keys, "hour")
    >>> bool(every[2] == Streams(7).uniform(keys[2:], "hour")[0])
    True
    """

    seed: int

    def bits(self, keys: Keys, purpose: str, index: Counts | int = 0) -> Keys:
        """Draw 64 random bits."""
        base = np.uint64(key_of("draw", self.seed, purpose))
        counter = np.atleast_1d(np.asarray(index)).astype(np.uint64) + np.uint64(1)
        return mix(mix(np.atleast_1d(keys) ^ base) + counter * GOLDEN)

    def uniform(
        self, keys: Keys, purpose: str, index: Counts | int = 0, *, low: Reals | float = 0.0, high: Reals | float = 1.0
    ) -> Reals:
        """Draw between low and high, both excluded."""
        if np.ndim(index) == 1 and np.size(keys) in (1, np.size(index)):
            base = np.uint64(key_of("draw", self.seed, purpose))
            drawn = _units(np.atleast_1d(keys), base, np.asarray(index, dtype=np.int64))
        else:
            drawn = (self.bits(keys, purpose, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
        if isinstance(low, float) and isinstance(high, float) and (low, high) == (0.0, 1.0):
            return drawn
        return low + drawn * (high - low)

    def chance(self, keys: Keys, purpose: str, index: Counts | int = 0, *, p: Reals | float) -> Flags:
        """Draw true with probability p."""
        return self.uniform(keys, purpose, index) < p

    def integers(self, keys: Keys, purpose: str, index: Counts | int = 0, *, below: Counts | int) -> Counts:
        """Draw integers from 0 to below, excluded; below is at most 2**53."""
        return np.floor(self.uniform(keys, purpose, index) * below).astype(np.int64)

    def choice(self, keys: Keys, purpose: str, index: Counts | int = 0, *, weights: npt.ArrayLike) -> Counts:
        """Draw positions in a list, each as often as its weight says; weights need not sum to 1."""
        bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = self.uniform(keys, purpose, index) * bounds[-1]
        chosen: Counts = np.minimum(np.searchsorted(bounds, drawn, side="right"), len(bounds) - 1).astype(np.int64)
        return chosen

    def normal(self, keys: Keys, purpose: str, index: Counts | int = 0) -> Reals:
        """Draw from the standard normal distribution."""
        drawn: Reals = _normals(self.uniform(keys, purpose, index))
        return drawn

    def exponential(self, keys: Keys, purpose: str, index: Counts | int = 0, *, mean: Reals | float = 1.0) -> Reals:
        """Draw from the exponential distribution."""
        return -np.log(self.uniform(keys, purpose, index)) * mean

    def lognormal(
        self, keys: Keys, purpose: str, index: Counts | int = 0, *, median: Reals | float, sigma: Reals | float
    ) -> Reals:
        """Draw from the log-normal distribution with this median and standard deviation of the logarithm."""
        return median * np.exp(sigma * self.normal(keys, purpose, index))

    def weibull(self, keys: Keys, purpose: str, index: Counts | int = 0, *, shape: Reals | float) -> Reals:
        """Draw from the Weibull distribution of scale 1."""
        return self.exponential(keys, purpose, index) ** (1.0 / np.asarray(shape))

    def gamma(self, keys: Keys, purpose: str, index: Counts | int = 0, *, shape: Reals | float) -> Reals:
        """Draw from the gamma distribution of scale 1."""
        base = np.uint64(key_of("draw", self.seed, purpose))
        wide_keys, wide_index, wide_shape = np.broadcast_arrays(np.atleast_1d(keys), index, shape)
        drawn: Reals = _gammas(wide_keys.copy(), base, wide_index.astype(np.int64), wide_shape.astype(np.float64))
        return drawn


@njit(cache=True, nogil=True)
def _units(keys: Any, base: Any, index: Any) -> Any:
    drawn = np.empty(len(index))
    if len(keys) == 1:
        for i in range(len(index)):
            drawn[i] = unit(keys[0], base, index[i])
    else:
        for i in range(len(index)):
            drawn[i] = unit(keys[i], base, index[i])
    return drawn


@njit(cache=True, nogil=True)
def _normals(units: Any) -> Any:
    drawn = np.empty(len(units))
    for i in range(len(units)):
        drawn[i] = normal_of(units[i])
    return drawn


@njit(cache=True, nogil=True)
def _gammas(keys: Any, base: Any, index: Any, shape: Any) -> Any:
    drawn = np.empty(len(keys))
    for i in range(len(keys)):
        drawn[i] = gamma(keys[i], base, index[i], shape[i])
    return drawn
