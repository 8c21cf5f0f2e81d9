from pathlib import Path

import pytest

from detector.errors import InputUnreadableError
from detector.logs.headers import read_csv_header, read_jsonl_header
from detector.logs.sources import inspect_file


def test_a_header_may_be_quoted_marked_and_span_lines(tmp_path: Path) -> None:
    """Its size and its lines are those of the file, so that line numbers stay right."""
    path = tmp_path / "log.csv"
    path.write_bytes(b'\xef\xbb\xbf"a\nb",c\r\n1,2\r\n')
    header = read_csv_header(inspect_file("log.csv", str(path)), ",")
    assert (header.names, header.n_bytes, header.n_lines, header.ending) == (("a\nb", "c"), 12, 2, b"\n")


def test_keys_are_collected_from_many_objects(tmp_path: Path) -> None:
    """A key that the first object lacks is a column all the same; bad lines are passed over."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a":1}\nbad\n{"b":2,"a":3}\n')
    assert read_jsonl_header(inspect_file("log.jsonl", str(path))).names == ("a", "b")


def test_a_file_without_objects_is_refused(tmp_path: Path) -> None:
    """Pretty-printed JSON is not JSON lines."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{\n"a": 1\n}\n')
    with pytest.raises(InputUnreadableError, match=r"log\.jsonl: none of its first lines is a JSON object"):
        read_jsonl_header(inspect_file("log.jsonl", str(path)))
