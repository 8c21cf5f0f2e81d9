"""Text of a log made harmless to look at. Nothing else in this room may decide how hostile text is shown.

Every escape is visible and reversible: two different names never become one. This module must never normalise,
fold or shorten a name into another.
"""

import hashlib
import re

#: Printable by Unicode's account, yet drawn as nothing: joiners, fillers, variation selectors, the blank Braille cell.
INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)

#: What makes a spreadsheet read a cell as a formula: OWASP's list, its full-width and small forms, old DDE marks.
FORMULA_STARTS = frozenset("=+-@|%\t\r\n" + "\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212")

#: Regular expression (RE2) for every value that `safe_cell` might change, and some that it does not.
SUSPECT_CELL = r"[^\x20-\x5b\x5d-\x7e]|\\[xuU]|^[' ]*[=+\-@|%]"

_AMBIGUOUS_BACKSLASH = re.compile(r"\\(?=[xuU])")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


class _Visible(dict[int, str]):
    """Code point to what is shown for it, worked out once per code point."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        shown = character if character.isprintable() and character not in INVISIBLE else _escape(point)
        self[point] = shown
        return shown


def _escape(point: int) -> str:
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


_VISIBLE = _Visible()


def safe_text(text: str) -> str:
    r"""Show control, bidirectional, zero-width and odd space characters as escapes.

    A backslash that could be taken for the start of such an escape becomes ``\x5c``, so the way back is unique.

    Parameters
    ----------
    text: anything, from anyone.

    Returns
    -------
    Printable text without C0, C1, DEL, line separators, bidi controls or invisible characters.

    Examples
    --------
    >>> print(safe_text("a\x1b[31m"))
    a\x1b[31m
    >>> print(safe_text(r"a\x1b[31m"))
    a\x5cx1b[31m
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return _AMBIGUOUS_BACKSLASH.sub(r"\\x5c", text).translate(_VISIBLE)


def unsafe_text(shown: str) -> str:
    """Give back the text that `safe_text` was given."""
    return _ESCAPE.sub(lambda match: chr(int(match[1] or match[2] or match[3], 16)), shown)


def safe_name(text: str, *, limit: int = 80) -> str:
    """Show a name in bounded space; a long one keeps its head, its length and a digest, so it stays itself.

    Parameters
    ----------
    text: an account, cluster or thing of the log.
    limit: characters after which it is shortened.
    """
    shown = safe_text(text)
    if len(shown) <= limit:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{shown[: limit - 40]}\u2026 ({len(text)} characters, sha256 {digest})"


def hex_bytes(text: str, *, limit: int = 48) -> str:
    """Spell a name as UTF-8 bytes in hex, the form in which look-alikes differ."""
    raw = text.encode("utf-8", "surrogatepass")
    return raw[:limit].hex(" ") + (" \u2026" if len(raw) > limit else "")


def is_blank(character: str) -> bool:
    """Tell whether a spreadsheet or a reader may skip this character at the start of a cell."""
    return character.isspace() or not character.isprintable() or character in INVISIBLE


def starts_formula(text: str) -> bool:
    """Tell whether a spreadsheet could take a cell for a formula, once blanks and apostrophes before it are skipped."""
    for character in text.lstrip("'"):
        if character in FORMULA_STARTS:
            return True
        if not is_blank(character):
            return False
    return False


def safe_cell(text: str) -> str:
    """Make a text safe as a spreadsheet cell (OWASP ASVS 1.2.10): an apostrophe before formulas, escapes made visible.

    Examples
    --------
    >>> safe_cell("=1+1")
    "'=1+1"
    >>> safe_cell("acct-1")
    'acct-1'
    """
    return ("'" if starts_formula(text) else "") + safe_text(text)


def unsafe_cell(cell: str) -> str:
    """Give back the text that `safe_cell` was given."""
    text = unsafe_text(cell)
    return text[1:] if text.startswith("'") and starts_formula(text) else text
