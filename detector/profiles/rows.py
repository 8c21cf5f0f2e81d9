"""Profiles as rows of an Arrow table: one row an account, one column a slice. So they travel, and meet again.

A cell is the slice's fields one after the other, in their order, little-endian and without gaps: nothing is executed to
read it. Rows of one account from several tables merge as the profiles they are.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.profiles.slices import Slice
from detector.profiles.store import SLICES, Profiles, combine, slices_for

KEY = "account_id"
#: Accounts in a batch; with 10 kB each its buffers stay far below the 2 GiB that offsets reach (chosen).
_BATCH = 16_384


def rows_schema(columns: Iterable[str], wanted: Collection[str] = ()) -> pa.Schema:
    """Give the columns of the profiles of a log with these canonical columns."""
    cells = [pa.field(piece.name, pa.binary(), nullable=False) for piece in slices_for(columns, wanted)]
    return pa.schema([pa.field(KEY, pa.string(), nullable=False), *cells])


def to_rows(profiles: Profiles) -> pa.Table:
    """Write profiles as rows of `rows_schema`, in the order of their accounts."""
    schema, states = rows_schema(profiles.columns, profiles.wanted), profiles.trimmed()
    batches = []
    for begin in range(0, len(profiles), _BATCH):
        names = profiles.account_ids[begin : begin + _BATCH]
        cells = [_packed(SLICES[f.name], states[f.name], begin, begin + len(names)) for f in list(schema)[1:]]
        batches.append(pa.record_batch([pa.array(names, pa.string()), *cells], schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def from_rows(rows: pa.Table, columns: Sequence[str], wanted: Sequence[str] = ()) -> Profiles:
    """Read profiles; rows of one account merge, in whatever order they come.

    Gaps are exact when the pieces of an account are disjoint in time; otherwise `Profiles.n_late` tells.

    Parameters
    ----------
    rows: columns of `rows_schema`, of the same columns and slices.

    Raises
    ------
    ValueError
        A cell has not the size of its slice: it was written with other slices.
    """
    number: dict[str, int] = {}
    groups = np.array([number.setdefault(a, len(number)) for a in rows.column(KEY).to_pylist()], dtype=np.int64)
    ids, states = list(number), {}
    for piece in slices_for(columns, wanted):
        state = _unpacked(piece, rows.column(piece.name))
        is_merged = len(ids) == len(groups)
        states[piece.name] = state if is_merged else combine(piece, state, groups, len(ids), is_same_actor=True)
    return Profiles(tuple(columns), wanted=tuple(wanted), account_ids=ids, states=states)


def _layout(piece: Slice) -> np.dtype[Any]:
    fields = [(f.name, np.dtype(f.dtype).newbyteorder("<"), (f.width,) if f.width > 1 else ()) for f in piece.fields]
    return np.dtype(fields)


def _packed(piece: Slice, state: Any, begin: int, end: int) -> pa.Array:
    cells = np.empty(end - begin, _layout(piece))
    for field, values in zip(piece.fields, state, strict=True):
        cells[field.name] = values[begin:end]
    offsets = np.arange(end - begin + 1, dtype=np.int32) * np.int32(cells.dtype.itemsize)
    return pa.Array.from_buffers(pa.binary(), end - begin, [None, pa.py_buffer(offsets), pa.py_buffer(cells)])


def _unpacked(piece: Slice, column: pa.ChunkedArray) -> Any:
    """Read the cells of a slice, chunk by chunk, so that nothing is held twice."""
    state, begin = piece.new_state(len(column)), 0
    for chunk in column.chunks:
        cells = _cells(piece, chunk)
        for field, target in zip(piece.fields, state, strict=True):
            target[begin : begin + len(chunk)] = cells[field.name]
        begin += len(chunk)
    return state


def _cells(piece: Slice, chunk: pa.Array) -> npt.NDArray[Any]:
    layout, width = _layout(piece), np.int32
    if pa.types.is_large_binary(chunk.type):
        width = np.int64  # type: ignore[assignment]
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, width)[chunk.offset : chunk.offset + len(chunk) + 1] if len(chunk) else np.zeros(1)
    if chunk.null_count or np.any(np.diff(ends) != layout.itemsize):
        raise ValueError(f"profiles: a cell of {piece.name} is not {layout.itemsize} bytes; fold the log anew")
    return np.frombuffer(data, layout, count=len(chunk), offset=int(ends[0])) if len(chunk) else np.empty(0, layout)
