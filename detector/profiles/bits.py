"""Machine instructions that compiled kernels need and the language lacks: bit scans and loads from an address.

Kernels walk text by address: handing an array to a helper would count references, an atomic step, for each word.
The caller keeps the array alive and within its bounds.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_U = np.uint64
_LOW_BITS = _U(0x0101010101010101)
_HIGH_BITS = _U(0x8080808080808080)
_SEVEN_BITS = _U(0x7F7F7F7F7F7F7F7F)
_CASE = _U(0x2020202020202020)


def _scan(name: str) -> Any:
    def typing(typing_context: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(arguments[0], ir.Constant(ir.IntType(1), 0))

        return types.uint64(types.uint64), emit

    return typing


#: Zero bits below the lowest one that is set; 64 for 0.
trailing_zeros = intrinsic(_scan("cttz"))
#: Zero bits above the highest one that is set; 64 for 0.
leading_zeros = intrinsic(_scan("ctlz"))


def _load(bits: int) -> Any:
    def typing(typing_context: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            return (
                builder.zext(builder.load(pointer, align=1), ir.IntType(64))
                if bits < 64
                else builder.load(pointer, align=1)
            )

        return types.uint64(types.int64), emit

    return typing


#: The byte at an address.
load8 = intrinsic(_load(8))
#: The 8 bytes from an address on, little-endian.
load64 = intrinsic(_load(64))


@njit(cache=True, inline="always")
def load_up_to(begin: Any, end: Any, limit: Any) -> Any:
    """Read the bytes from address `begin` to `end`, 8 at most, as one number; what lies past is 0.

    No byte from `limit` on is touched.
    """
    if begin + 8 <= limit:
        word = load64(begin)
    else:
        word = _U(0)
        for i in range(begin, min(end, limit)):
            word |= load8(i) << _U(8 * (i - begin))
    if end - begin < 8:
        word &= (_U(1) << _U(8 * (end - begin))) - _U(1)
    return word


@njit(cache=True, inline="always")
def fold_case(word: Any) -> Any:
    """Set the bit in which ASCII letters of the two cases differ, in each byte."""
    return word | _CASE


@njit(cache=True, inline="always")
def _at_least(seven: Any, byte: Any) -> Any:
    """Mark, in the high bit, the bytes of 7-bit values that are at least `byte`."""
    return (seven + _LOW_BITS * _U(128 - byte)) & _HIGH_BITS


@njit(cache=True, inline="always")
def separators(word: Any) -> Any:
    """Mark, in the high bit, the bytes that are no part of a word: not letter, digit, apostrophe or non-ASCII."""
    seven = word & _SEVEN_BITS
    folded = (word | _CASE) & _SEVEN_BITS
    letter = _at_least(folded, 97) & ~_at_least(folded, 123)
    digit = _at_least(seven, 48) & ~_at_least(seven, 58)
    apostrophe = _at_least(seven, 39) & ~_at_least(seven, 40)
    return ~(letter | digit | apostrophe | word) & _HIGH_BITS
