import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from detector.reports.caveats import remark
from detector.reports.html import axis_of, shown, write_report
from detector.reports.waterfall import waterfall

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Tree(HTMLParser):
    """Tags with their attribute names, in order, and texts; balance is checked on the way."""

    def __init__(self) -> None:
        """Start with nothing open."""
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Keep a tag and the names of its attributes."""
        self.shape.append((tag, *(name for name, _ in attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Keep a self-closed tag."""
        self.shape.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag):
        """Close the innermost tag, which must be this one."""
        assert tag == self.open.pop()

    def handle_data(self, data):
        """Keep a text."""
        self.texts.append(data)


def _parsed(text: str) -> Tree:
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert tree.open == []
    return tree


def _report(results, tmp_path, report_accounts=5) -> str:
    write_report(results, tmp_path / "report.html", report_accounts=report_accounts)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_needs_nothing_from_outside(results, tmp_path):
    """No address, no script, no event handler; a policy that forbids them."""
    text = _report(results, tmp_path)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert re.findall(r"https?:|//\w|<script|javascript:|url\(|@import", text, re.IGNORECASE) == []
    names = {name for shape in _parsed(text).shape for name in shape[1:]}
    assert not {name for name in names if name.startswith("on")}
    assert names.isdisjoint({"src", "srcset", "action", "xlink:href"})


def test_hostile_names_do_not_change_the_page(make_results, hostile_strings, tmp_path):
    """Every hostile string as account and as shared thing: the tags and attributes of a run with plain names."""
    plain = [f"plain-{place:05d}" for place in range(len(hostile_strings))]
    for start in range(0, len(hostile_strings), 150):
        span = slice(start, start + 150)
        hostile = _report(make_results(hostile_strings[span], hostile_strings[span]), tmp_path, 4)
        control = _report(make_results(plain[span], plain[span]), tmp_path, 4)
        assert _parsed(control).shape == _parsed(hostile).shape
        assert not re.search(r"https?://|<script", hostile, re.IGNORECASE)
        assert all(character.isprintable() or character == "\n" for character in hostile)


def test_facts_of_the_run_are_hostile_too(results, tmp_path):
    """File names, reasons and versions of the run are escaped as names are."""
    attack = "<script>alert(1)</script>\x1b\u202e"
    run = results.run | {
        "stillwatch": attack,
        "command": [attack],
        "off": [{"what": attack, "why": attack}],
        "inputs": [{"file": attack, "sha256": attack, "n_bytes": 1}],
        "format": {"name": attack, "reason": attack},
        "versions": {attack: attack},
    }
    text = _report(type(results)(**vars(results) | {"run": run}), tmp_path)
    assert "<script" not in text
    assert not set("\x1b\u202e") & set(text)


def test_names_stay_distinct(make_results, tmp_path):
    """Look-alikes, a real control character and its spelled-out form are all told apart and remarked on."""
    names = ["pay", "p\u0430y", "a\u202eb", "a\\u202eb", "a b", "a  b"]
    text = " ".join(_parsed(_report(make_results(names * 2), tmp_path)).texts)
    for shape in ("p\u0430y", "a\\u202eb", "a\\x5cu202eb", "a  b"):
        assert shape in text
    assert "look-alike? reads like 'pay': UTF-8 bytes 70 d0 b0 79" in text
    assert remark("pay") == ""
    assert remark("") == "empty name"
    assert remark("a  b") == "odd spacing or control characters: UTF-8 bytes 61 20 20 62"


def test_evidence_for_and_against_is_shown(results, tmp_path):
    """The first account's pieces, its score, the strongest counter-evidence and what was off are on the page."""
    words = re.sub(r"\s+", " ", " ".join(_parsed(_report(results, tmp_path)).texts))
    for phrase in (
        "2 of 3 accounts look like model distillation",
        "what shared_payment means",
        "+6.50",
        "Strongest evidence against: what gap_regularity means, 50 % (typical 5 % to 25 %), −0.75",
        "1 smaller piece of evidence",
        "content features : the log has no prompt column",
        "bulk work (typical distance 1.0, nearly all within 1.5, this account 2.7)",
        "among 214 accounts of like volume and client",
        "5 % to 25 %",
        "The model also weighs values of one family together",
        "Were all economy evidence explained, the score would be 1.53, no longer flagged.",
        "flagged from 2.00",
        "Busiest: 5 requests in the 2 h from 2026-11-01 08:00 UTC",
        "sha256 " + "cd" * 32,
    ):
        assert phrase in words, phrase


def test_only_the_first_accounts_get_a_section(results, tmp_path):
    """`report_accounts` bounds the sections; the first one is open; none is fine as well."""
    for n_sections in (0, 1, 2):
        shape = Counter(_parsed(_report(results, tmp_path, n_sections)).shape)
        assert n_sections == shape[("details", "id")] + shape[("details", "id", "open")]
        assert min(n_sections, 1) == shape[("details", "id", "open")]


def test_long_tables_are_cut_and_say_so(make_results, tmp_path):
    """Two hundred flagged accounts are listed; the caption tells how many there are."""
    text = _report(make_results([f"acct-{place}" for place in range(330)]), tmp_path, 1)
    assert "The 200 most suspicious of 220; accounts.csv has all." in text


def test_a_run_that_says_nothing_can_be_shown(results, tmp_path):
    """Without facts about the run, and without accounts, the page still opens."""
    assert "2 of 3 accounts" in _report(type(results)(**vars(results) | {"run": {}}), tmp_path)
    empty = {name: table.slice(0, 0) for name, table in vars(results).items() if name != "run"}
    assert "None of 0 accounts" in _report(type(results)(**empty, run={}), tmp_path)


def test_addresses_are_not_even_recognisable():
    """Text that is an address carries no address in the bytes, and markup in it is text."""
    assert str(shown("https://x.y/<b>")) == "https&#58;//x.y/&lt;b&gt;"


@pytest.mark.parametrize("threshold", [None, 2.0])
def test_bars_stay_on_the_axis(threshold):
    """Every running total, the score and the threshold lie between 0 and 100 % of the axis."""
    fall = waterfall([], 7.5)
    axis = axis_of(fall, threshold)
    assert all(0 <= axis.place(mark) <= 100 for mark in (0.0, 7.5, threshold or 0.0))
    assert axis.span(0, 7.5) == axis.span(7.5, 0)
