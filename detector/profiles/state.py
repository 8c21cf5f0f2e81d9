"""Profiles as a file: to go on after a run was cut off, or to keep a fold open for days.

The layout is one line that names the schema, two Arrow streams (one row an account; the values behind fingerprints),
and the SHA-256 of all before it: what was changed, cut or exchanged is refused, and nothing in it is executed.
It holds account names, payment instruments and statistics, and no prompt. Prompts are in it as unkeyed 64-bit
fingerprints: who has the file can tell whether a text that he guesses whole was asked, and addresses come back from
theirs. So it is private to the owner (0600), and lives no longer than it is needed.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

from detector.errors import StateError
from detector.files import new_file
from detector.profiles.slices import Array, Field
from detector.profiles.store import NAMED, SLICES, Profiles

SCHEMA = "stillwatch-profiles-1"
#: Begins the first line of every version.
_FAMILY = b"stillwatch-profiles-"
#: Longer than any first line.
_LINE_BYTES = 64
#: Accounts written at once: some 7 kB each are copied on the way. Chosen.
_ROWS = 4096
_NOTE = b"stillwatch"
_NAMES = pa.schema([("column", pa.string()), ("fingerprint", pa.uint64()), ("value", pa.string())])


class _Hashed:
    """Passes bytes on to a file and hashes them."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha256 = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.file.write(data)
        return len(data)

    def flush(self) -> None:
        self.file.flush()


def _fields(profiles: Profiles) -> Iterator[tuple[str, str, Field]]:
    for name in profiles.states:
        for field in SLICES[name].fields:
            yield f"{name}.{field.name}", name, field


def _type(field: Field) -> pa.DataType:
    inner = pa.from_numpy_dtype(np.dtype(field.dtype))
    return inner if field.width == 1 else pa.list_(inner, field.width)


def _schema(profiles: Profiles) -> pa.Schema:
    return pa.schema([("account_id", pa.string()), *((name, _type(field)) for name, _, field in _fields(profiles))])


def _column(values: Array, field: Field) -> pa.Array:
    flat = pa.array(values.reshape(-1))
    return flat if field.width == 1 else pa.FixedSizeListArray.from_arrays(flat, field.width)


def _batches(profiles: Profiles, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(profiles), _ROWS):
        rows = slice(start, min(start + _ROWS, len(profiles)))
        ids = pa.array(profiles.account_ids[rows], pa.string())
        columns = [_column(getattr(profiles.states[s], f.name)[rows], f) for _, s, f in _fields(profiles)]
        yield pa.RecordBatch.from_arrays([ids, *columns], schema=schema)


def _names(profiles: Profiles) -> pa.Table:
    rows = [(column, *pair) for column in NAMED for pair in sorted(profiles.names[column].items())]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table([pa.array(values, f.type) for values, f in zip(columns, _NAMES, strict=True)], schema=_NAMES)


def save(profiles: Profiles, path: Path, *, note: dict[str, Any]) -> None:
    """Write profiles to a file, whole or not at all; an earlier one is replaced.

    Parameters
    ----------
    note: plain JSON values that come back with the profiles, such as how far the log was read.

    Raises
    ------
    OSError
        The file cannot be written; what was there is untouched.
    """
    about = {"columns": profiles.columns, "wanted": profiles.wanted, "filled": sorted(profiles.filled), "note": note}
    schema = _schema(profiles).with_metadata({_NOTE: json.dumps(about, sort_keys=True)})
    names, options = _names(profiles), pa.ipc.IpcWriteOptions(compression="lz4")
    with new_file(path, replaces=True) as staging, staging.open("wb") as file:
        sink = _Hashed(file)
        sink.write(SCHEMA.encode() + b"\n")
        with pa.ipc.new_stream(sink, schema, options=options) as writer:
            for batch in _batches(profiles, schema):
                writer.write_batch(batch)
        with pa.ipc.new_stream(sink, _NAMES, options=options) as writer:
            writer.write_table(names)
        file.write(sink.sha256.digest())


def _check(file: IO[bytes], path: Path) -> int:
    """Refuse what is of another version or was changed; gives where the streams begin."""
    line = file.readline(_LINE_BYTES)
    if line.startswith(_FAMILY) and line.endswith(b"\n") and line != SCHEMA.encode() + b"\n":
        found = line[len(_FAMILY) : -1].decode("ascii", "replace")
        raise StateError(
            f"{path}: kept profiles of version {found!r}, {SCHEMA.removeprefix('stillwatch-profiles-')!r} is needed; "
            "remove the file, and read the log from the beginning"
        )
    sha256, size = hashlib.sha256(line), path.stat().st_size
    left = size - len(line) - sha256.digest_size
    while left > 0 and (chunk := file.read(min(left, 1 << 20))):
        sha256.update(chunk)
        left -= len(chunk)
    if left or file.read(sha256.digest_size + 1) != sha256.digest():
        raise StateError(
            f"{path}: kept profiles were changed or cut short, their digest differs; "
            "remove the file, and read the log from the beginning"
        )
    return len(line)


def _array(column: pa.ChunkedArray, field: Field, n: int) -> Array:
    """Copy a column into an array of its own, which kernels can write to."""
    values = np.empty((n, field.width) if field.width > 1 else n, field.dtype)
    start = 0
    for chunk in column.chunks:
        flat = chunk.flatten() if field.width > 1 else chunk
        values[start : start + len(chunk)] = flat.to_numpy().reshape(len(chunk), *values.shape[1:])
        start += len(chunk)
    return values


def _restored(table: pa.Table, names: pa.Table, about: dict[str, Any], threads: int) -> Profiles:
    profiles = Profiles(tuple(about["columns"]), threads=threads, wanted=tuple(about["wanted"]))
    if table.schema != _schema(profiles) or names.schema != _NAMES:
        raise ValueError("other columns")
    ids = table.column("account_id").to_pylist()
    arrays: dict[str, list[Array]] = {name: [] for name in profiles.states}
    for column, name, field in _fields(profiles):
        arrays[name].append(_array(table.column(column), field, len(ids)))
    profiles.states = {name: SLICES[name].state_type(*parts) for name, parts in arrays.items()}
    profiles.take_names(ids)
    profiles.filled = set(about["filled"])
    for column, fingerprint, value in zip(*(c.to_pylist() for c in names.columns), strict=True):
        profiles.names[column][fingerprint] = value
    return profiles


def load(path: Path, *, threads: int = 1) -> tuple[Profiles, dict[str, Any]]:
    """Read profiles that `save` wrote.

    Returns
    -------
    The profiles, to which more can be folded, and the note.

    Raises
    ------
    StateError
        The file cannot be read, is of another version, or was changed.
    """
    try:
        with path.open("rb") as file:
            file.seek(_check(file, path))
            with pa.ipc.open_stream(file) as reader:
                about = json.loads((reader.schema.metadata or {})[_NOTE])
                table = reader.read_all()
            with pa.ipc.open_stream(file) as reader:
                names = reader.read_all()
        return _restored(table, names, about, threads), about["note"]
    except OSError as error:
        raise StateError(f"{path}: cannot be read ({error.strerror}); remove it") from error
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise StateError(f"{path}: holds no profiles of this version; remove it") from error
