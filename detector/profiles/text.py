"""What is asked: length, words, character classes, fingerprints, repetition, similarity and the mess that people make.

One pass over the UTF-8 bytes of a prompt. Words are runs of letters, digits and non-ASCII bytes, case folded in ASCII.
Only the first `HEAD_BYTES` of a prompt are read word by word, so that a giant prompt costs what a long one does;
length and the fingerprint of the whole cover all of it.

The sum s of n unit vectors gives their mean pairwise cosine similarity without the pairs: (|s|^2 - n) / (n (n - 1)).
Vectors are added in fixed point, so that the sum does not depend on the order.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.bits import BLOCK, fold_case, load8, load_up_to, trailing_zeros, word_mask
from detector.profiles.hashing import hash_bytes, mix64
from detector.profiles.sketches import add_to_sample, rank
from detector.profiles.slices import Field, Slice, counter, half_octave, sample, state_type

#: Chosen: half of real prompts end before it, and openings, style and vocabulary show in it.
HEAD_BYTES = 1024
#: Dimensions of the hashed word vector. Feature hashing: Weinberger et al., ICML 2009.
DIMENSIONS = 128
#: One in fixed point.
UNIT = 2**20
VOCABULARY_BITS = 9
LENGTH_PLACES = 36
#: Buckets that openings and closings are counted in.
BUCKETS = 64
#: Words that make an opening; three is where published generator templates agree and questions of people do not.
OPENING_WORDS = 3
CLOSING_BYTES = 24
#: Shorter words are mostly grammar, and would make everything alike.
LEAST_TOPIC_BYTES = 4
#: Counted in a prompt's head; lower case and spaces are what is left.
CLASSES = ("upper", "digit", "newline", "punctuation", "other")
#: Bits that a class takes in a packed count; a head of 1024 bytes fits.
_CLASS_BITS = 12
_U = np.uint64


def _packed_classes() -> Any:
    """Give, for each byte, a 1 in the bits of its class."""
    table = np.full(256, 1 << (3 * _CLASS_BITS), np.uint64)
    table[ord("a") : ord("z") + 1] = 0
    table[[ord(" "), ord("\t")]] = 0
    table[ord("A") : ord("Z") + 1] = 1
    table[ord("0") : ord("9") + 1] = 1 << _CLASS_BITS
    table[[ord("\n"), ord("\r")]] = 1 << (2 * _CLASS_BITS)
    table[128:] = 1 << (4 * _CLASS_BITS)
    return table


_PACKED = _packed_classes()
_IS_PUNCTUATION = (_PACKED == 1 << (3 * _CLASS_BITS)) & (np.arange(256) > 32)
_CLASS_MASK = _U((1 << _CLASS_BITS) - 1)


def _as_word(text: str) -> np.uint64:
    """Give a short lower-case word as `fold_case(load_up_to(...))` reads it."""
    return np.uint64(int.from_bytes(text.encode().ljust(8, b"\0"), "little") | 0x2020202020202020)


_I, _IM, _IVE, _MY, _ME = (_as_word(w) for w in ("i", "i'm", "i've", "my", "me"))
_PLEASE = _as_word("please")


def _prepare(batch: Batch) -> Sequence[Any]:
    prompt, system = batch.strings("prompt"), batch.strings("system_prompt")
    return prompt.offsets, prompt.data, prompt.valid, system.offsets, system.data, system.valid


@njit(cache=True, inline="always")
def _word_hash(begin: Any, end: Any, limit: Any, first: Any) -> Any:
    """Hash a word without regard to ASCII case; `first` is its first 8 bytes, folded."""
    word = mix64(first)
    i = begin + 8
    while i < end:
        word = mix64(word ^ fold_case(load_up_to(i, end, limit)))
        i += 8
    return word


@njit(cache=True)
def _block_mask(begin: Any, end: Any, limit: Any, spare: Any) -> Any:
    """Mark the bytes of words in the 64 bytes from `begin`, none from `end` on; `spare` is room for 64 bytes."""
    if begin >= end:
        return _U(0)
    if begin + BLOCK <= limit:
        mask = word_mask(begin)
    else:
        spare[:] = 0
        for i in range(begin, end):
            spare[i - begin] = load8(i)
        mask = word_mask(np.int64(spare.ctypes.data))
    if end - begin < BLOCK:
        mask &= (_U(1) << _U(end - begin)) - _U(1)
    return mask


@njit(cache=True)
def _read_words(begin: Any, end: Any, limit: Any, vocabulary: Any, vector: Any, spare: Any) -> Any:
    """Walk the words of a prompt's head; gives opening fingerprint, words, first persons and pleases."""
    opening = carry = _U(0)
    n_words = n_first_person = n_please = 0
    word_begin = begin
    for block in range(begin, end + 1, BLOCK):
        mask = _block_mask(block, end, limit, spare)
        before = (mask << _U(1)) | carry
        starts, stops = mask & ~before, before & ~mask
        while stops:
            if not carry:
                word_begin = block + np.int64(trailing_zeros(starts))
                starts &= starts - _U(1)
            carry = _U(0)
            stop = block + np.int64(trailing_zeros(stops))
            stops &= stops - _U(1)
            first = fold_case(load_up_to(word_begin, stop, limit))
            word = _word_hash(word_begin, stop, limit, first)
            if n_words < OPENING_WORDS:
                opening = mix64(opening ^ word)
            n_words += 1
            length = stop - word_begin
            if length <= 4:
                n_first_person += (first == _I) | (first == _IM) | (first == _IVE) | (first == _MY) | (first == _ME)
            n_please += first == _PLEASE
            register = word >> _U(64 - VOCABULARY_BITS)
            vocabulary[register] = max(vocabulary[register], rank(word, VOCABULARY_BITS))
            if length >= LEAST_TOPIC_BYTES:
                vector[word & _U(DIMENSIONS - 1)] += 1 if (word >> _U(20)) & _U(1) else -1
        if starts:
            word_begin = block + np.int64(trailing_zeros(starts))
        carry = mask >> _U(BLOCK - 1)
    return opening, n_words, n_first_person, n_please


@njit(cache=True)
def _count_classes(begin: Any, end: Any) -> Any:
    packed = _U(0)
    for i in range(begin, end):
        packed += _PACKED[load8(i)]
    return packed


@njit(cache=True)
def _add_unit_vector(total: Any, vector: Any) -> Any:
    """Add a vector at unit length and clear it; gives 1, or 0 where there was none."""
    square = 0
    for d in range(DIMENSIONS):
        square += vector[d] * vector[d]
    if square == 0:
        return 0
    scale = UNIT / np.sqrt(square)
    for d in range(DIMENSIONS):
        total[d] += np.int64(np.rint(vector[d] * scale))
        vector[d] = 0
    return 1


@njit(cache=True)
def _fold_prompt(state: Any, a: Any, begin: Any, end: Any, limit: Any, vector: Any, spare: Any) -> None:
    n_bytes = end - begin
    state.n_prompts[a] += 1
    state.n_bytes[a] += n_bytes
    state.lengths[a, half_octave(n_bytes, LENGTH_PLACES)] += 1
    add_to_sample(state.prompt_hash[a], state.prompt_count[a], hash_bytes(begin, end, limit), 1)
    if n_bytes == 0:
        return
    head = min(end, begin + HEAD_BYTES)
    packed = _count_classes(begin, head)
    for c in range(len(CLASSES)):
        state.classes[a, c] += np.int64((packed >> _U(c * _CLASS_BITS)) & _CLASS_MASK)
    opening, n_words, n_first_person, n_please = _read_words(begin, head, limit, state.vocabulary[a], vector, spare)
    state.n_head_bytes[a] += head - begin
    state.n_words[a] += n_words
    state.n_first_person[a] += n_first_person > 0
    state.n_please[a] += n_please > 0
    state.n_lower_start[a] += 97 <= load8(begin) <= 122
    state.n_open_end[a] += not _IS_PUNCTUATION[load8(end - 1)]
    state.n_multiline[a] += ((packed >> _U(2 * _CLASS_BITS)) & _CLASS_MASK) > 0
    state.openings[a, opening & _U(BUCKETS - 1)] += 1
    closing = hash_bytes(max(begin, end - CLOSING_BYTES), end, limit)
    state.closings[a, closing & _U(BUCKETS - 1)] += 1
    add_to_sample(state.template_hash[a], state.template_count[a], opening, 1)
    state.n_vectors[a] += _add_unit_vector(state.vector[a], vector)


@njit(cache=True, nogil=True)
def _fold(
    state: Any,
    account: Any,
    rows: Any,
    offsets: Any,
    data: Any,
    valid: Any,
    system_offsets: Any,
    system_data: Any,
    system_valid: Any,
) -> None:
    vector = np.zeros(DIMENSIONS, np.int32)
    spare = np.zeros(BLOCK, np.uint8)
    base = np.int64(data.ctypes.data)
    limit = base + len(data)
    system_base = np.int64(system_data.ctypes.data)
    for i in rows:
        a = account[i]
        if valid[i]:
            _fold_prompt(state, a, base + offsets[i], base + offsets[i + 1], limit, vector, spare)
        if system_valid[i]:
            state.n_with_system[a] += 1
            begin, end = system_base + system_offsets[i], system_base + system_offsets[i + 1]
            fingerprint = hash_bytes(begin, end, system_base + len(system_data))
            add_to_sample(state.system_hash[a], state.system_count[a], fingerprint, 1)


_FIELDS = (
    counter("n_prompts"),
    counter("n_vectors"),
    counter("n_with_system"),
    counter("n_bytes"),
    counter("n_head_bytes"),
    counter("n_words"),
    counter("n_first_person"),
    counter("n_please"),
    counter("n_lower_start"),
    counter("n_open_end"),
    counter("n_multiline"),
    Field("classes", np.int64, len(CLASSES)),
    counter("lengths", LENGTH_PLACES),
    counter("openings", BUCKETS),
    counter("closings", BUCKETS),
    Field("vector", np.int64, DIMENSIONS),
    Field("vocabulary", np.uint8, 2**VOCABULARY_BITS, merge="max"),
    *sample("prompt", 64),
    *sample("template", 16),
    *sample("system", 8),
)
TextState = state_type("TextState", __name__, _FIELDS)
SLICE = Slice(
    name="text",
    fields=_FIELDS,
    state_type=TextState,
    needs=("prompt", "system_prompt"),
    prepare=_prepare,
    kernel=_fold,
)
