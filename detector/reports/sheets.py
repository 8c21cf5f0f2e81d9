"""Tables as CSV that is safe to open in a spreadsheet. Texts are changed, never numbers; Parquet has exact values."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from detector.reports.safe import SUSPECT_CELL, safe_cell, unsafe_cell


def safe_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make every text of a column safe as a cell; texts that cannot be harmful are not touched."""
    suspect = pc.fill_null(pc.match_substring_regex(column, SUSPECT_CELL), False)
    if not pc.any(suspect).as_py():
        return column
    harmless = pa.array([safe_cell(text) for text in column.filter(suspect).to_pylist()], column.type)
    return pc.replace_with_mask(column.combine_chunks(), suspect.combine_chunks(), harmless)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as RFC 4180 CSV, texts quoted, null an empty cell without quotes."""
    from pyarrow import csv

    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field, safe_column(table[field.name]))
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))


def read_csv(path: Path, schema: pa.Schema) -> pa.Table:
    """Read back what `write_csv` wrote, texts as they were before they were made safe.

    Raises
    ------
    pyarrow.ArrowInvalid
        The file does not fit the schema.
    """
    from pyarrow import csv

    convert = csv.ConvertOptions(
        column_types=schema,
        include_columns=schema.names,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    table = csv.read_csv(path, convert_options=convert)
    for place, field in enumerate(schema):
        if pa.types.is_string(field.type):
            exact = [None if cell is None else unsafe_cell(cell) for cell in table[field.name].to_pylist()]
            table = table.set_column(place, field, pa.array(exact, field.type))
    return table
