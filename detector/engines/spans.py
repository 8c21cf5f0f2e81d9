"""A large file in spans that are read apart: rows of Parquet, runs of whole records of text.

A record of CSV may hold line ends in quotes, so where one begins depends on all that stands before it. Blocks are
surveyed apart: how many quotation marks each holds, and where its first record would end if it began outside of
quotes, or inside. Put in order, the counts tell which it was. Only plain text is cut; what is compressed is one span.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numba import njit

from detector.engines.scans import FileScan
from detector.logs.sources import read_chunks

#: Least and most bytes that are read at once (chosen: a start-up must not show, nor may a lost task cost an hour).
LEAST_BYTES, MOST_BYTES = 32 << 20, 512 << 20
#: Tasks to each processor, so that a slow one does not keep the others waiting (chosen).
_TASKS_PER_CORE = 3
_QUOTE, _LINE_END = ord('"'), ord("\n")
_NONE = -1


@dataclass(frozen=True)
class Part:
    """A file of the log, by number, or a span of it; `is_exact` where it is known to hold bad records."""

    file: int
    span: tuple[int, int] | None = None
    is_exact: bool = False


@dataclass(frozen=True)
class Block:
    """Bytes of a file that are surveyed at once."""

    file: int
    begin: int
    end: int


#: Quotation marks of a block, and where its first record ends that begins outside of quotes, and inside; -1 is nowhere.
Survey = tuple[int, int, int]


def span_bytes(scans: Sequence[FileScan], n_cores: int) -> int:
    """Choose how much is read at once: some tasks to each processor."""
    total = sum(scan.file.n_bytes for scan in scans)
    return min(max(total // (_TASKS_PER_CORE * n_cores), LEAST_BYTES), MOST_BYTES)


def is_cut(scan: FileScan, size: int) -> bool:
    """Tell whether a file is worth cutting, and can be."""
    return scan.file.n_bytes > 2 * size and scan.file.compression == "none" and not scan.needs_exact


def blocks_of(scans: Sequence[FileScan], size: int) -> list[Block]:
    """Lay blocks over the text files that are worth cutting."""
    return [
        Block(number, begin, min(begin + size, scan.file.n_bytes))
        for number, scan in enumerate(scans)
        if is_cut(scan, size) and scan.file.kind != "parquet"
        for begin in range(scan.header.n_bytes if scan.file.kind == "csv" else 0, scan.file.n_bytes, size)
    ]


def survey(scan: FileScan, block: Block) -> Survey:
    """Look through a block."""
    ends, n_quotes, passed = np.full(2, _NONE, np.int64), 0, block.begin
    limit = block.end - block.begin
    for chunk in read_chunks(scan.file.name, scan.file.path, "none", begin=block.begin, limit=limit):
        n_quotes = int(_look(np.frombuffer(chunk, np.uint8), scan.file.kind == "csv", n_quotes, passed, ends))
        passed += len(chunk)
    return n_quotes, int(ends[0]), int(ends[1])


@njit(cache=True, nogil=True)
def _look(view: Any, is_quoted: Any, n_quotes: Any, passed: Any, ends: Any) -> Any:
    for i in range(len(view)):
        if is_quoted and view[i] == _QUOTE:
            n_quotes += 1
        elif view[i] == _LINE_END and ends[n_quotes % 2] == _NONE:
            ends[n_quotes % 2] = passed + i + 1
    return n_quotes


def byte_spans(blocks: Sequence[Block], surveys: Sequence[Survey]) -> list[tuple[int, int]]:
    """Put the surveys of one file's blocks in order; gives the spans of whole records that cover it.

    Returns
    -------
    None at all where quotation marks do not balance: such a file is read as one.
    """
    begins, n_quotes = [blocks[0].begin], 0
    for block, (n_here, *ends) in zip(blocks, surveys, strict=True):
        end = ends[n_quotes % 2]
        if block.begin > begins[0] and begins[-1] < end < blocks[-1].end:
            begins.append(end)
        n_quotes += n_here
    if n_quotes % 2:
        return []
    return list(zip(begins, [*begins[1:], blocks[-1].end], strict=True))


def row_spans(scan: FileScan, size: int) -> list[tuple[int, int]]:
    """Give spans of rows that end where row groups do."""
    found = pq.read_metadata(scan.file.path)
    rows = np.array([found.row_group(i).num_rows for i in range(found.num_row_groups)], dtype=np.int64)
    ends = np.cumsum(rows)
    share = ends * (scan.file.n_bytes / max(int(rows.sum()), 1)) // size
    kept = ends[np.append(share[1:] != share[:-1], True)]
    return [(int(begin), int(end)) for begin, end in zip([0, *kept[:-1]], kept, strict=True)]


def tasks_of(scans: Sequence[FileScan], spans: dict[int, list[tuple[int, int]]], size: int) -> list[tuple[Part, ...]]:
    """Put a log together from tasks: a span each, or some small files.

    Parameters
    ----------
    spans: of the files that are cut, by number.
    """
    tasks: list[tuple[Part, ...]] = []
    held: list[Part] = []
    n_held = 0
    for number, scan in enumerate(scans):
        if len(spans.get(number, ())) > 1:
            tasks += [(Part(number, span),) for span in spans[number]]
            continue
        held.append(Part(number))
        n_held += scan.file.n_bytes
        if n_held >= size:
            tasks.append(tuple(held))
            held, n_held = [], 0
    return [*tasks, tuple(held)] if held else tasks
