"""A file cut into spans is the file: no record is lost, split or made up, wherever line ends hide in quotes."""

import csv
import io
import itertools
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engines.embedded import EmbeddedEngine
from detector.engines.scans import FileScan
from detector.engines.spans import (
    Block,
    Part,
    blocks_of,
    byte_spans,
    is_cut,
    row_spans,
    span_bytes,
    survey,
    tasks_of,
)
from detector.settings import InputSettings

RECORDS = st.lists(st.lists(st.text('ab,"\n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=12)


def scan_of(path: Path) -> FileScan:
    """Prepare the reading of a file."""
    with EmbeddedEngine(InputSettings(threads=1)).open([str(path)]) as log:
        return replace(log.scans[0])


def as_csv(records: list[list[str]]) -> bytes:
    """Write records as the standard library does."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(records)
    return text.getvalue().encode()


def cut(path: Path, size: int) -> list[tuple[int, int]]:
    """Cut a text file as an engine does, with blocks of a size."""
    scan = scan_of(path)
    begin = scan.header.n_bytes if scan.file.kind == "csv" else 0
    blocks = [Block(0, at, min(at + size, scan.file.n_bytes)) for at in range(begin, scan.file.n_bytes, size)]
    return byte_spans(blocks, [survey(scan, block) for block in blocks])


@settings(max_examples=25, deadline=None)
@given(RECORDS, st.integers(3, 40))
def test_spans_of_csv_are_whole_records(tmp_path_factory: pytest.TempPathFactory, rows: list, size: int) -> None:
    """Read apart and put together, spans give the records of the file, and they cover it."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    head = b"occurred_at,account_id\n"
    path.write_bytes(head + as_csv(rows))
    spans = cut(path, size)
    whole = path.read_bytes()
    assert [spans[0][0], spans[-1][1]] == [len(head), len(whole)]
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(spans))
    parts = [list(csv.reader(io.StringIO(whole[a:b].decode(), newline=""))) for a, b in spans]
    assert [record for part in parts for record in part] == list(
        csv.reader(io.StringIO(as_csv(rows).decode(), newline=""))
    )


def test_spans_of_json_lines_end_where_lines_do(tmp_path: Path) -> None:
    """Quotation marks mean nothing there."""
    line = b'{"occurred_at": "2026-03-02T00:00:00Z", "account_id": "a\\"b"}\n'
    (tmp_path / "log.jsonl").write_bytes(line * 30)
    spans = cut(tmp_path / "log.jsonl", 100)
    assert len(spans) > 10
    assert all(begin % len(line) == end % len(line) == 0 for begin, end in spans)


def test_marks_that_do_not_balance_keep_a_file_whole(tmp_path: Path) -> None:
    """Nobody can tell then where a record begins, so the file is a task of its own."""
    (tmp_path / "log.csv").write_bytes(b'occurred_at,account_id\n2026-03-02T00:00:00Z,"a\n' + b"x,y\n" * 50)
    assert cut(tmp_path / "log.csv", 20) == []
    assert tasks_of([scan_of(tmp_path / "log.csv")], {0: []}, 20) == [(Part(0),)]


def test_spans_of_parquet_end_where_row_groups_do(tmp_path: Path) -> None:
    """A row group is never read twice, and no row is left out."""
    rows = pa.table({"occurred_at": ["2026-03-02T00:00:00Z"] * 100, "account_id": ["a"] * 100})
    pq.write_table(rows, tmp_path / "log.parquet", row_group_size=10)
    scan = scan_of(tmp_path / "log.parquet")
    spans = row_spans(scan, scan.file.n_bytes // 4)
    assert [spans[0][0], spans[-1][1]] == [0, 100]
    assert 2 < len(spans) < 8
    assert all(begin % 10 == 0 for begin, _ in spans)


def test_small_files_share_a_task_and_compressed_ones_are_not_cut(tmp_path: Path) -> None:
    """What is read at once is about as much, whether it is one file or many."""
    body = b"occurred_at,account_id\n" + b"2026-03-02T00:00:00Z,a\n" * 40
    for number in range(6):
        (tmp_path / f"{number}.csv").write_bytes(body)
    scans = [scan_of(tmp_path / f"{number}.csv") for number in range(6)]
    assert [len(task) for task in tasks_of(scans, {}, 2 * len(body))] == [2, 2, 2]
    assert [block.file for block in blocks_of(scans, len(body) // 3)] == [n for n in range(6) for _ in range(3)]
    packed = replace(scans[0], file=replace(scans[0].file, compression="gzip"))
    assert is_cut(scans[0], 100) and not is_cut(packed, 100)
    assert span_bytes(scans, 2) == 32 << 20
