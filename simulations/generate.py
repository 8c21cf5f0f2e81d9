"""Writing a scenario's log, truth and audit into a folder, whole or not at all."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from detector.errors import UsageError, nearest
from detector.progress import progress
from detector.reports.atomic import new_folder
from detector.tables import EVENTS
from simulations.audit import Audit
from simulations.settings import ScenarioSettings
from simulations.shapes import SHAPES
from simulations.toml_text import toml_text
from simulations.world import CHUNK_ROWS, WORKERS, build
from simulations.writers import LOG_FORMATS, daily_writer, log_writer, parquet_writer

#: What `truth_requests.parquet` holds: every request of a campaign's accounts; all other requests are honest.
REQUEST_TRUTH = pa.schema(
    [EVENTS.field("request_id"), EVENTS.field("account_id"), pa.field("is_extraction", pa.bool_())],
)


def generate(
    scenario: ScenarioSettings,
    out: Path,
    *,
    log_format: str = "parquet",
    shape: str = "stillwatch",
    is_daily: bool = False,
    chunk_rows: int = CHUNK_ROWS,
    workers: int = WORKERS,
) -> dict[str, Any]:
    """Write events, truth by account and by request, accounts, the resolved scenario and the audit.

    Parameters
    ----------
    out: folder to make; it must be absent or empty.
    log_format: one of `LOG_FORMATS`.
    shape: one of `SHAPES`: whose columns the log has.
    is_daily: a folder with a file for each day, instead of one file.
    chunk_rows: requests held as text at a time; changes memory, never a byte.
    workers: threads; changes no byte.

    Returns
    -------
    What `audit.json` holds.

    Raises
    ------
    UsageError
        The format or the shape is unknown.
    OutputNotEmptyError
        `out` holds something.
    """
    _check("--log-format", log_format, LOG_FORMATS)
    _check("--shape", shape, tuple(SHAPES))
    with new_folder(out) as folder, progress() as tell:
        world = build(scenario, folder=folder, workers=workers, tell=tell)
        audit = Audit(world)
        opened = (
            daily_writer(folder / "events", log_format, shape=shape)
            if is_daily
            else log_writer(folder / f"events.{log_format}", log_format, shape=shape)
        )
        with (
            closing(world.spill),
            opened as write,
            parquet_writer(folder / "truth_requests.parquet", REQUEST_TRUTH) as write_truth,
        ):
            for number, (records, events) in enumerate(world.rows(chunk_rows=chunk_rows, workers=workers)):
                tell("writing requests", number * chunk_rows, world.n_events)
                write(events)
                write_truth(world.request_truth(records, events))
                audit.add(records, events)
        accounts, truth = world.accounts(), world.truth()
        report = audit.report(accounts, truth)
        pyarrow.parquet.write_table(accounts, folder / "accounts.parquet")
        pyarrow.parquet.write_table(truth, folder / "truth.parquet")
        (folder / "scenario.toml").write_text(toml_text(scenario.model_dump(mode="json")), encoding="utf-8")
        (folder / "audit.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _check(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{option} {value!r} is unknown; {nearest(value, allowed)}")
