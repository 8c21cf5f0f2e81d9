"""Prompts have the mess, the breadth and the templates that real corpora of their kind have."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.streams import member_keys
from simulations.traffic import grammar, writing
from simulations.traffic.kinds import KINDS

N = 3000
RULES = sorted({kind.rule for kind in KINDS.values()} | {kind.system for kind in KINDS.values() if kind.system})


def written(rule: str, n_accounts: int, each: int, *, is_text: bool = True, rows: object = ...) -> writing.Texts:
    """Texts of some accounts, the same number for each."""
    owners = np.repeat(member_keys("writer", n_accounts), each)[rows]
    items = np.tile(np.arange(each), n_accounts)[rows]
    using = grammar.shipped()
    messy = np.full(len(items), any(kind.is_messy and kind.rule == rule for kind in KINDS.values()))
    rules = np.full(len(items), using.number(rule))
    return writing.write(rules, owners, items, messy, seed=2, using=using, is_text=is_text)


def texts(rule: str, n_accounts: int, each: int) -> list[str]:
    """Texts as a list."""
    made = written(rule, n_accounts, each).written
    assert made is not None
    found: list[str] = made.to_pylist()
    return found


def share(found: list[str], test: str) -> float:
    """Share of texts in which a pattern is found."""
    return float(np.mean(pc.match_substring_regex(pa.array(found), test).to_numpy(zero_copy_only=False)))


@pytest.mark.parametrize("rule", RULES)
def test_text_depends_on_its_row_only(rule: str) -> None:
    """A text is the same in any company and order, valid and never empty; measuring gives its length."""
    whole, shuffle = written(rule, 20, 10), np.random.default_rng(0).permutation(200)[:50]
    assert whole.written is not None
    whole.written.validate(full=True)
    assert whole.written.take(pa.array(shuffle)).equals(written(rule, 20, 10, rows=shuffle).written)
    assert pc.utf8_length(whole.written).to_numpy().tolist() == whole.n_chars.tolist()
    assert np.array_equal(whole.n_chars, written(rule, 20, 10, is_text=False).n_chars)
    assert whole.n_chars.min() > 0


def test_row_without_rule_has_no_text() -> None:
    """A row below 0 is null and has no length."""
    owners, items = member_keys("writer", 2), np.zeros(2, dtype=np.int64)
    rules = np.array([-1, grammar.shipped().number("ping")])
    found = writing.write(rules, owners, items, items > 0, seed=2, using=grammar.shipped(), is_text=True)
    assert found.written is not None
    assert found.written.is_null().to_pylist() == [True, False]
    assert found.n_chars[0] == 0


def test_buffer_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts longer than guessed are written all the same."""
    expected = texts("digest", 5, 50)
    monkeypatch.setattr(writing, "GUESS", 1)
    assert expected == texts("digest", 5, 50)


