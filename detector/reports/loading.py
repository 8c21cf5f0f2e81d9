"""A scored folder back as `Results`. Reads only what `publish` writes; anything else is refused, never guessed."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector import tables
from detector.claims import LAST_FILE
from detector.errors import KeyFileError, NotScoredError
from detector.reports.publish import ASKED, EXACT
from detector.reports.sheets import read_csv
from detector.results import Results


def _refusal(path: Path, reason: str) -> NotScoredError:
    return NotScoredError(f"{path}: {reason}; give the folder that `stillwatch score --out` wrote")


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path, memory_map=True).read()
    except FileNotFoundError as error:
        raise _refusal(path, "is missing") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise _refusal(path, "is not a readable Parquet file") from error
    if table.schema.remove_metadata() != schema.remove_metadata():
        raise _refusal(path, f"has columns {table.schema.names!r}, not {schema.names!r} of the expected types")
    return table


def _read_rejected(path: Path) -> pa.Table:
    try:
        return read_csv(path, tables.REJECTED)
    except FileNotFoundError as error:
        raise _refusal(path, "is missing") from error
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise _refusal(path, f"does not have the columns {tables.REJECTED.names!r}") from error


def read_run(path: Path) -> dict[str, Any]:
    """Read the record of a run.

    Raises
    ------
    NotScoredError
        It is missing or is no record.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refusal(path, "is missing or unreadable") from error
    except ValueError as error:
        raise _refusal(path, "is not JSON") from error
    if not isinstance(run, dict):
        raise _refusal(path, "is not a JSON object")
    return run


def key_id_of(folder: Path) -> str | None:
    """Tell which key made the pseudonyms of a scored folder; None where names are as in the log.

    Raises
    ------
    NotScoredError
        The folder has no readable record of a run.
    """
    made = read_run(folder / LAST_FILE).get("pseudonyms")
    return str(made.get("key_id")) if isinstance(made, dict) else None


def check_key(folder: Path, key_id: str | None) -> None:
    """Refuse to mix names with pseudonyms, or pseudonyms of two keys.

    Parameters
    ----------
    key_id: of the key in use; None for none.

    Raises
    ------
    KeyFileError
        The folder was made with another key, or one of the two without any.
    """
    made = key_id_of(folder)
    if made != key_id:
        raise KeyFileError(
            f"{folder}: holds {_names_of(made)}, and this run has {_names_of(key_id)}; give --pseudonymize as it was "
            "when the folder was made"
        )


def _names_of(key_id: str | None) -> str:
    return "names as in the log" if key_id is None else f"pseudonyms of the key {key_id}"


def load_history(folder: Path, key_id: str | None = None) -> pa.Table:
    """Read what an earlier run of `stillwatch score` wrote for later looks; columns of `tables.HISTORY`.

    Parameters
    ----------
    key_id: of the key that makes pseudonyms in this run; None for none.

    Raises
    ------
    NotScoredError
        The folder holds no history.
    KeyFileError
        Its names were made with another key, or with none.
    """
    history = _read_table(folder / "history.parquet", tables.HISTORY)
    check_key(folder, key_id)
    return history


def load_results(folder: Path) -> Results:
    """Read what `stillwatch score` wrote.

    Raises
    ------
    NotScoredError
        The folder, or one of its files, is missing, damaged or of another making.
    """
    if not folder.is_dir():
        raise _refusal(folder, "is not a folder" if folder.exists() else "does not exist")
    run = read_run(folder / LAST_FILE)
    run.pop("files", None)  # of the folder, not of the run
    kept = {field: _read_table(folder / f"{stem}.parquet", schema) for field, (stem, schema) in EXACT.items()}
    for field, (stem, schema) in ASKED.items():
        path = folder / f"{stem}.parquet"
        kept[field] = _read_table(path, schema) if path.exists() else schema.empty_table()
    return Results(**kept, rejected=_read_rejected(folder / "rejected.csv"), run=run)
