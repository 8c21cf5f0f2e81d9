"""Writing a scenario's log, truth and audit into a folder, whole or not at all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from detector.errors import UsageError, nearest
from detector.progress import progress
from detector.reports.atomic import new_folder
from detector.tables import EVENTS
from simulations.audit import Audit
from simulations.settings import ScenarioSettings
from simulations.toml_text import toml_text
from simulations.world import CHUNK_ROWS, build

LOG_FORMATS = ("parquet", "csv", "jsonl")
#: Columns that this generator never fills; text formats leave them out.
UNFILLED = (
    "end_user_id", "session_id", "tls_fingerprint", "completion", "reasoning_tokens", "n_choices", "wants_logprobs",
    "n_requests",
)  # fmt: skip

Write = Callable[[pa.Table], None]


def generate(
    scenario: ScenarioSettings, out: Path, *, log_format: str = "parquet", chunk_rows: int = CHUNK_ROWS
) -> dict[str, Any]:
    """Write events, truth, accounts, the resolved scenario and the audit.

    Parameters
    ----------
    out: folder to make; it must be absent or empty.
    log_format: one of `LOG_FORMATS`.
    chunk_rows: requests held as text at a time; changes memory and Parquet row groups, never a value.

    Returns
    -------
    What `audit.json` holds.

    Raises
    ------
    UsageError
        The format is unknown.
    OutputNotEmptyError
        `out` holds something.
    """
    if log_format not in LOG_FORMATS:
        raise UsageError(f"--log-format {log_format!r} is unknown; {nearest(log_format, LOG_FORMATS)}")
    with new_folder(out) as folder:
        world = build(scenario)
        audit = Audit(n_events=world.n_events)
        with _log_writer(folder / f"events.{log_format}", log_format) as write, progress() as tell:
            for number, events in enumerate(world.events(chunk_rows=chunk_rows)):
                tell("writing requests", number * chunk_rows, world.n_events)
                write(events)
                audit.add(events)
        accounts, truth = world.accounts(), world.truth()
        report = audit.report(accounts, truth, max_tree_auc=scenario.max_tree_auc)
        pyarrow.parquet.write_table(accounts, folder / "accounts.parquet")
        pyarrow.parquet.write_table(truth, folder / "truth.parquet")
        (folder / "scenario.toml").write_text(toml_text(scenario.model_dump()), encoding="utf-8")
        (folder / "audit.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


@contextmanager
def _log_writer(path: Path, log_format: str) -> Iterator[Write]:
    if log_format == "parquet":
        with pyarrow.parquet.ParquetWriter(path, EVENTS, compression="zstd") as parquet:
            yield parquet.write_table
    elif log_format == "csv":
        with pyarrow.csv.CSVWriter(path, _texts(EVENTS.empty_table()).schema) as table:
            yield lambda events: table.write_table(_texts(events))
    else:
        with path.open("w", encoding="utf-8", newline="\n") as lines:
            yield lambda events: _write_json(events, lines)


def _texts(events: pa.Table) -> pa.Table:
    """Spell instants as RFC 3339 and leave out what is never filled."""
    instants = pc.strftime(events["occurred_at"], format="%Y-%m-%dT%H:%M:%SZ")
    return events.drop_columns(list(UNFILLED)).set_column(0, "occurred_at", instants)


def _write_json(events: pa.Table, lines: Any) -> None:
    whole = {pa.int64(): pd.Int64Dtype()}
    rows = _texts(events).to_pandas(types_mapper=whole.get)
    lines.write(rows.to_json(orient="records", lines=True, double_precision=10))
