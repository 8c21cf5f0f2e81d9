"""From an opened log to profiles: batches are read ahead while the last is folded."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from detector.engines.log import Log, Restart
from detector.keeping import Keeper
from detector.profiles.store import Profiles, columns_read
from detector.progress import Tell, silent
from detector.turns import read_ahead

#: In how many parts progress is told.
_PARTS = 10_000


def _within(batch: pa.RecordBatch, window_us: tuple[int, int] | None) -> pa.RecordBatch:
    """Keep the rows of a window."""
    if window_us is None:
        return batch
    begin, end = (pa.scalar(bound, pa.timestamp("us", "UTC")) for bound in window_us)
    at = batch.column("occurred_at")
    return batch.filter(pc.and_(pc.greater_equal(at, begin), pc.less(at, end)))


def _tell_rows(tell: Tell, n_rows: int, share: float) -> None:
    """Tell how many rows were folded, and of about how many; a total that changed would begin the estimate anew."""
    if share > 0:
        tell(f"reading requests, {n_rows:,} of about {n_rows / share:,.0f}", round(_PARTS * share), _PARTS)
    else:
        tell("reading requests", n_rows)


def fold_log(
    log: Log,
    *,
    threads: int,
    tell: Tell = silent,
    wanted: tuple[str, ...] = (),
    window_us: tuple[int, int] | None = None,
    keeper: Keeper | None = None,
    check: Callable[[int, int], None] | None = None,
) -> Profiles:
    """Read a log into profiles.

    Parameters
    ----------
    wanted: optional slices to keep.
    window_us: Unix times [us] from the first of which, and before the second, rows are read; None is all.
    keeper: keeps what was read, and gives what an earlier run has kept; of whole logs.
    check: looks at the number of accounts and the bytes of a profile, before profiles grow and after each batch; may
        refuse to go on.

    Raises
    ------
    TooManyRejectsError, EmptyInputError
        See `Log.batches`.
    """
    columns = columns_read(log.columns)
    found = keeper.found(threads=threads) if keeper else None
    while True:
        profiles, since = found or (Profiles(columns, threads=threads, wanted=wanted), None)
        profiles.check = check
        n_rows = sum(tally.n_read for tally in since.tallies) if since else 0
        found = None
        try:
            for batch, mark in read_ahead(log.marked(columns, since=since, is_coded=True)):
                if keeper and mark:
                    keeper.offer(profiles, mark)
                batch = _within(batch, window_us)
                profiles.fold(batch)
                if check:
                    check(len(profiles), profiles.account_bytes)
                n_rows += batch.num_rows
                _tell_rows(tell, n_rows, log.share_read)
        except Restart:
            continue
        break
    if profiles.n_late:
        tell("putting requests in order of time")
        profiles.refold_rhythm(_within(batch, window_us) for batch in log.ordered_times())
    profiles.put_in_order()
    return profiles
