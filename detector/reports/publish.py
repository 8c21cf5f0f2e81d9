"""All outputs of a scoring run, written whole or not at all. Equal results give equal bytes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from detector import tables
from detector.claims import LAST_FILE
from detector.reports.atomic import new_folder
from detector.reports.drawing import Draw, draw_here
from detector.reports.findings import to_json, write_findings
from detector.reports.html import write_report
from detector.reports.sheets import write_csv
from detector.results import Results

#: Rows per Parquet row group: fixed, so that bytes do not depend on how a table was chunked.
ROW_GROUP = 1_000_000

#: Tables kept exactly, by the field of `Results` and the stem of their file.
EXACT = {
    "scored": ("accounts", tables.SCORED),
    "clusters": ("clusters", tables.CLUSTERS),
    "evidence": ("evidence", tables.EVIDENCE),
    "links": ("links", tables.LINKS),
    "timeline": ("timeline", tables.TIMELINE),
    "history": ("history", tables.HISTORY),
    "lookalikes": ("lookalikes", tables.LOOKALIKES),
}

#: Written only where they hold something: the user asked for prompts, or gave what tells of origins.
ASKED = {
    "excerpts": ("excerpts", tables.EXCERPTS),
    "origins": ("origins", tables.ORIGINS),
}


def write_parquet(table: pa.Table, schema: pa.Schema, path: Path) -> None:
    """Write a table with exactly the columns of its contract."""
    from pyarrow import parquet

    table = table.select(schema.names).cast(schema)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, table.num_rows, ROW_GROUP):
            writer.write_table(table.slice(start, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)


def _write_tables(results: Results, folder: Path) -> None:
    for field, (stem, schema) in EXACT.items():
        write_parquet(getattr(results, field), schema, folder / f"{stem}.parquet")
    for field, (stem, schema) in ASKED.items():
        if getattr(results, field).num_rows:
            write_parquet(getattr(results, field), schema, folder / f"{stem}.parquet")
    write_csv(results.scored.select(tables.SCORED.names), folder / "accounts.csv")
    write_csv(results.rejected.select(tables.REJECTED.names), folder / "rejected.csv")


def write_results(results: Results, out: Path, *, report_accounts: int, draw: Draw = draw_here) -> None:
    """Write everything a scoring run found.

    Parameters
    ----------
    out: the folder to make; absent or empty.
    report_accounts: flagged accounts that `report.html` shows in full.
    draw: makes its charts.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something already.
    UsageError
        `out` cannot be made.
    """
    with new_folder(out) as folder, ThreadPoolExecutor(2, thread_name_prefix="write") as aside:
        page = aside.submit(write_report, results, folder / "report.html", report_accounts=report_accounts, draw=draw)
        tables_written = aside.submit(_write_tables, results, folder)
        write_findings(results, folder / "findings.jsonl")
        page.result()
        tables_written.result()
        run = {**results.run, "files": sorted([LAST_FILE, *(path.name for path in folder.iterdir())])}
        (folder / LAST_FILE).write_text(to_json(run, indent=2) + "\n", encoding="ascii")
