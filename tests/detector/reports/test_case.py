"""Case files: everything that speaks for and against, nothing of the log taken for markup."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import UnknownAccountError
from detector.linkage.links import KINDS
from detector.reports import words
from detector.reports.case import case_file, code


def test_a_case_holds_both_sides(results):
    """Verdict, evidence for and against, what would change it, links, origin."""
    text = case_file(results, "acct-1")
    for phrase in (
        "# Case: `acct-1`",
        "Verdict: flagged. Recommended: revoke after review. Nothing has been done to the account.",
        "## Evidence for",
        "| +6.50 | economy | what shared\\_payment means | 50 % | 5 % to 25 % | "
        "99 % among 214 accounts of like volume and client |",
        "- bulk work \\(typical distance 1.0, nearly all within 1.5, this account 2.7\\)",
        "a bet against its honesty would have paid 500",
        "- MITRE ATLAS AML.CS0056: Model Distillation Campaigns Targeting Anthropic Claude (case study)",
        "## Evidence against",
        "## What would change the verdict",
        "| `10.0.0.1` | 4 | ",
        "content features: the log has no prompt column",
        "MITRE ATLAS AML.T0024.002",
    ):
        assert phrase in text, phrase


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("a`|*<>[]() \\\n\u202e"), max_size=30))
def test_code_spans_hold(text):
    """The fence closes once, at the end; a cell separator inside is escaped; one line stays one line."""
    span = code(text)
    assert "\n" not in span
    assert not re.search(r"(?<!\\)\|", span)
    if (fence := re.match("`+", span)) is not None:
        inner = span[len(fence[0]) : -len(fence[0])]
        assert span.endswith(fence[0])
        assert fence[0] not in re.findall("`+", inner)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=40))
def test_no_name_adds_a_line(make_results, name):
    """Whatever an account is called, the case has the same sections and stays printable."""
    text = case_file(make_results([name, name + "2"], [name]), name)
    assert [line for line in text.splitlines() if line.startswith("# ")] == [f"# Case: {code(name)}"]
    assert all(character.isprintable() or character == "\n" for character in text)


def test_pairs_are_told_once_and_only_where_there_are_some(results):
    """A reader learns that values of a family are weighed together; a model that does not is not said to."""
    assert case_file(results, "acct-1").count(words.PAIRS[:40]) == 1
    alone = replace(results, run=results.run | {"model": {"name": "rules"}})
    assert words.PAIRS[:40] not in case_file(alone, "acct-1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_link_has_words(kind):
    """A reviewer reads why accounts are linked, not the name of a column."""
    assert words.kind(kind) == words.LINK[kind]


def test_an_unknown_account_is_refused(results):
    """As in the terminal."""
    with pytest.raises(UnknownAccountError):
        case_file(results, "nobody")
