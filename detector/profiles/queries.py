"""A few distinct prompts of an account, each as a sketch, so that distances between its prompts can be told.

Kept only when a detector asks for it. The sample is bottom-k by the hash of the whole prompt: any part of it, taken in
order of hash, is a random part of the distinct prompts, and merging keeps it one.
A sketch is a SimHash of `BITS` bits: every topic word in the first and the last kilobyte of a prompt votes for or
against each bit, since programs put their instructions first and what differs last. Two sketches differ in about (angle
between the bags of words) / pi of their bits. Nothing in it gives a word back.

References
----------
Charikar, "Similarity estimation techniques from rounding algorithms" (STOC 2002): sign of a random projection.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.bits import load8
from detector.profiles.hashing import hash_bytes, mix64
from detector.profiles.sketches import FREE
from detector.profiles.slices import Array, Field, Slice, state_type
from detector.profiles.text import HEAD_BYTES, LEAST_TOPIC_BYTES

#: Prompts kept of an account. Chosen: 1.5 kB an account, twice what a statistic over them needs.
KEPT = 64
#: Bits of a sketch: the standard deviation of an angle is at most 8 degrees. Chosen.
BITS = 128
_HALF = 64
_U = np.uint64
#: FNV-1a, 64 bits: Fowler, Noll, Vo (1991).
_BASIS, _PRIME = _U(0xCBF29CE484222325), _U(0x100000001B3)
#: Sets the second half of a word's votes apart from the first. Chosen.
_OTHER = _U(0x9E3779B97F4A7C15)


def _folded() -> Array:
    """Give each byte of a word without ASCII case, 0 for a byte between words; shape (256,)."""
    letters = np.arange(256)
    is_upper = (letters >= ord("A")) & (letters <= ord("Z"))
    lower = letters + 32 * is_upper
    is_word = (letters >= 128) | np.isin(lower, np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789'", np.uint8))
    return np.where(is_word, lower, 0).astype(np.uint64)


_LETTERS = _folded()


def _prepare(batch: Batch) -> Sequence[Any]:
    prompt = batch.strings("prompt")
    return prompt.offsets, prompt.data, prompt.valid


@njit(cache=True)
def _vote(votes: Any, word: Any) -> None:
    first, second = mix64(word), mix64(word ^ _OTHER)
    for bit in range(_HALF):
        votes[bit] += np.int32((first >> _U(bit)) & _U(1)) * np.int32(2) - np.int32(1)
        votes[bit + _HALF] += np.int32((second >> _U(bit)) & _U(1)) * np.int32(2) - np.int32(1)


@njit(cache=True)
def _count_votes(begin: Any, end: Any, votes: Any) -> Any:
    """Let the topic words from address `begin` to `end` vote; gives how many there are."""
    n_words, n_bytes, word = 0, 0, _BASIS
    for i in range(begin, end + 1):
        letter = _LETTERS[load8(i)] if i < end else _U(0)
        if letter:
            word = (word ^ letter) * _PRIME
            n_bytes += 1
            continue
        if n_bytes >= LEAST_TOPIC_BYTES:
            _vote(votes, word)
            n_words += 1
        n_bytes, word = 0, _BASIS
    return n_words


@njit(cache=True)
def _read_ends(begin: Any, end: Any, votes: Any) -> Any:
    """Let the words at both ends of a prompt vote, none twice; gives how many there are."""
    votes[:] = 0
    head = min(end, begin + HEAD_BYTES)
    return _count_votes(begin, head, votes) + _count_votes(max(head, end - HEAD_BYTES), end, votes)


@njit(cache=True, inline="always")
def _signs(votes: Any, start: Any, ties: Any) -> Any:
    """Pack the signs of 64 votes; a tie falls as the bits of `ties` do, so that short prompts do not look alike."""
    bits = _U(0)
    for bit in range(_HALF):
        vote = votes[start + bit]
        if vote > 0 or (vote == 0 and (ties >> _U(bit)) & _U(1)):
            bits |= _U(1) << _U(bit)
    return bits


@njit(cache=True)
def _place(kept: Any, fingerprint: Any) -> Any:
    """Give where a fingerprint goes in an ascending sample; -1 when it does not, or is there."""
    if fingerprint >= kept[KEPT - 1]:
        return -1
    place = np.searchsorted(kept, fingerprint)
    return -1 if kept[place] == fingerprint else place


@njit(cache=True)
def _insert(kept: Any, low: Any, high: Any, place: Any, fingerprint: Any, first: Any, second: Any) -> None:
    for j in range(KEPT - 1, place, -1):
        kept[j], low[j], high[j] = kept[j - 1], low[j - 1], high[j - 1]
    kept[place], low[place], high[place] = fingerprint, first, second


@njit(cache=True, nogil=True)
def _fold(state: Any, account: Any, rows: Any, offsets: Any, data: Any, valid: Any) -> None:
    prompt_hash, low, high = state
    votes = np.zeros(BITS, np.int32)
    base = np.int64(data.ctypes.data)
    limit = base + len(data)
    for i in rows:
        if not valid[i]:
            continue
        a, begin, end = account[i], base + offsets[i], base + offsets[i + 1]
        fingerprint = hash_bytes(begin, end, limit)
        place = _place(prompt_hash[a], fingerprint)
        if place < 0 or not _read_ends(begin, end, votes):
            continue
        ties = mix64(fingerprint)
        first, second = _signs(votes, 0, ties), _signs(votes, _HALF, mix64(ties))
        _insert(prompt_hash[a], low[a], high[a], place, fingerprint, first, second)


@njit(cache=True)
def _stitch(state: Any, starts: Any, out: Any) -> None:
    for g in range(len(starts) - 1):
        for p in range(starts[g], starts[g + 1]):
            for j in range(KEPT):
                fingerprint = state.prompt_hash[p, j]
                place = _place(out.prompt_hash[g], fingerprint)
                if place >= 0:
                    first, second = state.low[p, j], state.high[p, j]
                    _insert(out.prompt_hash[g], out.low[g], out.high[g], place, fingerprint, first, second)


def stitch(state: Any, starts: Array, out: Any, is_same_actor: bool) -> None:
    """Keep the smallest hashes of all pieces, each with its sketch."""
    _stitch(state, starts, out)


_FIELDS = (
    Field("prompt_hash", np.uint64, KEPT, "own", FREE),
    Field("low", np.uint64, KEPT, "own"),
    Field("high", np.uint64, KEPT, "own"),
)
QueriesState = state_type("QueriesState", __name__, _FIELDS)
SLICE = Slice(
    name="queries",
    fields=_FIELDS,
    state_type=QueriesState,
    needs=("prompt",),
    prepare=_prepare,
    kernel=_fold,
    stitch=stitch,
    is_optional=True,
)
