"""From an opened log to profiles: batches are read ahead while the last is folded."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from detector.engines.embedded import Log, Restart
from detector.profiles.store import Profiles, columns_read
from detector.progress import Tell, silent

#: Batches read while one is folded; with one, the parts of a fold that end early leave a processor idle.
_AHEAD = 2


def read_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass batches through, reading the next ones while the last is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        pending = deque(reader.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := pending.popleft().result()) is not None:
            pending.append(reader.submit(next, batches, None))
            yield batch


def fold_log(log: Log, *, threads: int, tell: Tell = silent, wanted: tuple[str, ...] = ()) -> Profiles:
    """Read a log into profiles.

    Parameters
    ----------
    wanted: optional slices to keep.

    Raises
    ------
    TooManyRejectsError, EmptyInputError
        See `Log.batches`.
    """
    columns = columns_read(log.columns)
    while True:
        profiles = Profiles(columns, threads=threads, wanted=wanted)
        n_rows = 0
        try:
            for batch in read_ahead(log.batches(columns)):
                profiles.fold(batch)
                n_rows += batch.num_rows
                tell("reading requests", n_rows)
        except Restart:
            continue
        break
    if profiles.n_late:
        tell("putting requests in order of time")
        profiles.refold_rhythm(log.ordered_times())
    profiles.put_in_order()
    return profiles
