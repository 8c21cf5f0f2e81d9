"""Case files: everything that speaks for and against, nothing of the log taken for markup."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import UnknownAccountError
from detector.reports.case import case_file, code


def test_a_case_holds_both_sides(results):
    """Verdict, evidence for and against, what would change it, links, origin."""
    text = case_file(results, "acct-1")
    for phrase in (
        "# Case: `acct-1`",
        "Verdict: flagged. Recommended: revoke after review. Nothing has been done to the account.",
        "## Evidence for",
        "| +6.50 | economy | what shared\\_payment means | 50 % | 10 % |",
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


def test_an_unknown_account_is_refused(results):
    """As in the terminal."""
    with pytest.raises(UnknownAccountError):
        case_file(results, "nobody")
