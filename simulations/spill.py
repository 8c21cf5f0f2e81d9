"""Requests before any text, put in order outside memory: files without a name, one per stretch of time.

Requests come in any order and leave sorted by time, then account key, then ordinal. That order is total, so neither
the stretches nor the order of arrival change it. Memory holds one stretch; an overfull one is read in slices.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from simulations.streams import Counts, Keys

Records = npt.NDArray[Any]
RECORD = np.dtype(
    [
        ("at_us", np.int64), ("owner", np.uint64), ("item", np.int64), ("account", np.uint32), ("ordinal", np.uint32),
        ("session", np.uint32), ("turn", np.uint16), ("kind", np.uint8), ("plan", np.uint8),
    ]
)  # fmt: skip
#: Requests that are sorted at once: 40 MB. Chosen.
STRETCH_ROWS = 1 << 20
#: Most files open at once. Chosen below the usual limit of 1,024.
MOST_FILES = 512


@dataclass
class Spill:
    """Takes in requests and gives them back in order."""

    keys: Keys
    """Key of every account."""
    length_us: int
    n_expected: int
    folder: Path | None = None
    """Where the nameless files live; None is where temporary files live."""
    stretch_rows: int = STRETCH_ROWS
    n_records: int = 0
    _files: list[IO[bytes]] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _held: list[Records] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open a file per stretch, unless all fits into one."""
        wanted = -(-self.n_expected // self.stretch_rows)
        n = min(max(wanted, 1), MOST_FILES)
        if n > 1:
            self._files = [tempfile.TemporaryFile(dir=self.folder, buffering=0) for _ in range(n)]  # noqa: SIM115
            self._sizes = [0] * n

    def add(self, records: Records) -> None:
        """Take in requests of any time."""
        self.n_records += len(records)
        if not self._files:
            self._held.append(records)
            return
        stretch = (records["at_us"] * len(self._files) // self.length_us).astype(np.uint16)
        order = np.argsort(stretch, kind="stable")
        ends = np.searchsorted(stretch[order], np.arange(len(self._files) + 1))
        sorted_records = taken(records, order)
        for number, file in enumerate(self._files):
            part = sorted_records[ends[number] : ends[number + 1]]
            if len(part):
                file.write(part.tobytes())
                self._sizes[number] += len(part)

    def chunks(self, n_rows: int) -> Iterator[Records]:
        """Give all requests in order, `n_rows` at a time."""
        rest = np.empty(0, dtype=RECORD)
        for records in self._slices():
            rest = joined([rest, self.in_order(records)]) if len(rest) else self.in_order(records)
            whole = len(rest) - len(rest) % n_rows
            for begin in range(0, whole, n_rows):
                yield rest[begin : begin + n_rows]
            rest = rest[whole:].copy()
        if len(rest):
            yield rest

    def close(self) -> None:
        """Let the files go."""
        for file in self._files:
            file.close()

    def _slices(self) -> Iterator[Records]:
        if not self._files:
            yield joined([np.empty(0, dtype=RECORD), *self._held])
        for file, size in zip(self._files, self._sizes, strict=True):
            if size:
                yield from self._parts(np.memmap(file, dtype=RECORD, mode="r", shape=(size,)))

    def _parts(self, whole: Records) -> Iterator[Records]:
        """Cut an overfull stretch by time, so that equal instants stay together."""
        n = -(-len(whole) // (2 * self.stretch_rows))
        if n == 1:
            yield np.array(whole)
            return
        instants = whole["at_us"]
        sample = np.sort(np.array(instants[:: max(1, len(instants) // 100_000)]))
        bounds = [-1, *(int(sample[len(sample) * i // n]) for i in range(1, n)), int(instants.max()) + 1]
        for low, high in pairwise(bounds):
            yield np.array(whole[(instants >= low) & (instants < high)]) if low < high else np.empty(0, dtype=RECORD)

    def in_order(self, records: Records) -> Records:
        """Sort records by time, key of the account, ordinal."""
        at = np.ascontiguousarray(records["at_us"])
        order: Counts = np.argsort(at)
        ordered = at[order]
        same = ordered[1:] == ordered[:-1]
        if same.any():
            tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
            some = order[tied]
            keys = self.keys[records["account"][some]]
            order[tied] = some[np.lexsort((records["ordinal"][some], keys, ordered[tied]))]
        return taken(records, order)


def taken(records: Records, order: Any) -> Records:
    """Take some records, as whole words of 8 bytes: many times faster than field by field."""
    words = np.ascontiguousarray(records).view(np.uint64).reshape(len(records), records.dtype.itemsize // 8)
    some: Records = words.take(order, axis=0).reshape(-1).view(records.dtype)
    return some


def joined(parts: list[Records]) -> Records:
    """Put records one after the other, as whole words of 8 bytes."""
    whole: Records = np.concatenate([part.view(np.uint64) for part in parts]).view(RECORD)
    return whole
