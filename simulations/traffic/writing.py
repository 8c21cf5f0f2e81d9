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

from simulations.draws import below, mix64, normal, unit
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
_PERSON, _LOWER, _TYPOS, _DOMAIN, _MISSPELL, _FAVOURITE = (
    np.uint64(key_of("writing", purpose)) for purpose in ("person", "lower", "typos", "domain", "misspell", "favourite")
)
_LITERAL, _PICK, _STEP, _OWN, _NUMBER, _RULE, _REPEAT_EVEN, _REPEAT_SKEWED, _IN_TURN = (
    grammar.LITERAL, grammar.PICK, grammar.STEP, grammar.OWN, grammar.NUMBER, grammar.RULE,
    grammar.REPEAT_EVEN, grammar.REPEAT_SKEWED, grammar.IN_TURN,
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
def _alternative(rule_first: Any, rule_n: Any, bound: Any, rule_base: Any, rule: Any, owner: Any, base: Any,
                 index: Any) -> Any:  # fmt: skip
    first = rule_first[rule]
    if rule_n[rule] > 1:
        drawn = unit(owner, base ^ rule_base[rule], index)
        while drawn >= bound[first]:
            first += 1
    return first


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
def _position(code: Any, step: Any, n: Any, owner: Any, base: Any, index: Any, item: Any, n_domains: Any,
              domain_size: Any) -> Any:  # fmt: skip
    """Choose a place in a list."""
    if code == _OWN:
        favourite = below(owner, base ^ _FAVOURITE, index, DOMAINS_OF_A_PERSON)
        domain = below(owner, _DOMAIN, favourite, n_domains)
        return domain * domain_size + below(owner, base, index, domain_size)
    if code == _IN_TURN:
        return item % n
    position = below(owner, base, index, n)
    return (position + step * _STRIDE) % n if code == _STEP else position


@njit(cache=True, inline="always")
def _repeats(code: Any, low: Any, high: Any, owner: Any, base: Any, index: Any) -> Any:
    if code == _REPEAT_EVEN:
        return low + below(owner, base, index, high - low + 1)
    many = low / _MILLI * np.exp(high / _MILLI * normal(owner, base, index))
    return np.int64(min(max(many, 1.0), MOST_REPEATS))


@njit(cache=True, nogil=True)
def _write(  # noqa: PLR0912 - see below
    source: Any, word_begins: Any, word_chars: Any, list_first: Any, list_n: Any, list_typo: Any,
           rule_first: Any, rule_n: Any, bound: Any, alternative_begins: Any, ops: Any, op_base: Any, rule_base: Any,
           n_domains: Any, domain_size: Any, rules: Any, owners: Any, items: Any, messy: Any, base: Any, is_text: Any,
           letters: Any, ends: Any, n_chars: Any, done: Any) -> Any:  # fmt: skip
    """Write rows from `done` on until the buffer may not hold the next; gives the rows done.

    One function, because tables handed from function to function would cost more than the writing.
    """
    frames, paths = np.empty((DEPTH, 5), np.int64), np.empty(DEPTH, np.uint64)
    for row in range(done, len(rules)):
        begin = ends[row]
        ends[row + 1] = begin
        if rules[row] < 0:
            continue
        if is_text and begin + LONGEST > len(letters):
            return row
        owner, item, p_typo, is_lower = owners[row], items[row], 0.0, False
        if messy[row]:
            p_typo = min(-np.log(unit(owner, _TYPOS, 0)) * TYPO_MEAN, TYPO_MOST)
            is_lower = unit(owner, _LOWER, item) < unit(owner, _PERSON, 0) ** LOWER_POWER
        at, stop, inner, depth, index, path = begin, begin + LONGEST - 64, 0, 0, item, base
        remaining, rule = np.int64(0), rules[row]
        chosen = _alternative(rule_first, rule_n, bound, rule_base, rule, owner, path, index)
        pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
        while True:
            if pos == end or at >= stop:
                if at < stop and remaining > 0:
                    remaining -= 1
                    path = mix64(path)
                    chosen = _alternative(rule_first, rule_n, bound, rule_base, rule, owner, path, index)
                    pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
                    continue
                if depth == 0:
                    break
                depth -= 1
                pos, end, index = frames[depth, 0], frames[depth, 1], frames[depth, 2]
                remaining, rule, path = frames[depth, 3], frames[depth, 4], paths[depth]
                continue
            code, first, second, draw = ops[pos, 0], ops[pos, 1], ops[pos, 2], path ^ op_base[pos]
            place = np.int64(0) if ops[pos, 3] == 1 else index
            is_capital, is_kept = ops[pos, 4] == 1, ops[pos, 3] == 2
            pos += 1
            if code == _NUMBER:
                at = _put_number(below(owner, draw, place, first), letters, at, is_text)
            elif code in (_RULE, _REPEAT_EVEN, _REPEAT_SKEWED):
                frames[depth, 0], frames[depth, 1], frames[depth, 2] = pos, end, index
                frames[depth, 3], frames[depth, 4], paths[depth] = remaining, rule, path
                depth += 1
                remaining = np.int64(0)
                if code == _RULE:
                    index = place
                else:
                    remaining = _repeats(code, second // _HALF, second % _HALF, owner, draw, index) - 1
                rule, path, kept = first, draw, np.int64(0) if is_kept else index
                chosen = _alternative(rule_first, rule_n, bound, rule_base, rule, owner, path, kept)
                pos, end = alternative_begins[chosen], alternative_begins[chosen + 1]
            else:
                chosen = first
                if code != _LITERAL:
                    within = _position(code, second, list_n[first], owner, draw, place, item, n_domains, domain_size)
                    chosen = list_first[first] + within
                    if p_typo > 0.0 and list_typo[first] and unit(owner, draw ^ _MISSPELL, place) < p_typo:
                        chosen += list_typo[first]
                size = min(word_begins[chosen + 1] - word_begins[chosen], stop + 64 - at)
                inner += word_begins[chosen + 1] - word_begins[chosen] - word_chars[chosen]
                if is_text:
                    _copy(source, np.uint64(word_begins[chosen]), letters, np.uint64(at), np.uint64(size))
                    if is_capital and size and 97 <= letters[at] <= 122:
                        letters[at] -= _CASE
                at += size
        ends[row + 1] = at
        n_chars[row] = at - begin - inner
        if is_text and is_lower:
            for i in range(begin, at):
                if 65 <= letters[i] <= 90:
                    letters[i] += _CASE
        elif is_text and messy[row] and at > begin and 97 <= letters[begin] <= 122:
            letters[begin] -= _CASE
    return len(rules)
