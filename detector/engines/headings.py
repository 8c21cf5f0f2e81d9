"""A CSV file put together of several, whose header stands in it again: told, and never taken for a request."""

from collections.abc import Iterable, Iterator, Sequence

from detector.engines.tallies import Tally
from detector.logs.resync import Record

_AGAIN = "the header stands here again, as where files were put together"
_BEGUN_AGAIN = f"{_AGAIN}, and after it the first record: its requests may count twice"
_MARK = "\ufeff"


def without_headers(records: Iterable[Record], names: Sequence[str], tally: Tally) -> Iterator[Record]:
    """Yield the good records of a file; the others go to the tally, and so does the header where it comes again.

    Parameters
    ----------
    names: of the columns, in file order.
    """
    header, first, waiting = tuple(names), None, 0
    for record in records:
        is_header = record.reason is None and _unmarked(record.fields) == header
        if waiting:
            _reject_header(waiting, tally, is_begun_again=first is not None and record.fields == first)
            waiting = 0
        if is_header:
            waiting = record.line
        elif record.reason is not None:
            tally.reject(record.line, record.reason)
        else:
            first = first or record.fields
            yield record
    if waiting:
        _reject_header(waiting, tally, is_begun_again=False)


def _unmarked(fields: tuple[str, ...]) -> tuple[str, ...]:
    return (fields[0].removeprefix(_MARK), *fields[1:]) if fields[0].startswith(_MARK) else fields


def _reject_header(line: int, tally: Tally, *, is_begun_again: bool) -> None:
    tally.reject(line, _BEGUN_AGAIN if is_begun_again else _AGAIN)
    tally.n_headers += 1
    tally.n_begun_again += is_begun_again
