"""Rules of texts, read from TOML and compiled into tables that a kernel can walk.

A rule is a list of alternatives, each text with slots; ``3| text`` comes three times as often as ``text``. Slots:

``{name}``        a word of a list, or a rule
``{=name}``       the same for every text of one owner; so is everything inside
``{@rule}``       the same way through the rule for every text of one owner, with other words
``{^name}``       with a capital first letter
``{name:place}``  drawn apart from other slots of that name; slots without place are numbered in their text
``{name/k}``      the k-th of several different words of a list
``{own}``         a subject of the few domains that the owner talks about
``{#900}``        a whole number below 900
``{*rule 2 5}``   the rule 2 to 5 times; ``{*rule ~6 0.9}`` log-normally often, median 6, sigma 0.9, at most 60 times
``{!list}``       the words of a list in turn, by the number of the text
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detector.errors import nearest
from simulations.streams import key_of

Whole = npt.NDArray[np.int64]
#: Operations of the kernel: words of lists, a number, nothing but the letters before it, and rules.
PICK, STEP, OWN, IN_TURN, NUMBER, NOTHING, RULE, REPEAT_EVEN, REPEAT_SKEWED = range(9)
#: Columns of an operation: what it does, the rule, the first word of its list or the bound of its number, the words of
#: the list, the distance to their misspellings (0 where there are none), a step or packed repeats, whether it is
#: settled (1) or keeps its way (2), whether it is capitalised, and the letters before it: where they are, bytes, and
#: bytes that are no character of their own.
CODE, FIRST, N, TYPO, SECOND, SETTLED, CAPITAL, BEFORE, BEFORE_SIZE, BEFORE_INNER = range(10)
#: Columns of a word: where its letters are, bytes, and bytes that are no character of their own.
BEGIN, SIZE, INNER = range(3)
#: Steps between the words of ``{name/k}``; no list length is a multiple of it.
STRIDE = 7
#: Fixed point of a skewed repeat's parameters.
MILLI = 1000
#: A repeat packs its two parameters in one number: the first times this, plus the second.
HALF = 2**20

_SLOT = re.compile(r"\{([^{}]*)\}")
_NAMED = re.compile(r"(?P<marks>[=@^!]*)(?P<name>[a-z_0-9]+)(/(?P<step>\d+))?(:(?P<place>\w+))?")


class Tables(NamedTuple):
    """A compiled grammar."""

    letters: npt.NDArray[np.uint8]
    words: Whole
    """Shape (n_words, 3)."""
    rule_first: Whole
    rule_n: Whole
    urns: npt.NDArray[np.uint64]
    """Shape (n_alternatives, 2): up to which draw of 32 bits an alternative is itself, and which one it is above."""
    alternative_begins: Whole
    """First operation of each alternative; its last is before the next one's first."""
    ops: Whole
    """Shape (n_ops, 10)."""
    op_base: npt.NDArray[np.uint64]
    rule_base: npt.NDArray[np.uint64]
    n_domains: int
    domain_size: int


@dataclass(frozen=True)
class Grammar:
    """Tables, and the numbers of the rules in them."""

    tables: Tables
    rules: Mapping[str, int]

    def number(self, rule: str) -> int:
        """Find a rule.

        Raises
        ------
        KeyError
            No rule has this name.
        """
        if rule not in self.rules:
            raise KeyError(f"rule {rule!r} is unknown; {nearest(rule, self.rules)}")
        return self.rules[rule]


def misspelt(phrase: str) -> str:
    """Swap two letters in the middle of the longest word.

    Examples
    --------
    >>> misspelt("rice cooker")
    'rice cokoer'
    """
    longest = max(phrase.split(" "), key=len)
    middle = len(longest) // 2
    if len(longest) < 4:
        return phrase
    swapped = longest[: middle - 1] + longest[middle] + longest[middle - 1] + longest[middle + 1 :]
    return phrase.replace(longest, swapped, 1)


def urns(weights: Sequence[float]) -> list[tuple[int, int]]:
    """Split weights over as many urns of two, so that one is drawn in one step.

    Returns
    -------
    Per urn: up to which of 2**32 draws it gives its own number, and the number that it gives above.

    References
    ----------
    Walker (1977), "An efficient method for generating discrete random variables with general distributions".

    Examples
    --------
    >>> [(own / 2**32, other) for own, other in urns([3, 1])]
    [(1.0, 0), (0.5, 0)]
    """
    shares = [weight * len(weights) / sum(weights) for weight in weights]
    other = list(range(len(weights)))
    low = [number for number, share in enumerate(shares) if share < 1.0]
    high = [number for number, share in enumerate(shares) if share >= 1.0]
    filled = [1.0] * len(weights)
    while low and high:
        small, large = low.pop(), high[-1]
        filled[small], other[small] = shares[small], large
        shares[large] -= 1.0 - shares[small]
        if shares[large] < 1.0:
            low.append(high.pop())
    return [(round(own * 2**32), place) for own, place in zip(filled, other, strict=True)]


@cache
def _source(name: str) -> dict[str, dict[str, tuple[str, ...]]]:
    text = files("simulations.traffic").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return {part: {key: tuple(v) for key, v in table.items()} for part, table in tomllib.loads(text).items()}


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """Read the word lists; `subjects` is all domains, one after the other."""
    tables = _source("vocabulary")
    return {**tables["lists"], "subjects": tuple(word for words in tables["domains"].values() for word in words)}


@cache
def shipped() -> Grammar:
    """Compile the rules of this package."""
    return compiled({})


