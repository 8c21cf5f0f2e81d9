"""Single draws for compiled kernels: the same numbers as `simulations.streams` gives for whole arrays.

A draw depends on (key, base, index) alone; the base is the hash of seed and purpose. Nothing here holds state.

References
----------
Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators": the step `GOLDEN`.
Stafford (2011), "Better bit mixing", variant 13: the constants of `mix64`.
Acklam (2003), "An algorithm for computing the inverse normal cumulative distribution function": `normal_of`.
Marsaglia, Tsang (2000), "A simple method for generating gamma variables": `gamma`.
"""

from typing import Any

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_U = np.uint64
#: Below this probability, and above its complement, the tail approximation holds.
_TAIL = 0.02425


@njit(cache=True, inline="always")
def mix64(bits: Any) -> Any:
    """Scramble a word, one to one."""
    bits = (bits ^ (bits >> _U(30))) * _FIRST
    bits = (bits ^ (bits >> _U(27))) * _SECOND
    return bits ^ (bits >> _U(31))


@njit(cache=True, inline="always")
def word(key: Any, base: Any, index: Any) -> Any:
    """Draw 64 random bits."""
    return mix64(mix64(key ^ base) + (_U(index) + _U(1)) * GOLDEN)


@njit(cache=True, inline="always")
def unit(key: Any, base: Any, index: Any) -> Any:
    """Draw between 0 and 1, both excluded."""
    return np.float64(word(key, base, index) >> _U(11)) * 2.0**-53 + 2.0**-54


@njit(cache=True, inline="always")
def below(key: Any, base: Any, index: Any, bound: Any) -> Any:
    """Draw an integer from 0 to the bound, excluded."""
    return np.int64(unit(key, base, index) * bound)


@njit(cache=True, nogil=True)
def normal_of(p: Any) -> Any:
    """Give the standard normal quantile of a probability, to a relative error of 1.2e-9."""
    if p < _TAIL or p > 1.0 - _TAIL:
        q = np.sqrt(-2.0 * np.log(p if p < 0.5 else 1.0 - p))
        top = ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q
                - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783  # fmt: skip
        low = (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
               + 3.754408661907416) * q + 1.0  # fmt: skip
        return top / low if p < 0.5 else -top / low
    q = p - 0.5
    r = q * q
    top = (((((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
             + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239) * q  # fmt: skip
    low = ((((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
            + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0  # fmt: skip
    return top / low


@njit(cache=True, inline="always")
def normal(key: Any, base: Any, index: Any) -> Any:
    """Draw from the standard normal distribution."""
    return normal_of(unit(key, base, index))


@njit(cache=True, nogil=True)
def gamma(key: Any, base: Any, index: Any, shape: Any) -> Any:
    """Draw from the gamma distribution of scale 1; a rejected try is repeated on a base of its own."""
    boosted = shape + 1.0 if shape < 1.0 else shape
    d = boosted - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    attempt = mix64(base)
    while True:
        x = normal(key, attempt, index)
        v = (1.0 + c * x) ** 3
        attempt += GOLDEN
        if v > 0.0 and np.log(unit(key, attempt, index)) < 0.5 * x * x + d * (1.0 - v + np.log(v)):
            break
        attempt += GOLDEN
    drawn = d * v
    return drawn * unit(key, base, index) ** (1.0 / shape) if shape < 1.0 else drawn
