"""What a look leaves beside findings: how all stand now, and how the watch does. Each file is replaced whole."""

import json
from pathlib import Path
from typing import Any

from detector import tables
from detector.files import new_file
from detector.reports.findings import to_json
from detector.reports.publish import write_parquet
from detector.reports.sheets import write_csv
from detector.results import Results

STATUS_FILE = "watch.json"


def write_outputs(results: Results, status: dict[str, Any], out: Path) -> None:
    """Write what a look found, its status last.

    Parameters
    ----------
    status: of the watch, plain JSON values.
    out: a folder that is there.
    """
    with new_file(out / "accounts.parquet", replaces=True) as staging:
        write_parquet(results.scored, tables.SCORED, staging)
    with new_file(out / "evidence.parquet", replaces=True) as staging:
        write_parquet(results.evidence, tables.EVIDENCE, staging)
    with new_file(out / "rejected.csv", replaces=True) as staging:
        write_csv(results.rejected.select(tables.REJECTED.names), staging)
    run = {key: value for key, value in results.run.items() if key != "inputs"}
    with new_file(out / STATUS_FILE, replaces=True) as staging:
        staging.write_text(to_json({"watch": status, **run}, indent=2) + "\n", encoding="ascii")


def looks_written(out: Path) -> int:
    """Give how many looks the outputs are of; 0 where none are there, or not whole."""
    try:
        n_looks = json.loads((out / STATUS_FILE).read_text(encoding="ascii"))["watch"]["n_looks"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return n_looks if isinstance(n_looks, int) else 0
