"""Excerpts: few, short, redacted, and only of the accounts that were asked for."""

import time

import pyarrow as pa
import pytest

from detector.excerpts import MOST_CHARACTERS, PER_ACCOUNT, collect_excerpts, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mail jo.doe+x@mail.example.org now", "Mail <EMAIL> now"),
        ("See https://example.org/a?b=c please", "See <URL> please"),
        ("From 192.0.2.17 today", "From <ADDRESS> today"),
        ("Call +49 (030) 123-4567.", "Call <NUMBER>."),
        ("Card 4111 1111 1111 1111", "Card <NUMBER>"),
        ("Key sk-abcDEF0123456789abcd", "Key <KEY>"),
        ("Two\nlines", "Two lines"),
    ],
)
def test_personal_data_is_taken_out(text: str, expected: str) -> None:
    """What looks like an address, number, link or key is replaced by its kind."""
    assert redact(text) == expected


def test_excerpts_are_short() -> None:
    """A long prompt is cut."""
    assert len(redact("word " * 1000)) == MOST_CHARACTERS + 1


@pytest.mark.parametrize("text", ["a@" * 50_000, "1 " * 50_000, "a." * 50_000, "x-" * 50_000, "a" * 100_000])
def test_hostile_text_costs_little(text: str) -> None:
    """No pattern backtracks without end."""
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 1.0


def test_only_the_first_distinct_prompts_of_wanted_accounts() -> None:
    """Others' prompts, repeats and nulls are passed over."""
    prompts = ["one", "one", "two", None, "three", "four", "secret"]
    accounts = ["a", "a", "a", "a", "a", "a", "b"]
    batch = pa.record_batch({"account_id": accounts, "prompt": pa.array(prompts, pa.string())})
    table = collect_excerpts([batch], ["a"])
    assert table.to_pydict() == {"account_id": ["a"] * PER_ACCOUNT, "excerpt": ["one", "two", "three"]}
