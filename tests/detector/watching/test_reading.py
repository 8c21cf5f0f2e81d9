"""Pieces of files: what is not whole waits, what can never be whole is set aside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.errors import MissingColumnError
from detector.logs.resync import MAX_RECORD_BYTES
from detector.watching.reading import Piece, PieceReader
from detector.watching.supply import FileSupply
from detector.watching.tails import Tail, stamp_of
from tests.detector.watching.logs import as_csv, draw, settings_of


@pytest.fixture
def reader() -> Iterator[PieceReader]:
    """A reader of small pieces."""
    made = PieceReader(settings_of(piece_bytes=2 * MAX_RECORD_BYTES))
    yield made
    made.close()


def _tail(path: Path, data: bytes) -> Tail:
    path.write_bytes(data)
    return Tail(str(path), identity=stamp_of(str(path))[:2])  # type: ignore[arg-type]


def _all(reader: PieceReader, tail: Tail) -> list[Piece]:
    pieces = []
    while True:
        pieces.append(reader.read(tail, FileSupply(tail)))
        if pieces[-1].is_last:
            return pieces


def _n_rows(pieces: list[Piece]) -> int:
    return sum(batch.num_rows for piece in pieces for batch in piece.batches)


def test_a_line_without_an_end_is_set_aside_once_and_passed_over(reader: PieceReader, tmp_path: Path) -> None:
    """However long it is; the rows around it are read, and lines are counted on."""
    row = b'{"occurred_at": "2026-03-02T00:00:00Z", "account_id": "a"}\n'
    long = b'{"occurred_at": "' + b"x" * (5 * MAX_RECORD_BYTES) + b'"}\n'
    tail = _tail(tmp_path / "log.jsonl", row * 3 + long + row * 2 + b"bad\n")
    pieces = _all(reader, tail)
    assert _n_rows(pieces) == 5
    rejected = [reject for piece in pieces for reject in piece.tally.rejected]
    assert rejected == [
        (4, "the record is longer than 8 MiB"),
        (7, "the record is not JSON (column 1)"),
    ]


def test_keys_that_come_later_are_read(reader: PieceReader, tmp_path: Path) -> None:
    """A gateway leaves out what is null: columns are those of the first objects, however many pieces they come in."""
    row = '{"occurred_at": "2026-03-02T00:00:00Z", "account_id": "a"%s}\n'
    tail = _tail(tmp_path / "log.jsonl", (row % "").encode())
    assert "ip" not in _all(reader, tail)[0].batches[0].schema.names
    with Path(tail.name).open("a") as file:
        file.write(row % ', "ip": "192.0.2.1"')
    assert _all(reader, tail)[0].batches[0].column("ip").to_pylist() == ["192.0.2.1"]


def test_a_header_alone_waits(reader: PieceReader, tmp_path: Path) -> None:
    """Of CSV, in any part; and what is no log is refused by the file's own name, its tail as it was."""
    data = as_csv(draw(n=10))
    n_header = data.index(b"\n") + 1
    for n in (5, n_header - 1, n_header):
        tail = _tail(tmp_path / "log.csv", data[:n])
        assert _n_rows(_all(reader, tail)) == 0
        assert tail.offset == 0
    foreign = _tail(tmp_path / "foreign.csv", b"when,who\n1,2\n")
    with pytest.raises(MissingColumnError, match=r"foreign\.csv: no column for "):
        reader.read(foreign, FileSupply(foreign))
    assert (foreign.kind, foreign.header, foreign.offset) == ("", "", 0)


def test_a_file_that_another_replaced_meanwhile_is_left_alone(reader: PieceReader, tmp_path: Path) -> None:
    """Nothing of it counts before it is looked at as a new file."""
    tail = _tail(tmp_path / "log.csv", as_csv(draw(n=10)))
    Path(tail.name).rename(tmp_path / "old.csv")
    Path(tail.name).write_bytes(as_csv(draw(n=20)))
    with pytest.raises(FileNotFoundError):
        reader.read(tail, FileSupply(tail))
    assert tail.offset == 0
