"""What is written is described: a column or format that docs/outputs.md does not name is not there for its readers."""

from pathlib import Path

from detector import tables
from detector.reports.exports.registry import EXPORTS
from detector.reports.publish import ASKED, EXACT

PAGE = (Path(__file__).parents[3] / "docs" / "outputs.md").read_text(encoding="utf-8")


def test_every_file_column_and_format_is_described():
    """Files, columns of all tables, and exports, by name."""
    schemas = {f"{stem}.parquet": schema for stem, schema in (EXACT | ASKED).values()}
    schemas["rejected.csv"] = tables.REJECTED
    names = {*schemas, *EXPORTS, *(column for schema in schemas.values() for column in schema.names)}
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []
