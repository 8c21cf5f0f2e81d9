"""What is asked: length, words, character classes, fingerprints, repetition, similarity and the mess that people make.

One pass over the UTF-8 bytes of a prompt. Words are runs of letters, digits and non-ASCII bytes, case folded in ASCII.
Only the first `HEAD_BYTES` of a prompt are read word by word, so that a giant prompt costs what a long one does;
length and the fingerprint of the whole cover all of it.

The sum s of n unit vectors gives their mean pairwise cosine similarity without the pairs: (|s|^2 - n) / (n (n - 1)).
Vectors are added in fixed point, so that the sum does not depend on the order.
"""

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.bits import (
    BLOCK,
    count_bits,
    digit_mask,
    feed_mask,
    fold_case,
    foreign_mask,
    load8,
    load_up_to,
    lower_mask,
    prefetch,
    return_mask,
    space_mask,
    tab_mask,
    trailing_zeros,
    upper_mask,
    word_mask,
)
from detector.profiles.hashing import hash_bytes, mix64
from detector.profiles.kinds import FIELDS as KIND_FIELDS
from detector.profiles.kinds import answer_ratio, is_answered, kind_of, octaves
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
_U = np.uint64
_BYTES = np.arange(256)
_IS_PUNCTUATION = (
    (ord(" ") < _BYTES)
    & (_BYTES < 128)
    & ~np.isin(_BYTES, np.frombuffer((string.ascii_letters + string.digits).encode(), np.uint8))
)


def _as_word(text: str) -> np.uint64:
    """Give a short lower-case word as `fold_case(load_up_to(...))` reads it."""
    return np.uint64(int.from_bytes(text.encode().ljust(8, b"\0"), "little") | 0x2020202020202020)


_I, _IM, _IVE, _MY, _ME = (_as_word(w) for w in ("i", "i'm", "i've", "my", "me"))
_PLEASE = _as_word("please")


def _prepare(batch: Batch) -> Sequence[Any]:
    prompt, system = batch.strings("prompt"), batch.strings("system_prompt")
    answered = batch.integers("output_tokens")
    return prompt.offsets, prompt.data, prompt.valid, system.offsets, system.data, system.valid, answered


@njit(cache=True, inline="always")
def _word_hash(begin: Any, end: Any, limit: Any, first: Any) -> Any:
    """Hash a word without regard to ASCII case; `first` is its first 8 bytes, folded."""
    word = mix64(first)
    i = begin + 8
    while i < end:
        word = mix64(word ^ fold_case(load_up_to(i, end, limit)))
        i += 8
    return word


@njit(cache=True, inline="always")
def _block(begin: Any, end: Any, limit: Any, spare: Any) -> Any:
    """Give an address from which 64 bytes may be read that begin as those from `begin` to `end` do."""
    if begin + BLOCK <= limit:
        return begin
    spare[:] = 0
    for i in range(begin, min(end, begin + BLOCK)):
        spare[i - begin] = load8(i)
    return np.int64(spare.ctypes.data)


@njit(cache=True, inline="always")
def _inside(begin: Any, end: Any) -> Any:
    """Mark those of 64 bytes from `begin` that lie before `end`."""
    return (_U(1) << _U(end - begin)) - _U(1) if end - begin < BLOCK else ~_U(0)


@njit(cache=True)
def _block_mask(begin: Any, end: Any, limit: Any, spare: Any) -> Any:
    """Mark the bytes of words in the 64 bytes from `begin`, none from `end` on; `spare` is room for 64 bytes."""
    if begin >= end:
        return _U(0)
    return word_mask(_block(begin, end, limit, spare)) & _inside(begin, end)


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
            n_first_person += (first == _I) | (first == _IM) | (first == _IVE) | (first == _MY) | (first == _ME)
            n_please += first == _PLEASE
            register = word >> _U(64 - VOCABULARY_BITS)
            vocabulary[register] = max(vocabulary[register], rank(word, VOCABULARY_BITS))
            is_topic = np.int32(stop - word_begin >= LEAST_TOPIC_BYTES)
            vector[word & _U(DIMENSIONS - 1)] += is_topic * (np.int32((word >> _U(19)) & _U(2)) - np.int32(1))
        if starts:
            word_begin = block + np.int64(trailing_zeros(starts))
        carry = mask >> _U(BLOCK - 1)
    return opening, n_words, n_first_person, n_please


