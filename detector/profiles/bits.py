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
#: Bytes that `word_mask` looks at together.
BLOCK = 64
_CASE = _U(0x2020202020202020)


def _scan(name: str) -> Any:
    def typing(typing_context: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(arguments[0], ir.Constant(ir.IntType(1), 0))

        return types.uint64(types.uint64), emit

    return typing


def _count(typing_context: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit


#: Bits that are set.
count_bits = intrinsic(_count)
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


def _prefetch(typing_context: Any, address: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        builder.call(fetch, [builder.inttoptr(arguments[0], pointer), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(types.int64), emit


#: Ask for the memory at an address, which need not be one of ours, before it is read.
prefetch = intrinsic(_prefetch)


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


def _word_mask(typing_context: Any, address: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), BLOCK)

        def each(value: int) -> Any:
            return ir.Constant(kind, [value] * BLOCK)

        x = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()), align=1)
        folded = builder.or_(x, each(0x20))
        letter = builder.icmp_unsigned("<", builder.sub(folded, each(ord("a"))), each(26))
        digit = builder.icmp_unsigned("<", builder.sub(x, each(ord("0"))), each(10))
        apostrophe = builder.icmp_unsigned("==", x, each(ord("'")))
        foreign = builder.icmp_signed("<", x, each(0))
        is_word = builder.or_(builder.or_(letter, digit), builder.or_(apostrophe, foreign))
        return builder.bitcast(is_word, ir.IntType(BLOCK))

    return types.uint64(types.int64), emit


#: Which of the 64 bytes from an address on belong to words: ASCII letters, digits, apostrophes, non-ASCII; bit i is
#: byte i.
word_mask = intrinsic(_word_mask)


def _range_mask(low: int, high: int) -> Any:
    def typing(typing_context: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.VectorType(ir.IntType(8), BLOCK)
            x = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()), align=1)
            above = builder.sub(x, ir.Constant(kind, [low] * BLOCK))
            is_inside = builder.icmp_unsigned("<=", above, ir.Constant(kind, [high - low] * BLOCK))
            return builder.bitcast(is_inside, ir.IntType(BLOCK))

        return types.uint64(types.int64), emit

    return intrinsic(typing)


#: Which of the 64 bytes from an address on are of a class; bit i is byte i.
upper_mask = _range_mask(ord("A"), ord("Z"))
lower_mask = _range_mask(ord("a"), ord("z"))
digit_mask = _range_mask(ord("0"), ord("9"))
feed_mask = _range_mask(ord("\n"), ord("\n"))
return_mask = _range_mask(ord("\r"), ord("\r"))
space_mask = _range_mask(ord(" "), ord(" "))
tab_mask = _range_mask(ord("\t"), ord("\t"))
foreign_mask = _range_mask(128, 255)
