from hypothesis import given
from hypothesis import strategies as st

from detector.reports.safe import hex_bytes, safe_cell, safe_name, safe_text, starts_formula, unsafe_cell, unsafe_text

ANYTHING = st.text(max_size=60)
TRICKY = st.text(alphabet="\\xuU0123456789abcdef'=+ \t\r\n\x00\x1b\u202e\ufeff", max_size=20)


def test_invisible_text_becomes_visible():
    """Control, bidi, zero-width, separator and odd space characters are shown as escapes."""
    assert safe_text("\x1b[31m") == "\\x1b[31m"
    assert (
        safe_text("\0\x7f\x85\u2028\u202e\u200b\ufeff\xa0\u3164")
        == "\\x00\\x7f\\x85\\u2028\\u202e\\u200b\\ufeff\\xa0\\u3164"
    )


def test_plain_text_is_untouched():
    """A name without anything odd is shown as it is, letters of any script included."""
    for text in ("acct-1", "DOMAIN\\joe", "研究", "żółć", "a=b"):
        assert text == safe_text(text)


@given(st.one_of(ANYTHING, TRICKY))
def test_escaping_can_be_undone(text):
    """What is shown leads back to exactly one text, so two names never look the same by escaping."""
    assert text == unsafe_text(safe_text(text))
    assert text == unsafe_cell(safe_cell(text))


@given(st.one_of(ANYTHING, TRICKY))
def test_shown_text_is_printable(text):
    """No character that moves a cursor or hides reaches the reader."""
    assert safe_text(text).isprintable()
    assert safe_name(text * 9).isprintable()


def test_formulas_get_an_apostrophe():
    """Formula starts are defused, also behind blanks, invisible characters and in full width."""
    for text in (
        "=1",
        "+1",
        "-1",
        "@a",
        "\t=1",
        "\r1",
        " =1",
        "\xa0=1",
        "\u200b=1",
        "\ufeff=1",
        "\0=1",
        "＝1",
        "＠a",
        "'=1",
    ):
        assert safe_cell(text).startswith("'"), text
    assert safe_cell("acct=1") == "acct=1"
    assert safe_cell("'quoted") == "'quoted"


@given(st.one_of(ANYTHING, TRICKY))
def test_no_cell_starts_a_formula(text):
    """A safe cell is text to a spreadsheet: an apostrophe, or a first character that starts nothing."""
    cell = safe_cell(text)
    assert cell.startswith("'") or not starts_formula(cell)


def test_long_names_stay_distinct():
    """A shortened name keeps its length and digest, so two long names with one head differ."""
    one, other = safe_name("a" * 5000 + "1"), safe_name("a" * 5000 + "2")
    assert one != other
    assert len(one) <= 90


def test_hex_tells_look_alikes_apart():
    """Latin and Cyrillic letters that look the same have different bytes."""
    assert hex_bytes("a") == "61"
    assert hex_bytes("\u0430") == "d0 b0"