@njit(cache=True)
def _count_classes(begin: Any, end: Any, limit: Any, spare: Any, classes: Any) -> Any:
    """Add the bytes of each class to an account's counts; gives the line ends."""
    n_upper = n_digits = n_ends = n_foreign = n_plain = 0
    for at in range(begin, end, BLOCK):
        block, inside = _block(at, end, limit, spare), _inside(at, end)
        n_upper += count_bits(upper_mask(block) & inside)
        n_digits += count_bits(digit_mask(block) & inside)
        n_ends += count_bits((feed_mask(block) | return_mask(block)) & inside)
        n_foreign += count_bits(foreign_mask(block) & inside)
        n_plain += count_bits((lower_mask(block) | space_mask(block) | tab_mask(block)) & inside)
    classes[0] += np.int64(n_upper)
    classes[1] += np.int64(n_digits)
    classes[2] += np.int64(n_ends)
    classes[3] += end - begin - np.int64(n_upper + n_digits + n_ends + n_foreign + n_plain)
    classes[4] += np.int64(n_foreign)
    return n_ends


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


@njit(cache=True, inline="always")
def _fetch(begin: Any, end: Any) -> None:
    """Ask for the beginning and the end of a prompt; the processor guesses what lies between."""
    prefetch(begin)
    prefetch(min(begin + 64, end))
    prefetch(min(begin + 128, end))
    prefetch(end - 1)


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
    answered: Any,
) -> None:
    # Taken apart once: each access through the tuple would count references, for every prompt.
    (n_prompts, n_vectors, n_with_system, n_bytes, n_head_bytes, n_words, n_first_person, n_please) = state[:8]
    (n_lower_start, n_open_end, n_multiline, classes, lengths, openings, closings, total, vocabulary) = state[8:17]
    (prompt_hash, prompt_count, template_hash, template_count, system_hash, system_count) = state[17:23]
    (kind_prompts, kind_octaves, kind_multiline, kind_open_end, kind_answered, kind_ratio) = state[23:]
    vector = np.zeros(DIMENSIONS, np.int32)
    spare = np.zeros(BLOCK, np.uint8)
    base = np.int64(data.ctypes.data)
    limit = base + len(data)
    system_base = np.int64(system_data.ctypes.data)
    for r in range(len(rows)):
        i = rows[r]
        a = account[i]
        if r + 1 < len(rows):
            _fetch(base + offsets[rows[r + 1]], base + offsets[rows[r + 1] + 1])
        if system_valid[i]:
            n_with_system[a] += 1
            begin, end = system_base + system_offsets[i], system_base + system_offsets[i + 1]
            fingerprint = hash_bytes(begin, end, system_base + len(system_data))
            add_to_sample(system_hash[a], system_count[a], fingerprint, 1)
        if not valid[i]:
            continue
        begin, end = base + offsets[i], base + offsets[i + 1]
        n_prompts[a] += 1
        n_bytes[a] += end - begin
        lengths[a, half_octave(end - begin, LENGTH_PLACES)] += 1
        add_to_sample(prompt_hash[a], prompt_count[a], hash_bytes(begin, end, limit), 1)
        if begin == end:
            continue
        head = min(end, begin + HEAD_BYTES)
        opening, words, first_persons, pleases = _read_words(begin, head, limit, vocabulary[a], vector, spare)
        n_head_bytes[a] += head - begin
        n_words[a] += words
        n_first_person[a] += first_persons > 0
        n_please[a] += pleases > 0
        begins_lower = 97 <= load8(begin) <= 122
        n_lower_start[a] += begins_lower
        is_open = not _IS_PUNCTUATION[load8(end - 1)]
        n_open_end[a] += is_open
        is_multiline = _count_classes(begin, head, limit, spare, classes[a]) > 0
        n_multiline[a] += is_multiline
        kind = kind_of(begins_lower, first_persons, pleases)
        kind_prompts[a, kind] += 1
        kind_octaves[a, kind] += octaves(end - begin)
        kind_multiline[a, kind] += is_multiline
        kind_open_end[a, kind] += is_open
        if is_answered(answered[i]):
            kind_answered[a, kind] += 1
            kind_ratio[a, kind] += octaves(answer_ratio(answered[i], end - begin))
        openings[a, opening & _U(BUCKETS - 1)] += 1
        closings[a, hash_bytes(max(begin, end - CLOSING_BYTES), end, limit) & _U(BUCKETS - 1)] += 1
        add_to_sample(template_hash[a], template_count[a], opening, 1)
        n_vectors[a] += _add_unit_vector(total[a], vector)


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
    *KIND_FIELDS,
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
