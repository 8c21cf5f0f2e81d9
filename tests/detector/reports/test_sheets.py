import csv
import unicodedata

import pyarrow as pa

from detector import tables
from detector.reports.sheets import read_csv, safe_column, write_csv

TRIGGERS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


def _starts_a_formula(cell: str) -> bool:
    """Judge a cell as a checker would, without the module under test."""
    for character in cell:
        if character in TRIGGERS:
            return True
        if unicodedata.category(character)[0] not in "CZ":
            return False
    return False


def _cells(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_no_hostile_string_is_a_formula(make_results, hostile_strings, tmp_path):
    """Every hostile string as account name: no formula, no control byte, as many rows and cells as accounts."""
    results = make_results(hostile_strings)
    write_csv(results.scored, tmp_path / "accounts.csv")
    raw = (tmp_path / "accounts.csv").read_bytes()
    rows = _cells(tmp_path / "accounts.csv")
    assert len(hostile_strings) + 1 == len(rows)
    assert {len(tables.SCORED.names)} == {len(row) for row in rows}
    assert [row[0] for row in rows if _starts_a_formula(row[0])] == []
    assert not set(raw) & (set(range(32)) - {10} | {127})
    assert results.scored == read_csv(tmp_path / "accounts.csv", tables.SCORED)


def test_numbers_are_not_touched(tmp_path):
    """A negative number stays a number; only texts are quoted."""
    table = pa.table({"name": ["-1", None, ""], "score": [-1.5, None, 2.0]})
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b'"name","score"\n"\'-1",-1.5\n,\n"",2\n'


def test_harmless_columns_are_not_rebuilt():
    """A million plain names cost one regular-expression pass."""
    column = pa.chunked_array([["acct-1", "acct-2"], ["acct-3", None]])
    assert safe_column(column) is column
    assert safe_column(pa.chunked_array([["=1"], ["a", None]])).to_pylist() == ["'=1", "a", None]
