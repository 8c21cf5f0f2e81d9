"""Counter-based random numbers: a draw depends on its key (seed, account, purpose, index) and on nothing else.

Chunk size, order and other accounts change nothing, because no generator is advanced. Here live draws only:
what they mean is said by the rooms that ask for them.

References
----------
Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators": the step `GOLDEN`.
Stafford (2011), "Better bit mixing", variant 13: the constants of `mix`.
Marsaglia, Tsang (2000), "A simple method for generating gamma variables": `Streams.gamma`.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(bits: Keys) -> Keys:
    """Scramble 64-bit words, one to one."""
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


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
        unit = (self.bits(keys, purpose, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
        return low + unit * (high - low)

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
        drawn: Reals = ndtri(self.uniform(keys, purpose, index))
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
        """Draw from the gamma distribution of scale 1.

        Notes
        -----
        A rejected try is repeated under a purpose of its own, so that tries never shift other draws.
        """
        wide_keys, wide_index, wide_shape = np.broadcast_arrays(np.atleast_1d(keys), index, shape)
        boosted = np.where(wide_shape < 1.0, wide_shape + 1.0, wide_shape).astype(np.float64)
        drawn = np.empty(boosted.shape)
        waiting, attempt = np.arange(boosted.size), 0
        while waiting.size:
            value, accepted = self._gamma_try(
                wide_keys[waiting], f"{purpose}/{attempt}", wide_index[waiting], boosted[waiting]
            )
            drawn[waiting[accepted]] = value[accepted]
            waiting, attempt = waiting[~accepted], attempt + 1
        boost = self.uniform(wide_keys, f"{purpose}/boost", wide_index) ** (1.0 / wide_shape)
        return np.where(wide_shape < 1.0, drawn * boost, drawn)

    def _gamma_try(self, keys: Keys, purpose: str, index: Counts, shape: Reals) -> tuple[Reals, Flags]:
        d = shape - 1.0 / 3.0
        x = self.normal(keys, f"{purpose}/x", index)
        v = (1.0 + x / np.sqrt(9.0 * d)) ** 3
        safe = np.where(v > 0.0, v, 1.0)
        bound = 0.5 * x * x + d * (1.0 - safe + np.log(safe))
        accepted = (v > 0.0) & (np.log(self.uniform(keys, f"{purpose}/u", index)) < bound)
        return d * safe, accepted
