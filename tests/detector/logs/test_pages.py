from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.errors import InputUnreadableError
from detector.logs import pages
from detector.settings import InputSettings

Writer = Callable[..., Path]
N_ROWS = 400


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write a Parquet log; its prompts do not repeat unless told."""

    def writer(prompt: str = "p{}", **options: object) -> Path:
        path = tmp_path / "log.parquet"
        columns = {
            "occurred_at": [f"2026-03-02T00:00:{i % 60:02d}Z" for i in range(N_ROWS)],
            "account_id": [f"a{i}" for i in range(N_ROWS)],
            "prompt": [prompt.format(i) for i in range(N_ROWS)],
        }
        pq.write_table(pa.table(columns), path, **options)
        return path

    return writer


def n_read(path: Path) -> int:
    """Read a log and count its rows."""
    with EmbeddedEngine(InputSettings(threads=1)).open([str(path)]) as log:
        return sum(batch.num_rows for batch in log.batches())


def page_places(path: Path) -> list[tuple[int, int]]:
    """Where the stored pages of all columns begin and end, headers included."""
    group = pq.read_metadata(path).row_group(0)
    chunks = [group.column(i) for i in range(group.num_columns)]
    starts = [min(filter(None, (c.dictionary_page_offset, c.data_page_offset))) for c in chunks]
    return [(start, start + c.total_compressed_size) for start, c in zip(starts, chunks, strict=True)]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
def test_whole_pages_pass(write: Writer, version: str, codec: str) -> None:
    """Whatever version and compression, with checksums or without, with pages as small as they come."""
    for has_checksums in (False, True):
        options = {"compression": codec, "data_page_version": version, "data_page_size": 64}
        assert n_read(write(write_page_checksum=has_checksums, **options)) == N_ROWS


def test_a_changed_byte_in_a_checked_page_is_noticed(write: Writer) -> None:
    """Wherever it lies: no row of the file is read, and the sentence names the column."""
    path = write(write_page_checksum=True, compression="none", data_page_size=512)
    whole = path.read_bytes()
    for begin, end in page_places(path):
        for at in range(begin, end, 397):
            damaged = bytearray(whole)
            damaged[at] ^= 0x10
            path.write_bytes(damaged)
            with pytest.raises(InputUnreadableError, match=r"column '(occurred_at|account_id|prompt)': .*page"):
                n_read(path)


def test_only_columns_that_are_read_are_checked(write: Writer) -> None:
    """A damaged column that nobody reads costs nothing."""
    path = write(write_page_checksum=True, compression="none")
    damaged = bytearray(path.read_bytes())
    damaged[page_places(path)[2][1] - 1] ^= 1
    path.write_bytes(damaged)
    with EmbeddedEngine(InputSettings(threads=1, text=False)).open([str(path)]) as log:
        assert sum(batch.num_rows for batch in log.batches()) == N_ROWS
    with pytest.raises(InputUnreadableError, match="its checksum differs"):
        n_read(path)


def test_a_file_that_unfolds_without_end_is_refused(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dictionary unfolds to is known before a row is made; a log that repeats itself a little is none such."""
    monkeypatch.setattr(pages, "MOST_UNFOLDED", 1 << 20)
    monkeypatch.setattr(pages, "MOST_TIMES", 100)
    assert n_read(write("q" * 2000)) == N_ROWS
    monkeypatch.setattr(pages, "MOST_TIMES", 10)
    with pytest.raises(InputUnreadableError, match=r"its [\d,]+ bytes unfold to 0 GB"):
        n_read(write("q" * 20_000))


def test_a_page_header_that_lists_without_end_is_no_header() -> None:
    """A list says how long it is; what stands in the file bounds the time, not what it says."""
    endless = bytes([0x19, 0xF1, *[0xFF] * 8, 0x7F]) + bytes(100)
    with pytest.raises(pages._ShortError):
        pages._Reader(endless).struct()
