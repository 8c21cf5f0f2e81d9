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
        ("Key Zm9vL2Jhci9iYXo/cXV4+1234== ok", "Key <KEY> ok"),
        ("host mail.intern.example.net/x up", "host <HOST> up"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIQ\n-----END RSA PRIVATE KEY----- end", "<KEY> end"),
        ("cut -----BEGIN PRIVATE KEY-----\nMIIQ", "cut <KEY>"),
        ("db_password: swordfish rest", "db_password=<SECRET> rest"),
        ('{"api_key": "swordfish"}', '{"api_key"=<SECRET>'),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization=<SECRET>"),
        ("a bearer abcdefgh.ijkl", "a bearer <SECRET>"),
        ("long " + "a1" * 400, "long <KEY>"),
        ("pay DE12 5001 0517 0648 4898 90 now", "pay <NUMBER> now"),
        ("mac 02:00:5e:10:00:ff, ip 2001:db8::17", "mac <ADDRESS>, ip <ADDRESS>"),
        (
            "At 10:30 and 10:30:15 in std::vector it was pass or fail",
            "At 10:30 and 10:30:15 in std::vector it was pass or fail",
        ),
    ],
)
def test_personal_data_is_taken_out(text: str, expected: str) -> None:
    """What looks like an address, number, link or key is replaced by its kind."""
    assert redact(text) == expected


def test_excerpts_are_short() -> None:
    """A long prompt is cut."""
    assert len(redact("word " * 1000)) == MOST_CHARACTERS + 1


def test_a_cut_makes_no_half_of_a_secret_unrecognisable() -> None:
    """What lies across the end of the part that is looked at is left out, and not shown in half."""
    begins = "https://example.org/" + "x" * 1970
    assert redact(f"{begins} jane.roe@mail.example.org") == "<URL>"


@pytest.mark.parametrize(
    "text",
    [
        "a@" * 50_000,
        "1 " * 50_000,
        "token" * 50_000,
        "-----BEGIN A-----" * 9_000,
        "ab:" * 50_000,
        "DE12" * 50_000,
        "a." * 50_000,
        "x-" * 50_000,
        "a" * 100_000,
    ],
)
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