def compiled(corpora: Mapping[str, Sequence[str]]) -> Grammar:
    """Compile the rules of this package, and a user's texts as lists.

    Parameters
    ----------
    corpora: texts by name; each becomes a rule `NAME drawn` and a rule `NAME in turn`.
    """
    rules: dict[str, Sequence[str]] = dict(_source("grammar")["rules"])
    for name in corpora:
        rules |= {f"{name} drawn": (f"{{{name}}}",), f"{name} in turn": (f"{{!{name}}}",)}
    build = _Builder(list(rules))
    for name, words in vocabulary().items():
        build.add_list(name, words, has_typos=True)
    for name, texts in corpora.items():
        build.add_list(name, texts, has_typos=False)
    for name, alternatives in rules.items():
        build.add_rule(name, alternatives)
    return Grammar(build.tables(), {name: number for number, name in enumerate(rules)})


@dataclass
class _Builder:
    rules: list[str]
    words: list[bytes] = field(default_factory=list)
    lists: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    ops: list[tuple[int, ...]] = field(default_factory=list)
    bases: list[int] = field(default_factory=list)
    urns: list[tuple[int, int]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    _before: int = 0

    def add_list(self, name: str, words: Sequence[str], *, has_typos: bool) -> None:
        typo = len(words) if has_typos else 0
        self.lists[name] = (len(self.words), len(words), typo)
        self.words += [word.encode() for word in (*words, *(map(misspelt, words) if has_typos else ()))]

    def add_rule(self, name: str, alternatives: Sequence[str]) -> None:
        parsed = [_weighted(text) for text in alternatives]
        self.spans.append((len(self.urns), len(parsed)))
        self.urns += urns([weight for weight, _ in parsed])
        for number, (_, text) in enumerate(parsed):
            self.begins.append(len(self.ops))
            self._add_text(text, f"{name}/{number}")

    def _add_text(self, text: str, place: str) -> None:
        parts = _SLOT.split(text)
        for position in range(1, len(parts), 2):
            self._before = self._word(parts[position - 1])
            self._add_slot(parts[position], place, position)
        if parts[-1]:
            self._before = self._word(parts[-1])
            self._add(NOTHING, base=0)

    def _word(self, text: str) -> int:
        self.words.append(text.encode())
        return len(self.words) - 1

    def _add(
        self,
        code: int,
        words: tuple[int, int, int] = (0, 0, 0),
        second: int = 0,
        *,
        base: int,
        settled: int = 0,
        capital: bool = False,
    ) -> None:
        self.ops.append((code, *words, second, settled, int(capital), self._before))
        self.bases.append(base)

    def _add_slot(self, slot: str, place: str, position: int) -> None:
        base = key_of("slot", place, position)
        if slot == "own":
            self._add(OWN, self.lists["subjects"], base=base)
        elif slot.startswith("#"):
            self._add(NUMBER, (int(slot[1:]), 0, 0), base=base)
        elif slot.startswith("*"):
            self._add_repeat(slot[1:].split(), base)
        else:
            self._add_named(slot, place, base)

    def _add_repeat(self, words: list[str], base: int) -> None:
        name, low, high = words
        if low.startswith("~"):
            law, first, second = REPEAT_SKEWED, round(float(low[1:]) * MILLI), round(float(high) * MILLI)
        else:
            law, first, second = REPEAT_EVEN, int(low), int(high)
        self._add(law, (self._rule(name), 0, 0), first * HALF + second, base=base)

    def _rule(self, name: str) -> int:
        if name not in self.rules:
            raise KeyError(f"slot {name!r} is no rule; {nearest(name, self.rules)}")
        return self.rules.index(name)

    def _add_named(self, slot: str, place: str, base: int) -> None:
        match = _NAMED.fullmatch(slot)
        if match is None:
            raise KeyError(f"slot {slot!r} of {place} cannot be read")
        marks, name, step = match["marks"], match["name"], match["step"]
        settled = 1 if "=" in marks else 2 if "@" in marks else 0
        capital = "^" in marks
        if name not in self.lists:
            self._add(RULE, (self._rule(name), 0, 0), base=base, settled=settled, capital=capital)
        elif step is not None:
            steps = key_of("steps", place, name)
            self._add(STEP, self.lists[name], int(step), base=steps, settled=settled, capital=capital)
        else:
            code = IN_TURN if "!" in marks else PICK
            self._add(code, self.lists[name], base=base, settled=settled, capital=capital)

    def tables(self) -> Tables:
        spans = np.array(self.spans, dtype=np.int64)
        domains = _source("vocabulary")["domains"]
        sizes = np.array([len(word) for word in self.words], dtype=np.int64)
        inner = sizes - np.array([len(word.decode()) for word in self.words], dtype=np.int64)
        words = np.column_stack([np.cumsum(sizes) - sizes, sizes, inner])
        ops = np.array(self.ops, dtype=np.int64)
        return Tables(
            letters=np.frombuffer(b"".join(self.words), dtype=np.uint8),
            words=words,
            rule_first=spans[:, 0].copy(),
            rule_n=spans[:, 1].copy(),
            urns=np.array(self.urns, dtype=np.uint64),
            alternative_begins=np.array([*self.begins, len(self.ops)], dtype=np.int64),
            ops=np.column_stack([ops[:, :BEFORE], words[ops[:, BEFORE]]]),
            op_base=np.array(self.bases, dtype=np.uint64),
            rule_base=np.array([key_of("rule", name) for name in self.rules], dtype=np.uint64),
            n_domains=len(domains),
            domain_size=min(len(words) for words in domains.values()),
        )


def _weighted(text: str) -> tuple[float, str]:
    weight, bar, rest = text.partition("| ")
    try:
        return (float(weight), rest) if bar and math.isfinite(float(weight)) else (1.0, text)
    except ValueError:
        return 1.0, text
