"""Hashes for compiled kernels. They feed statistics and fingerprints, never an account's identity.

Byte strings: multiply-rotate over 8-byte words, finished by the splitmix64 finaliser.
Reference: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014), for `mix64`.
"""

from typing import Any

import numpy as np
from numba import njit

from detector.profiles.bits import load64, load_up_to

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
#: Inverses of the two multipliers modulo 2**64.
_M1_INVERSE = pow(0xBF58476D1CE4E5B9, -1, 2**64)
_M2_INVERSE = pow(0x94D049BB133111EB, -1, 2**64)
_WORD = np.uint64(0x9E3779B97F4A7C15)
_U = np.uint64


@njit(cache=True, inline="always")
def mix64(x: Any) -> Any:
    """Spread the bits of a 64-bit word; a bijection."""
    x = (x ^ (x >> _U(30))) * _M1
    x = (x ^ (x >> _U(27))) * _M2
    return x ^ (x >> _U(31))


def unmix64(x: int) -> int:
    """Invert `mix64`, so that a fingerprint of a number gives the number back.

    Examples
    --------
    >>> unmix64(int(mix64(np.uint64(3221225985))))
    3221225985
    """
    mask = 2**64 - 1
    x = x ^ (x >> 31) ^ (x >> 62)
    x = (x * _M2_INVERSE) & mask
    x = x ^ (x >> 27) ^ (x >> 54)
    x = (x * _M1_INVERSE) & mask
    return x ^ (x >> 30) ^ (x >> 60)


@njit(cache=True)
def hash_bytes(begin: Any, end: Any, limit: Any) -> Any:
    """Hash the bytes from address `begin` to `end` to 64 bits; nothing from `limit` on is touched."""
    h = _U(end - begin) * _WORD
    i = begin
    while i + 8 <= end:
        h = (((h << _U(23)) | (h >> _U(41))) ^ load64(i)) * _WORD
        i += 8
    tail = load_up_to(i, end, limit) if i < end else _U(0)
    return mix64((((h << _U(23)) | (h >> _U(41))) ^ tail) * _WORD)


@njit(cache=True, nogil=True)
def hash_strings(offsets: Any, data: Any) -> Any:
    """Hash each string of an Arrow buffer pair; shape (n,)."""
    base = np.int64(data.ctypes.data)
    limit = base + len(data)
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    for i in range(len(out)):
        out[i] = hash_bytes(base + offsets[i], base + offsets[i + 1], limit)
    return out
