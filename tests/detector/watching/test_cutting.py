"""Where the last whole record ends."""

import csv
import io

import numpy as np

from detector.logs.resync import ResyncReader
from detector.watching.cutting import firm_end, line_end, record_end


def _drawn(seed: int, n: int = 60) -> tuple[bytes, list[int]]:
    """Draw CSV with quotes, commas and line ends in fields; gives it, and where its records end."""
    rng, text, ends = np.random.default_rng(seed), io.StringIO(), []
    writer = csv.writer(text, lineterminator="\n")
    for _ in range(n):
        writer.writerow(["".join(rng.choice(list('ab",\n'), size=rng.integers(0, 12))) for _ in range(3)])
        ends.append(len(text.getvalue()))
    return text.getvalue().encode(), ends


def test_whatever_is_at_hand_the_last_whole_record_is_found() -> None:
    """Of CSV cut at every byte, seen from any record on."""
    data, ends = _drawn(1)
    for size in range(len(data)):
        assert record_end(data[:size]) == max([end for end in ends if end <= size], default=0)
    for begin in ends:
        assert record_end(data, begin=begin) == len(data)


def test_a_long_record_at_the_end_is_looked_past() -> None:
    """Beyond what is looked through at once."""
    whole = b'1,"a\nb"\n'
    assert record_end(whole + b'2,"' + b"x\n" * 100_000) == len(whole)


def test_lines_end_where_lines_end() -> None:
    """Of JSON lines: at the last line feed, or nowhere."""
    assert line_end(b'{"a": 1}\n{"b"') == 9
    assert line_end(b'{"a"') == 0


def _read(data: bytes) -> list[tuple[str, ...] | None]:
    return [None if record.reason else record.fields for record in ResyncReader([data], 3)]


def test_what_is_firm_reads_the_same_whatever_follows() -> None:
    """With stray quotes: the records up to the firm end are the first records of the whole, good and bad."""
    n_cut = 0
    for seed in range(40):
        data, ends = _drawn(seed, n=20)
        at = ends[7]
        broken = data[:at] + b'x,"y,z\n' + data[at:]
        for end in [e + 7 for e in ends[7:]]:
            firm = firm_end(broken[:end], 3, ",")
            n_cut += firm < end
            first = _read(broken[:firm])
            assert _read(broken)[: len(first)] == first
    assert n_cut
    data, _ = _drawn(2)
    assert firm_end(data, 3, ",") == len(data)
