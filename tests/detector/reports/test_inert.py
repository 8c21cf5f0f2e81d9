"""Outputs that cannot bite, whatever a log holds: strings of our own; tests/torture has the corpus."""

from pathlib import Path

import pytest

from detector.reports.exports.registry import EXPORTS
from tests.torture.embedding import (
    OWN,
    active_content,
    bites,
    formula_cells,
    moves_the_reader,
    page_shape,
)


def names_of(folder: Path) -> list[str]:
    """Give the names of the files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_no_text_of_a_run_bites(tmp_path: Path) -> None:
    """Every text of every table and of the run's record hostile: no formula, tag, control byte, line or path of it."""
    assert bites(OWN, tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"hostile", "control", *EXPORTS}
    assert names_of(tmp_path / "hostile") == names_of(tmp_path / "control")


def test_the_checks_can_fail() -> None:
    """Each check finds what it is for, so that finding nothing means something."""
    assert formula_cells("name,n\n=1,2\nok,-3\n", ["n"]) == ["=1"]
    assert formula_cells('name,n\n"\ufeff =1",2\n', ["n"]) == ["\ufeff =1"]
    with pytest.raises(ValueError, match="could not convert"):
        formula_cells("name,n\nok,=3\n", ["n"])
    assert moves_the_reader("a\x1b\n\t\u202eb\x85") == ["\x1b", "\x85", "\u202e"]
    assert page_shape("<p><b>x</b></p>") == [("p",), ("b",)]
    page = "<meta default-src 'none'><img onerror='x'><i style='a:url(b)'></i>"
    assert active_content(page) == ["onerror", "url("]
    assert active_content("<p>https://x</p>") == ["https://", "no content security policy"]
