"""Writing many texts at once: words are drawn from lists by keyed draws and joined by Arrow, never row by row."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Counts, Flags, Keys, Reals, Streams


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """Read the word lists; `subjects` is all domains, one after the other."""
    text = files("simulations.traffic").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    lists = {name: tuple(words) for name, words in tables["lists"].items()}
    lists["subjects"] = tuple(word for words in tables["domains"].values() for word in words)
    return lists


@cache
def domain_size() -> int:
    """Count the subjects of a domain; all domains have as many."""
    text = files("simulations.traffic").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return min(len(words) for words in tomllib.loads(text)["domains"].values())


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


@cache
def _words(listing: str) -> pa.Array:
    right = vocabulary()[listing]
    return pa.array([*right, *map(misspelt, right)])


@dataclass(frozen=True)
class Pen:
    """Writes one text per row; a text depends on the row's key and index only."""

    streams: Streams
    keys: Keys
    index: Counts
    p_typo: Reals | float = 0.0
    """Share of drawn phrases that are misspelt."""

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.keys)

    def take(self, rows: Counts | Flags) -> "Pen":
        """Write for some rows only."""
        p_typo = self.p_typo if isinstance(self.p_typo, float) else self.p_typo[rows]
        return Pen(self.streams, self.keys[rows], self.index[rows], p_typo)

    def settled(self) -> "Pen":
        """Write the same for every index: what a key keeps to."""
        return Pen(self.streams, self.keys, np.zeros_like(self.index))

    def phrase(self, listing: str, place: str = "") -> pa.Array:
        """Draw from a list.

        Parameters
        ----------
        listing: name of the list.
        place: where in the text, so that two phrases of one list are drawn independently.
        """
        n = len(vocabulary()[listing])
        return self.nth(listing, self.streams.integers(self.keys, f"{listing}/{place}", self.index, below=n), place)

    def nth(self, listing: str, position: Counts, place: str = "") -> pa.Array:
        """Write given positions of a list, typos included."""
        n = len(vocabulary()[listing])
        if isinstance(self.p_typo, float) and self.p_typo == 0.0:
            return _words(listing).take(pa.array(position))
        typo = self.streams.chance(self.keys, f"typo {listing}/{place}", self.index, p=self.p_typo)
        return _words(listing).take(pa.array(position + n * typo))

    def number(self, place: str, *, below: int) -> pa.Array:
        """Write a whole number."""
        return pc.cast(
            pa.array(self.streams.integers(self.keys, f"number/{place}", self.index, below=below)), pa.string()
        )

    def join(self, *parts: pa.Array | str) -> pa.Array:
        """Put parts one after the other."""
        whole = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
        joined = pc.binary_join_element_wise(*whole, "")
        return joined if isinstance(joined, pa.Array) else pa.array([joined.as_py()] * len(self))

    def one_of(self, place: str, ways: Sequence[tuple[float, "Way"]]) -> pa.Array:
        """Write each text in one of several ways, each as often as its weight says."""
        weights = [weight for weight, _ in ways]
        chosen = self.streams.choice(self.keys, f"way/{place}", self.index, weights=weights)
        return self.by(chosen, [way for _, way in ways])

    def by(self, chosen: Counts, ways: Sequence["Way"]) -> pa.Array:
        """Write each text in the way of that number."""
        rows = [np.flatnonzero(chosen == number) for number in range(len(ways))]
        texts = [way(self.take(some)) for way, some in zip(ways, rows, strict=True) if some.size]
        if not texts:
            return pa.array([], pa.string())
        back = np.argsort(np.concatenate(rows), kind="stable")
        return pa.chunked_array(texts, pa.string()).combine_chunks().take(pa.array(back))

    def fill(self, pattern: str, slots: "Mapping[str, Slot] | None" = None) -> pa.Array:
        """Fill a pattern such as ``"how do I {wishes} a {goods:second}?"``.

        Parameters
        ----------
        pattern: text with slots; a slot names a list and, after a colon, a place.
        slots: slots that are written some other way than from a list.
        """
        parts: list[pa.Array | str] = []
        for literal, listing, place, _ in Formatter().parse(pattern):
            parts.append(literal)
            if listing is not None:
                write = (slots or {}).get(listing)
                parts.append(self.phrase(listing, place or "") if write is None else write(self, place or ""))
        return self.join(*parts)

    def one_pattern_of(
        self, place: str, patterns: Sequence[tuple[float, str]], slots: "Mapping[str, Slot] | None" = None
    ) -> pa.Array:
        """Fill for each text one of several patterns, each as often as its weight says."""
        return self.one_of(place, [(weight, partial(Pen.fill, pattern=p, slots=slots)) for weight, p in patterns])

    def passage(self, place: str, n_sentences: Counts, slots: "Mapping[str, Slot] | None" = None) -> pa.Array:
        """Write several sentences of prose; at most 64."""
        rows = np.repeat(np.arange(len(self)), n_sentences)
        firsts = np.cumsum(n_sentences) - n_sentences
        number = np.arange(len(rows)) - firsts[rows]
        pen = self.take(rows)
        pen = Pen(pen.streams, pen.keys, pen.index * np.int64(64) + number, pen.p_typo)
        sentences = pen.fill(
            f"{{people:{place}}} {{actions:{place}}} the {{subjects:{place}}} {{moments:{place}}}.", slots
        )
        sentences = pc.utf8_capitalize(sentences)
        offsets = np.append(firsts, len(rows)).astype(np.int32)
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), sentences), " ")


Way = Callable[[Pen], pa.Array]
Slot = Callable[[Pen, str], pa.Array]
