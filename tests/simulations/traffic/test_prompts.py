"""Prompts have the mess, the breadth and the templates that real corpora of their kind have."""

import numpy as np
import pyarrow.compute as pc
import pytest

from simulations.streams import Streams, member_keys
from simulations.traffic import prompts
from simulations.traffic.pen import Pen, misspelt, vocabulary

N = 3000


def pen_of(n_accounts: int, each: int) -> Pen:
    """A pen for some accounts with the same number of texts."""
    keys = np.repeat(member_keys("writer", n_accounts), each)
    return Pen(Streams(2), keys, np.tile(np.arange(each), n_accounts))


def texts(kind: str, pen: Pen) -> list[str]:
    """Texts of a kind."""
    turn = pen.index % 3
    written = {
        "chat": lambda: prompts.chat(pen, turn),
        "customer": lambda: prompts.customer(pen),
        "article": lambda: prompts.article(pen),
        "labelling": lambda: prompts.labelling(pen),
        "generator": lambda: prompts.generator(pen, pen),
        "answer": lambda: prompts.answer_collection(pen, pen),
    }[kind]()
    found: list[str] = written.to_pylist()
    return found


def share(found: list[str], test: str) -> float:
    """Share of texts in which a pattern is found."""
    return float(np.mean(pc.match_substring_regex(found, test).to_numpy(zero_copy_only=False)))


@pytest.mark.parametrize("kind", ["chat", "customer", "article", "labelling", "generator", "answer"])
def test_text_depends_on_its_row_only(kind: str) -> None:
    """A text is the same in any company and order, and never empty."""
    pen = pen_of(20, 10)
    whole, shuffle = texts(kind, pen), np.random.default_rng(0).permutation(200)[:50]
    assert [whole[row] for row in shuffle] == texts(kind, pen.take(shuffle))
    assert all(whole)
    assert texts(kind, pen.take(np.array([], dtype=np.int64))) == []


def test_people_are_messy() -> None:
    """People start in lower case, say please and I, repeat themselves, and vary in length as chats do."""
    found = texts("chat", pen_of(N // 10, 10))
    lengths = np.array([len(text) for text in found])
    assert 0.25 < share(found, r"^[a-z]") < 0.5
    assert 0.03 < share(found, r"(?i)\bplease\b") < 0.16
    assert 0.2 < share(found, r"\b(I|i|my|My)\b") < 0.6
    assert 0.03 < 1 - len(set(found)) / len(found) < 0.2
    assert lengths.std() / lengths.mean() > 1.3


def test_collected_answers_are_clean() -> None:
    """Answer collection starts with a capital, never says please, hardly repeats and varies little in length."""
    found = texts("answer", pen_of(1, N))
    lengths = np.array([len(text) for text in found])
    assert (share(found, r"^[a-z]"), share(found, r"(?i)\bplease\b")) == (0, 0)
    assert len(set(found)) / len(found) > 0.97
    assert lengths.std() / lengths.mean() < 0.8


def n_subjects(found: list[str]) -> int:
    """Count the subjects that are named in some texts."""
    whole = "\n".join(found).lower()
    return sum(subject in whole for subject in vocabulary()["subjects"])


def test_harvest_is_broader_than_a_person() -> None:
    """300 requests of a harvest name at least twice as many subjects as 300 of one person."""
    assert n_subjects(texts("answer", pen_of(1, 300))) > 2 * n_subjects(texts("chat", pen_of(1, 300)))


@pytest.mark.parametrize("kind", ["generator", "labelling"])
def test_template_is_constant(kind: str) -> None:
    """All requests of an account begin alike, be it a harvest or honest bulk work; two accounts differ."""
    found = texts(kind, pen_of(2, 50))
    heads = [text[:40] for text in found]
    assert 1 == len(set(heads[:50])) == len(set(heads[50:]))
    assert len(set(found)) == 100


def test_generator_asks_no_demand_twice() -> None:
    """The five requirements of a template are five different ones."""
    text = texts("generator", pen_of(1, 1))[0]
    demands = [line[3:] for line in text.split("\n") if line[:1].isdigit()][:5]
    assert len(set(demands)) == 5


def test_word_lists_hold_no_slot_and_no_double() -> None:
    """No list holds a word twice, a brace or an empty word; a misspelling keeps the letters."""
    for name, words in vocabulary().items():
        assert len(words) == len(set(words)), name
        assert all(word.strip() and "{" not in word and sorted(word) == sorted(misspelt(word)) for word in words)
