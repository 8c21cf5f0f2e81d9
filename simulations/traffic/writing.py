"""Writing many texts at once: a compiled kernel walks the grammar for each row and fills Arrow buffers.

A text depends on the row's owner, item and rule only. Measuring is writing without letters: the same draws, so that a
log without text has the lengths of the log with text.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from simulations.draws import GOLDEN, below, mix64, normal, unit
from simulations.streams import Counts, Keys, key_of
from simulations.traffic import grammar
from simulations.traffic.grammar import Grammar

#: Longest text [bytes]; a longer one ends there. Chosen above everything the rules give.
LONGEST = 65_536
#: Rules within rules within rules.
DEPTH = 12
#: Domains that one person talks about. Chosen: gives a person's texts a common vocabulary, as real chats have.
DOMAINS_OF_A_PERSON = 3
#: Power that makes even draws a person's share of requests in lower case: .3 on average (chats: 35 to 44 %, all
#: normal corpora: 12 %), few people always, some never.
LOWER_POWER = 2.2
#: Mean share of misspelt words over people, and the largest. Chosen.
TYPO_MEAN, TYPO_MOST = 0.03, 0.3
#: Most repeats of a skewed repeat.
MOST_REPEATS = 60.0
#: Guess of a text's length for the first buffer [bytes].
GUESS = 320

_U = np.uint64
_PERSON, _LOWER, _TYPOS, _DOMAIN = (
    np.uint64(key_of("writing", purpose)) for purpose in ("person", "lower", "typos", "domain")
)
_LOWER_HALF, _TYPO_BITS = np.uint64(0xFFFFFFFF), np.uint64(0xFFFF)
_PICK, _STEP, _OWN, _IN_TURN, _NUMBER, _RULE, _REPEAT_EVEN = (
    grammar.PICK, grammar.STEP, grammar.OWN, grammar.IN_TURN, grammar.NUMBER, grammar.RULE, grammar.REPEAT_EVEN,
)  # fmt: skip
_FIRST, _N, _TYPO, _SECOND, _SETTLED, _CAPITAL, _BEFORE, _BEFORE_SIZE, _BEFORE_INNER = (
    grammar.FIRST, grammar.N, grammar.TYPO, grammar.SECOND, grammar.SETTLED, grammar.CAPITAL, grammar.BEFORE,
    grammar.BEFORE_SIZE, grammar.BEFORE_INNER,
)  # fmt: skip
_STRIDE, _MILLI, _HALF = grammar.STRIDE, grammar.MILLI, grammar.HALF
_CASE = np.uint8(32)


@dataclass(frozen=True)
class Texts:
    """Some texts, or only how long they are."""

    n_chars: Counts
    written: pa.Array | None
    """Null where a row has no rule; None as a whole where only lengths were asked for."""


def write(
    rules: Counts,
    owners: Keys,
    items: Counts,
    messy: npt.NDArray[np.bool_],
    *,
    seed: int,
    using: Grammar,
    is_text: bool,
) -> Texts:
    """Write one text per row.

    Parameters
    ----------
    rules: number of the rule of each row; below 0 is no text.
    owners: key of whoever's text it is; settled slots are drawn by it alone.
    items: number of the text; equal owners, items and rules give equal texts.
    messy: whether the text is a person's: typos, lower case.
    is_text: whether letters are wanted, or only lengths.
    """
    n = len(rules)
    ends, n_chars = np.zeros(n + 1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    letters = np.empty(max(n * GUESS, 2 * LONGEST) if is_text else 0, dtype=np.uint8)
    base, done = np.uint64(key_of("text", seed)), 0
    while True:
        done = _write(*using.tables, rules, owners, items, messy, base, is_text, letters, ends, n_chars, done)
        if done == n:
            break
        letters = np.concatenate([letters, np.empty(len(letters), dtype=np.uint8)])
    if not is_text:
        return Texts(n_chars, None)
    missing = pa.array(rules >= 0)
    valid = None if not (rules < 0).any() else missing.buffers()[1]
    offsets = pa.py_buffer(ends.astype(np.int32))
    return Texts(n_chars, pa.Array.from_buffers(pa.string(), n, [valid, offsets, pa.py_buffer(letters[: ends[n]])]))


@njit(cache=True, inline="always")
def _put_number(number: Any, letters: Any, at: Any, is_text: Any) -> Any:
    n_digits, rest = 1, number // 10
    while rest:
        n_digits, rest = n_digits + 1, rest // 10
    if is_text:
        for i in range(n_digits):
            letters[at + n_digits - 1 - i] = np.uint8(48 + number % 10)
            number //= 10
    return at + n_digits


@njit(cache=True, nogil=True)
def _copy(source: Any, begin: Any, letters: Any, at: Any, size: Any) -> None:
    """Copy bytes; unsigned places spare the check for places counted from the end."""
    for i in range(size):
        letters[at + i] = source[begin + i]


@njit(cache=True, inline="always")
def _bits(owner: Any, base: Any, index: Any) -> Any:
    """Draw 64 bits for one word of a text: place in the list from the upper half, misspelling from the lower."""
    return mix64((owner ^ base) + (_U(index) + _U(1)) * GOLDEN)


@njit(cache=True, inline="always")
def _scaled(bits: Any, bound: Any) -> Any:
    """Give an integer from 0 to the bound, excluded, by the upper 32 bits (Lemire 2019, without rejection)."""
    return np.int64(((bits >> _U(32)) * _U(bound)) >> _U(32))


@njit(cache=True, inline="always")
def _alternative(rule_first: Any, rule_n: Any, urns: Any, rule_base: Any, rule: Any, owner: Any, base: Any,
                 index: Any) -> Any:  # fmt: skip
    """Choose one of a rule's alternatives."""
    first, n = rule_first[rule], rule_n[rule]
    if n == 1:
        return first
    bits = _bits(owner, base ^ rule_base[rule], index)
    urn = _scaled(bits, n)
    return first + (urn if (bits & _LOWER_HALF) < urns[first + urn, 0] else np.int64(urns[first + urn, 1]))