def test_people_are_messy() -> None:
    """People start in lower case, say please and I, follow up with few words, and vary in length as chats do."""
    found = texts("chat_first", N // 10, 10)
    lengths = np.array([len(text) for text in found])
    assert 0.25 < share(found, r"^[a-z]") < 0.5
    assert 0.03 < share(found, r"(?i)\bplease\b") < 0.16
    assert 0.2 < share(found, r"\b(I|i|my|My)\b") < 0.6
    assert lengths.std() / lengths.mean() > 1.3
    assert 0.03 < 1 - len(set(later := texts("chat_later", N // 10, 10))) / len(later) < 0.3


def test_collected_answers_are_clean() -> None:
    """Answer collection starts with a capital, never says please, hardly repeats and varies little in length."""
    found = texts("collected", 1, N)
    lengths = np.array([len(text) for text in found])
    assert (share(found, r"^[a-z]"), share(found, r"(?i)\bplease\b")) == (0, 0)
    assert len(set(found)) / len(found) > 0.97
    assert lengths.std() / lengths.mean() < 0.8


def n_subjects(found: list[str]) -> int:
    """Count the subjects that are named in some texts."""
    whole = "\n".join(found).lower()
    return sum(subject in whole for subject in grammar.vocabulary()["subjects"])


def test_harvest_is_broader_than_a_person() -> None:
    """300 requests of a harvest name at least twice as many subjects as 300 of one person."""
    assert n_subjects(texts("collected", 1, 300)) > 2 * n_subjects(texts("chat_first", 1, 300))


@pytest.mark.parametrize("rule", ["self_instruct", "evol_instruct", "translation", "licensed_data"])
def test_template_is_constant(rule: str) -> None:
    """All requests of an account begin alike, be it a harvest or honest bulk work; two accounts differ."""
    found = texts(rule, 2, 50)
    heads = [text[:25] for text in found]
    assert 1 == len(set(heads[:50])) == len(set(heads[50:]))
    assert found[0] != found[50]
    assert len(set(found)) == 100


@pytest.mark.parametrize("rule", ["labelling", "exam"])
def test_some_templates_come_after_the_text(rule: str) -> None:
    """Requests of many accounts begin alike; others put the text first, or run several tests."""
    found = texts(rule, 40, 20)
    n_heads = [len({text[:25] for text in found[first : first + 20]}) for first in range(0, 800, 20)]
    assert 10 <= n_heads.count(1) <= 35


def test_person_keeps_to_a_language() -> None:
    """Nearly all openings of one person are of one language."""
    found = texts("chat_first", 300, 8)
    articles = ("die ", "den ", "das ", "Die ", "Den ", "Das ")
    german = np.array([any(word in text for word in articles) for text in found])
    by_person = german.reshape(300, 8).mean(axis=1)
    assert np.mean((by_person < 0.3) | (by_person > 0.7)) > 0.97
    assert 0.02 < np.mean(by_person > 0.7) < 0.15


def test_generator_asks_no_demand_twice() -> None:
    """The five requirements of a template are five different ones."""
    demands = [
        line[3:] for line in texts("self_instruct", 1, 1)[0].split("\n") if line[:2] in ("1.", "2.", "3.", "4.", "5.")
    ]
    assert len(set(demands[:5])) == 5


def test_word_lists_are_sound() -> None:
    """No list holds a word twice, a brace or an empty word; misspelling keeps the letters."""
    for name, words in grammar.vocabulary().items():
        assert len(words) == len(set(words)), name
        assert all(word.strip() and "{" not in word for word in words)
        assert all(sorted(word) == sorted(grammar.misspelt(word)) for word in words)


def test_corpus_is_drawn_from_or_gone_through() -> None:
    """A user's texts come as they are: in turn by the number of the text, or drawn."""
    using = grammar.compiled({"mine": ["Zürich", "b", "c"]})
    owners, items = np.repeat(member_keys("w", 1), 60), np.arange(60)
    for way, distinct in (("mine in turn", ["Zürich", "b", "c"] * 20), ("mine drawn", None)):
        rules = np.full(60, using.number(way))
        found = writing.write(rules, owners, items, items < 0, seed=1, using=using, is_text=True)
        assert found.written is not None
        assert distinct is None or distinct == found.written.to_pylist()
        assert set(found.written.to_pylist()) == {"Zürich", "b", "c"}


def test_unknown_rule_names_the_nearest() -> None:
    """A rule that is not there is answered with the nearest name."""
    with pytest.raises(KeyError, match="nearest: 'collected'"):
        grammar.shipped().number("colected")


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=20))
def test_urns_keep_the_weights(weights: list[float]) -> None:
    """Each alternative comes as often as its weight says, whichever urns it lies in."""
    chances = np.zeros(len(weights))
    for number, (own, other) in enumerate(grammar.urns(weights)):
        chances[number] += own / 2**32 / len(weights)
        chances[other] += (1.0 - own / 2**32) / len(weights)
    assert chances == pytest.approx(np.array(weights) / sum(weights), abs=1e-8)
