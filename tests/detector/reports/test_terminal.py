import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from detector.errors import UnknownAccountError
from detector.reports.terminal import explain, summary


def _is_inert(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def test_explain_shows_the_waterfall(results):
    """Verdict, every piece with its running total, the weak points and what is missing, in plain text."""
    text = explain(results, "acct-1", width=100)
    for phrase in (
        "account acct-1: flagged",
        "score 8.03 (log-odds, flagged from 2.00), rank 1 of 3 accounts",
        "recommended: revoke after review; supported by economy, network and content evidence",
        "start: before any evidence",
        "[economy] what shared_payment means: 50 % (typical 5 % to 25 %)",
        "+6.50    2.50",
        "−0.75    8.00",
        "1 smaller piece of evidence",
        "cluster cluster-1: 2 accounts, 1 flagged",
        "- ip: 10.0.0.1, 4 accounts, such as acct-2, acct-3",
        "- content features: the log has no prompt column",
    ):
        assert phrase in text, phrase


@pytest.mark.parametrize("width", [60, 80, 133, 200])
def test_explain_fits_the_terminal(make_results, width):
    """No line is wider than the terminal, wide characters counted as two cells."""
    results = make_results(["研究" * 40, "b" * 500, "c d" * 50])
    for account_id in results.scored["account_id"].to_pylist():
        assert width >= max(cell_len(line) for line in explain(results, account_id, width=width).splitlines())


def test_hostile_strings_cannot_move_the_cursor(make_results, hostile_strings):
    """No control, bidi or invisible character of any name or thing reaches the terminal."""
    for start in range(0, len(hostile_strings), 50):
        names = hostile_strings[start : start + 50]
        results = make_results(names, names)
        assert _is_inert(summary(results))
        assert all(_is_inert(explain(results, name, width=90)) for name in names[:12])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=40), asked=st.text(max_size=40))
def test_no_name_reaches_the_terminal_raw(make_results, name, asked):
    """Any name can be explained and asked for; text and errors stay printable."""
    results = make_results([name, name + "2"], [name])
    assert _is_inert(explain(results, name, width=80))
    assert _is_inert(summary(results))
    if asked not in (name, name + "2"):
        with pytest.raises(UnknownAccountError) as caught:
            explain(results, asked, width=80)
        assert _is_inert(str(caught.value))


def test_things_clusters_and_neighbours_are_inert(make_results):
    """What is not the account itself is escaped as well, and escaped once."""
    results = make_results(["acct-1", "acct-2\ufe0f"], ["\x1b[2J"])
    place = results.scored.schema.get_field_index("cluster_id")
    hostile = results.scored.set_column(place, "cluster_id", [["\x1b]0;x\x07", "\u202e"]])
    run = results.run | {"off": [{"what": "\x1b", "why": "\u202e"}]}
    results = type(results)(**vars(results) | {"scored": hostile, "run": run})
    text = explain(results, "acct-1", width=120)
    assert _is_inert(text + summary(results))
    assert "- ip: \\x1b[2J, 4 accounts, such as acct-2\\ufe0f" in text
    assert "- \\x1b: \\u202e" in text
    with pytest.raises(UnknownAccountError) as caught:
        explain(results, "acct-3", width=80)
    assert "\ufe0f" not in str(caught.value)


def test_markup_is_not_interpreted(make_results):
    """Square brackets of a name are shown as they are."""
    assert "account [bold red]x[/]: flagged" in explain(make_results(["[bold red]x[/]"]), "[bold red]x[/]", width=80)


def test_unknown_account_names_the_nearest(results):
    """A typing error is answered with the names that are close."""
    with pytest.raises(
        UnknownAccountError, match=r"account 'acct-l': is not among the 3 scored accounts; nearest: 'acct-"
    ):
        explain(results, "acct-l", width=80)


def test_an_account_without_evidence_says_so(results):
    """A score whose evidence was not stored is not explained away."""
    bare = type(results)(**vars(results) | {"evidence": results.evidence.slice(0, 0)})
    assert "no evidence was stored for this account" in explain(bare, "acct-1", width=80)


def test_summary_lists_the_flagged(results):
    """Counts, recommendations and the report are named; nothing is said to have been done."""
    text = summary(results)
    assert "2 of 3 accounts flagged (recommended: 1 × review by a person; 1 × revoke after review)" in text
    assert [line.split()[-1] for line in text.splitlines()[3:5]] == ["acct-1", "acct-2"]
    assert "report.html" in text
    assert "no account has been touched" in text


def test_summary_of_nothing(results):
    """No flagged account, no table."""
    none = type(results)(**vars(results) | {"scored": results.scored.slice(2)})
    assert summary(none).startswith("0 of 1 account flagged\n\nReasons")


def test_look_alikes_are_marked(make_results):
    """A name outside ASCII is remarked on wherever it is listed."""
    results = make_results(["p\u0430y"])
    assert "(look-alike? reads like 'pay')" in summary(results)
    assert "look-alike? reads like 'pay': UTF-8 bytes 70 d0 b0 79" in explain(results, "p\u0430y", width=80)