@njit(cache=True, inline="always")
def _position(code: Any, step: Any, n: Any, bits: Any, item: Any, domains: Any, domain_size: Any) -> Any:
    """Choose a place in a list."""
    if code == _PICK:
        return _scaled(bits, n)
    if code == _STEP:
        return (_scaled(bits, n) + step * _STRIDE) % n
    if code == _OWN:
        favourite = ((bits & _LOWER_HALF) * _U(DOMAINS_OF_A_PERSON)) >> _U(32)
        return domains[favourite] * domain_size + _scaled(bits, domain_size)
    return item % n


@njit(cache=True, inline="always")
def _repeats(code: Any, low: Any, high: Any, owner: Any, base: Any, index: Any) -> Any:
    if code == _REPEAT_EVEN:
        return low + below(owner, base, index, high - low + 1)
    many = low / _MILLI * np.exp(high / _MILLI * normal(owner, base, index))
    return np.int64(min(max(many, 1.0), MOST_REPEATS))


@njit(cache=True, nogil=True)
def _write(source: Any, words: Any, rule_first: Any, rule_n: Any, urns: Any, alternative_begins: Any,  # noqa: PLR0912
           ops: Any, op_base: Any, rule_base: Any, n_domains: Any, domain_size: Any, rules: Any, owners: Any,
           items: Any, messy: Any, base: Any, is_text: Any, letters: Any, ends: Any, n_chars: Any,
           done: Any) -> Any:  # fmt: skip
    """Write rows from `done` on until the buffer may not hold the next; gives the rows done.

    One function, because tables handed from function to function would cost more than the writing.
    """
    frames, paths = np.empty((DEPTH, 5), np.int64), np.empty(DEPTH, np.uint64)
    domains, whose = np.zeros(DOMAINS_OF_A_PERSON, np.int64), _U(0)
    for row in range(done, len(rules)):
        begin = ends[row]
        ends[row + 1] = begin
        if rules[row] < 0:
            continue
        if is_text and begin + LONGEST > len(letters):
            return row
        owner, item, typos, is_lower = owners[row], items[row], _U(0), False
        if owner != whose or row == done:
            whose = owner
            for favourite in range(DOMAINS_OF_A_PERSON):
                domains[favourite] = below(owner, _DOMAIN, favourite, n_domains)
        if messy[row]:
            typos = _U(min(-np.log(unit(owner, _TYPOS, 0)) * TYPO_MEAN, TYPO_MOST) * 65536.0)
            is_lower = is_text and unit(owner, _LOWER, item) < unit(owner, _PERSON, 0) ** LOWER_POWER
        at, stop, inner, depth, index, path = begin, begin + LONGEST - 64, 0, 0, item, base
        remaining, rule = np.int64(0), rules[row]
        chosen = _alternative(rule_first, rule_n, urns, rule_base, rule, owner, path, index)
        pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
        while True:
            if pos == end or at >= stop:
                if at < stop and remaining > 0:
                    remaining -= 1
                    path = mix64(path)
                    chosen = _alternative(rule_first, rule_n, urns, rule_base, rule, owner, path, index)
                    pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
                    continue
                if depth == 0:
                    break
                depth -= 1
                pos, end, index = frames[depth, 0], frames[depth, 1], frames[depth, 2]
                remaining, rule, path = frames[depth, 3], frames[depth, 4], paths[depth]
                continue
            op, draw = pos, path ^ op_base[pos]
            pos += 1
            size = min(ops[op, _BEFORE_SIZE], stop + 64 - at)
            inner += ops[op, _BEFORE_INNER]
            if is_text:
                _copy(source, _U(ops[op, _BEFORE]), letters, _U(at), _U(size))
            at += size
            code, first, settled = ops[op, 0], ops[op, _FIRST], ops[op, _SETTLED]
            place = np.int64(0) if settled == 1 else index
            if code <= _IN_TURN:
                bits = _bits(owner, draw, place)
                chosen = first + _position(code, ops[op, _SECOND], ops[op, _N], bits, item, domains, domain_size)
                if (bits & _TYPO_BITS) < typos:
                    chosen += ops[op, _TYPO]
                size = min(words[chosen, 1], stop + 64 - at)
                inner += words[chosen, 2]
                if is_text:
                    _copy(source, _U(words[chosen, 0]), letters, _U(at), _U(size))
                    if ops[op, _CAPITAL] and size and 97 <= letters[at] <= 122:
                        letters[at] -= _CASE
                at += size
            elif code >= _RULE:
                frames[depth, 0], frames[depth, 1], frames[depth, 2] = pos, end, index
                frames[depth, 3], frames[depth, 4], paths[depth] = remaining, rule, path
                depth += 1
                remaining = np.int64(0)
                if code == _RULE:
                    index = place
                else:
                    second = ops[op, _SECOND]
                    remaining = _repeats(code, second // _HALF, second % _HALF, owner, draw, index) - 1
                rule, path, kept = first, draw, np.int64(0) if settled == 2 else index
                chosen = _alternative(rule_first, rule_n, urns, rule_base, rule, owner, path, kept)
                pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
            elif code == _NUMBER:
                at = _put_number(_scaled(_bits(owner, draw, place), first), letters, at, is_text)
        ends[row + 1] = at
        n_chars[row] = at - begin - inner
        if is_text and is_lower:
            for i in range(begin, at):
                if 65 <= letters[i] <= 90:
                    letters[i] += _CASE
        elif is_text and messy[row] and at > begin and 97 <= letters[begin] <= 122:
            letters[begin] -= _CASE
    return len(rules)
