"""From an opened log to profiles: batches are read ahead while the last is folded."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from detector.engines.embedded import Log, Restart
from detector.profiles.store import Profiles, columns_read
from detector.progress import Tell, silent
from detector.turns import read_ahead


def _within(batches: Iterator[pa.RecordBatch], window_us: tuple[int, int] | None) -> Iterator[pa.RecordBatch]:
    """Keep the rows of a window; batches that have none are passed over."""
    if window_us is None:
        yield from batches
        return
    begin, end = (pa.scalar(bound, pa.timestamp("us", "UTC")) for bound in window_us)
    for batch in batches:
        at = batch.column("occurred_at")
        kept = batch.filter(pc.and_(pc.greater_equal(at, begin), pc.less(at, end)))
        if kept.num_rows:
            yield kept


def fold_log(
    log: Log,
    *,
    threads: int,
    tell: Tell = silent,
    wanted: tuple[str, ...] = (),
    window_us: tuple[int, int] | None = None,
) -> Profiles:
    """Read a log into profiles.

    Parameters
    ----------
    wanted: optional slices to keep.
    window_us: Unix times [us] from the first of which, and before the second, rows are read; None is all.

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
            for batch in read_ahead(_within(log.batches(columns), window_us)):
                profiles.fold(batch)
                n_rows += batch.num_rows
                tell("reading requests", n_rows)
        except Restart:
            continue
        break
    if profiles.n_late:
        tell("putting requests in order of time")
        profiles.refold_rhythm(_within(log.ordered_times(), window_us))
    profiles.put_in_order()
    return profiles
