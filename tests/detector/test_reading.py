"""How far reading is, told while it goes on."""

import gzip
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.progress import Tell
from detector.reading import fold_log
from detector.settings import InputSettings
from tests.detector.engines.small_csv import HEAD, body

N = 12_000


def _told(*paths: Path) -> list[tuple[str, int, int | None]]:
    told: list[tuple[str, int, int | None]] = []

    def tell(label: str, done: int = 0, total: int | None = None) -> None:
        told.append((label, done, total))

    said: Tell = tell
    with EmbeddedEngine(InputSettings(batch_rows=2048, threads=1)).open([str(path) for path in paths]) as log:
        fold_log(log, threads=1, tell=said)
        assert log.share_read == 1
    return told


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Write a CSV log."""
    path = tmp_path / "log.csv"
    path.write_bytes(HEAD + body(N))
    return path


def test_of_parquet_it_is_told_how_much_is_left(csv: Path, tmp_path: Path) -> None:
    """What is done never shrinks, comes to the end, and the total neither changes nor is past by what is done."""
    path = tmp_path / "log.parquet"
    pq.write_table(pyarrow.csv.read_csv(csv), path, row_group_size=N // 4)
    told = _told(path)
    done = [step for _, step, total in told if total is not None]
    assert done == sorted(done)
    assert done[0] < done[-1]
    assert len({total for _, _, total in told if total is not None}) == 1
    assert f"{N:,} of about {N:,}" in told[-1][0]


def test_of_what_is_compressed_rows_are_told(csv: Path) -> None:
    """Nobody knows how long such a file is, so no share is made up."""
    packed = csv.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(csv.read_bytes()))
    assert all(total is None for label, _, total in _told(packed) if "of about" not in label)


def test_of_several_files_each_counts_by_its_bytes(csv: Path, tmp_path: Path) -> None:
    """After the first of two alike files, half is done."""
    (tmp_path / "second.csv").write_bytes(csv.read_bytes())
    shares = [done / total for _, done, total in _told(csv, tmp_path / "second.csv") if total]
    assert any(0.45 < share < 0.55 for share in shares)
    assert max(shares) <= 1
