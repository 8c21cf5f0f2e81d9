"""Files of a log that grows: rotated, cut, compressed, copied, gone. No row is read twice, and none is missed."""

import gzip
import shutil
from pathlib import Path

import pytest

from detector.watching.tails import Tail, Tails, read_part, tails_of


class _Reader:
    """Reads all that is new, as whole lines."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said, self.lines = folder, list[str](), list[bytes]()
        self.tails = Tails([str(folder)], (), self.said.append)

    def read(self) -> list[bytes]:
        """Poll, and give the new lines."""
        before = len(self.lines)
        for tail in self.tails.poll():
            data = read_part(tail.name, tail.compression, tail.offset, 1 << 30)
            tail.mark(tail.offset, data, len(data))
            tail.offset += len(data)
            status = Path(tail.name).stat()
            tail.stamp = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
            self.lines += data.splitlines()
        self.tails.known = tails_of([tail.to_json() for tail in self.tails.known.values()])
        return self.lines[before:]


def _lines(first: int, n: int = 40) -> bytes:
    return b"".join(b'{"request": %d, "of": "the log"}\n' % number for number in range(first, first + n))


@pytest.fixture
def reader(tmp_path: Path) -> _Reader:
    """A folder with one file, read."""
    (tmp_path / "log.jsonl").write_bytes(_lines(0))
    made = _Reader(tmp_path)
    assert made.read() == _lines(0).splitlines()
    return made


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_only_what_is_new_is_read(reader: _Reader) -> None:
    """Lines appended, files added; nothing where nothing came."""
    assert reader.read() == []
    _append(reader.folder / "log.jsonl", _lines(40))
    (reader.folder / "more.jsonl").write_bytes(_lines(100))
    assert reader.read() == (_lines(40) + _lines(100)).splitlines()
    assert reader.said == []


@pytest.mark.parametrize("name", ["log.jsonl.1", "log-1.jsonl", "zlog.jsonl"])
def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(reader: _Reader, name: str) -> None:
    """Whatever the old one is called then, and though lines came to it after the last reading."""
    path = reader.folder / "log.jsonl"
    _append(path, _lines(40, 2))
    path.rename(reader.folder / name)
    path.write_bytes(_lines(42, 3))
    assert sorted(reader.read()) == sorted((_lines(40, 2) + _lines(42, 3)).splitlines())
    _append(reader.folder / name, _lines(60, 1))
    _append(path, _lines(61, 1))
    assert sorted(reader.read()) == sorted((_lines(60, 1) + _lines(61, 1)).splitlines())
    assert reader.said == []


def test_a_file_that_was_copied_and_cut_is_read_anew(reader: _Reader) -> None:
    """What was appended to the copy is read, what both hold once; the cut file is told of, and read from its start."""
    path = reader.folder / "log.jsonl"
    _append(path, _lines(40, 2))
    shutil.copy(path, reader.folder / "log-1.jsonl")
    path.write_bytes(b"")
    assert reader.read() == _lines(40, 2).splitlines()
    _append(path, _lines(42, 30))
    assert reader.read() == _lines(42, 30).splitlines()
    path.write_bytes(_lines(90, 2))
    assert reader.read() == _lines(90, 2).splitlines()
    assert len(reader.said) == 1
    assert "log.jsonl: it was cut or replaced" in reader.said[0]


def test_a_file_that_was_compressed_is_not_read_again(reader: _Reader) -> None:
    """Under another name and packed it goes on where it was."""
    path = reader.folder / "log.jsonl"
    (reader.folder / "log-1.jsonl.gz").write_bytes(gzip.compress(path.read_bytes() + _lines(40, 1)))
    path.unlink()
    assert reader.read() == _lines(40, 1).splitlines()
    assert reader.read() == []


def test_a_copy_beside_its_original_is_passed_over(reader: _Reader) -> None:
    """And said."""
    shutil.copy(reader.folder / "log.jsonl", reader.folder / "copy.jsonl")
    assert reader.read() == []
    assert reader.read() == []
    assert len(reader.said) == 1
    assert "passed over" in reader.said[0]


def test_a_file_that_lost_its_end_is_set_aside(reader: _Reader) -> None:
    """It begins as before: what comes after cannot be told from what was read."""
    path = reader.folder / "log.jsonl"
    path.write_bytes(_lines(0, 200))
    assert len(reader.read()) == 160
    path.write_bytes(_lines(0, 190))
    assert reader.read() == []
    _append(path, _lines(190, 60))
    assert reader.read() == []
    assert [tail.name for tail in reader.tails.aside] == [str(path)]
    assert "it begins as before" in reader.said[0]


def test_a_file_that_is_gone_is_known_for_a_while(reader: _Reader) -> None:
    """It is no error, and no reason to read it again when it comes back."""
    path = reader.folder / "log.jsonl"
    path.rename(reader.folder.parent / "away.jsonl")
    assert reader.read() == []
    (reader.folder.parent / "away.jsonl").rename(path)
    assert reader.read() == []
    (reader.folder.parent / "away.jsonl").unlink(missing_ok=True)


def test_a_tail_comes_back_as_it_was() -> None:
    """From plain JSON values."""
    tail = Tail("a.csv", kind="csv", header="x,y\n", identity=(1, 2), stamp=(1, 2, 3, 4))
    tail.mark(0, b"some bytes", 4)
    assert tails_of([tail.to_json()]) == {"a.csv": tail}
