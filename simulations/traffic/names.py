"""Ids and addresses as text, filled into Arrow buffers by compiled kernels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from simulations.streams import Counts, Keys, Streams
from simulations.traffic.identity import Addresses

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def id_texts(prefix: str, numbers: Keys, *, digits: int) -> pa.Array:
    """Write ids as a prefix and hexadecimal digits; 0 becomes null."""
    start = np.frombuffer(prefix.encode(), dtype=np.uint8)
    letters = np.empty(len(numbers) * (len(start) + digits), dtype=np.uint8)
    ends = np.zeros(len(numbers) + 1, dtype=np.int32)
    _write_ids(start, numbers, digits, letters, ends)
    return _strings(letters, ends, None if (numbers != 0).all() else numbers != 0)


def ip_texts(addresses: Addresses) -> pa.Array:
    """Write IPv4 addresses in dotted form."""
    letters, ends = np.empty(len(addresses) * 15, dtype=np.uint8), np.zeros(len(addresses) + 1, dtype=np.int32)
    _write_addresses(addresses, letters, ends)
    return _strings(letters, ends, None)


def account_ids(keys: Keys, seed: int) -> pa.Array:
    """Name the accounts: the name says nothing of the cohort."""
    return id_texts("acct_", id_numbers(keys, np.zeros(len(keys), dtype=np.int64), seed, "account id"), digits=14)


def id_numbers(keys: Keys, index: Counts, seed: int, purpose: str) -> Keys:
    """Draw the numbers of ids; none is 0."""
    numbers: Keys = Streams(seed).bits(keys, purpose, index) | np.uint64(1 << 40)
    return numbers


def _strings(letters: npt.NDArray[np.uint8], ends: npt.NDArray[np.int32], known: Any) -> pa.Array:
    valid = None if known is None else pa.array(known).buffers()[1]
    return pa.Array.from_buffers(
        pa.string(), len(ends) - 1, [valid, pa.py_buffer(ends), pa.py_buffer(letters[: ends[-1]])]
    )


@njit(cache=True, nogil=True)
def _write_ids(start: Any, numbers: Any, digits: Any, letters: Any, ends: Any) -> None:
    at = 0
    for row in range(len(numbers)):
        number = numbers[row]
        if number != 0:
            for i in range(len(start)):
                letters[at + i] = start[i]
            at += len(start)
            for i in range(digits):
                letters[at + i] = _HEX[(number >> np.uint64(4 * i)) & np.uint64(15)]
            at += digits
        ends[row + 1] = at


@njit(cache=True, nogil=True)
def _write_addresses(addresses: Any, letters: Any, ends: Any) -> None:
    at = 0
    for row in range(len(addresses)):
        for shift in (24, 16, 8, 0):
            octet = np.int64(addresses[row] >> np.uint32(shift)) & 255
            if octet >= 100:
                letters[at] = 48 + octet // 100
                at += 1
            if octet >= 10:
                letters[at] = 48 + octet // 10 % 10
                at += 1
            letters[at] = 48 + octet % 10
            at += 1
            if shift:
                letters[at] = 46
                at += 1
        ends[row + 1] = at
