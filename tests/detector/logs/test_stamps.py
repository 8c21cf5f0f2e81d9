import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.errors import InputChangedError
from detector.logs.stamps import find_change, take_stamp
from detector.settings import InputSettings

ROWS = [f"2026-03-02T00:{i // 60 % 60:02d}:{i % 60:02d}Z,a{i},p{i}" for i in range(3000)]
TEXT = ("occurred_at,account_id,prompt\n" + "\n".join(ROWS) + "\n").encode()


def append(path: Path) -> None:
    """As a gateway does that still writes."""
    with path.open("ab") as file:
        file.write(b"2026-03-02T00:00:00Z,a,p\n")


def truncate(path: Path) -> None:
    """As copy-and-truncate rotation does."""
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    """As a tool does that writes anew and renames; the bytes are the same."""
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def rotate(path: Path) -> None:
    """As rotation by renaming does."""
    path.rename(path.with_suffix(".1"))


def rewrite(path: Path) -> None:
    """One byte of the last record, nothing else of size or name."""
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(whole) - 9)
        file.write(b"7")
    os.utime(path, ns=(0, 0))


CHANGES = {append: "grew", truncate: "was cut", replace: "was replaced", rotate: "was moved", rewrite: "was written to"}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("is_late", [False, True])
def test_a_log_that_changes_while_it_is_read_is_refused(
    change: Callable[[Path], None], form: str, is_late: bool, tmp_path: Path
) -> None:
    """Before the first row or after the last, whatever the form: nothing is made of two states of a file."""
    path = tmp_path / f"log.{form}"
    if form == "parquet":
        columns = zip(*(row.split(",") for row in ROWS), strict=True)
        pq.write_table(pa.table(list(map(pa.array, columns)), ["occurred_at", "account_id", "prompt"]), path)
    else:
        path.write_bytes(gzip.compress(TEXT) if form == "csv.gz" else TEXT)
    with EmbeddedEngine(InputSettings(threads=1)).open([str(path)]) as log:
        if not is_late:
            change(path)
            with pytest.raises(InputChangedError, match=rf"it {CHANGES[change]}.* while it was read"):
                list(log.batches())
            return
        assert sum(batch.num_rows for batch in log.batches()) == len(ROWS)
        assert log.digests().keys() == {str(path)}
        change(path)
        with pytest.raises(InputChangedError, match=f"it {CHANGES[change]}"):
            log.digests()


def test_a_file_left_alone_has_not_changed(tmp_path: Path) -> None:
    """Reading it is no change, nor is an empty file one."""
    path = tmp_path / "log.csv"
    for content in (b"", TEXT):
        path.write_bytes(content)
        stamp = take_stamp(str(path))
        path.read_bytes()
        assert find_change(str(path), stamp) == ""
