"""What a process may hold: shared out, kept to, refused in time; and where it spills."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.engines import budget
from detector.engines.budget import Budget, bytes_of
from detector.engines.embedded import EmbeddedEngine
from detector.errors import ConfigError, MemoryLimitError
from detector.profiles.slices import Slice
from detector.settings import InputSettings

LIMITS = [512 * 10**6, 700 * 10**6, 10**9, 2 * 10**9, 64 * 10**9]
N = 20_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a Parquet log of 20,000 prompts of 2 kB, in two row groups."""
    at = pa.array(np.arange(N) * 1_000_000 + 1_700_000_000_000_000, pa.timestamp("us", "UTC"))
    prompts = [f"{i} " + "word " * 400 for i in range(N)]
    accounts = [f"a{i % 50}" for i in range(N)]
    path = tmp_path / "log.parquet"
    pq.write_table(
        pa.table({"occurred_at": at, "account_id": accounts, "prompt": prompts}), path, row_group_size=N // 2
    )
    return path


def test_shares_fit_and_grow_with_the_limit() -> None:
    """Reader and batches get what was asked for or less, what the limit leaves or less, and more of more."""
    readers = [Budget(limit).reader(512 * 10**6) for limit in LIMITS]
    rows = [Budget(limit).batch_rows(49_152, 4_000.0) for limit in LIMITS]
    assert readers == sorted(readers)
    assert rows == sorted(rows)
    assert (readers[-1], rows[-1]) == (512 * 10**6, 49_152)
    assert all(reader < limit - budget.LIBRARIES_BYTES for reader, limit in zip(readers, LIMITS, strict=True))
    assert rows[0] < 49_152


def test_without_a_limit_all_is_as_asked_for() -> None:
    """Nothing shrinks, and nothing is refused."""
    free = Budget.of(InputSettings())
    free.check(10**9, 10**6)
    assert (free.reader(7, least=10**12), free.batch_rows(7, 1e9)) == (7, 7)


@pytest.mark.parametrize("n_accounts", [10_000, 1_000_000])
def test_profiles_that_cannot_fit_are_refused_with_a_limit_that_does(n_accounts: int) -> None:
    """The error names the accounts and a limit; with that, the same log goes through."""
    with pytest.raises(MemoryLimitError, match=f"the log has {n_accounts:,} accounts or more") as refused:
        Budget(512 * 10**6).check(n_accounts, 8_000)
    named = re.findall(r"give --memory (\d+MB)", str(refused.value))
    Budget(bytes_of(named[0])).check(n_accounts, 8_000)


def test_a_log_that_cannot_be_read_is_refused_with_a_limit_that_does() -> None:
    """Row groups that the reader cannot hold are named before anything is read."""
    with pytest.raises(MemoryLimitError, match="smaller row groups") as refused:
        Budget(512 * 10**6).reader(512 * 10**6, least=300 * 10**6)
    named = re.findall(r"give --memory (\d+MB)", str(refused.value))
    assert Budget(bytes_of(named[0]) + 10**6).reader(1, least=300 * 10**6) >= 300 * 10**6


def test_what_is_held_already_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process above its limit stops, whatever the plan was."""
    monkeypatch.setattr(budget, "held_bytes", lambda: 10**9)
    Budget(10**9).check(1, 1)
    with pytest.raises(MemoryLimitError, match="1000MB are held already"):
        Budget(10**9 - 1).check(1, 1)


def test_less_than_libraries_take_is_refused() -> None:
    """Before anything is opened."""
    with pytest.raises(MemoryLimitError, match="give at least 512MB"):
        EmbeddedEngine(InputSettings(process_memory="100MB"))


def test_profiles_under_a_limit_are_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches shrink; no field of any profile differs."""
    monkeypatch.setattr(budget, "held_bytes", lambda: 0)

    def folded(settings: InputSettings) -> tuple[int, list[bytes]]:
        engine = EmbeddedEngine(settings)
        with engine.open([str(log)]) as opened:
            largest = max(batch.num_rows for batch in opened.batches())
        with engine.open([str(log)]) as opened:
            states = engine.fold(opened).trimmed()
        return largest, [field.tobytes() for state in states.values() for field in state]

    n_free, free = folded(InputSettings(threads=1))
    n_tight, tight = folded(InputSettings(threads=1, process_memory="600MB"))
    assert n_tight < n_free
    assert free == tight


def test_profiles_do_not_grow_before_they_are_refused(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch that brings too many accounts makes no room for them."""
    monkeypatch.setattr(budget, "ACCOUNT_BYTES", 10**8)
    grown: list[int] = []
    monkeypatch.setattr(
        Slice, "new_state", lambda self, n: grown.append(n) or self.state_type(*(f.new(n) for f in self.fields))
    )
    engine = EmbeddedEngine(InputSettings(process_memory="1GB"))
    with engine.open([str(log)]) as opened, pytest.raises(MemoryLimitError, match="50 accounts or more"):
        engine.fold(opened)
    assert set(grown) == {0}


def test_what_is_spilled_lies_where_it_was_asked_for_and_goes(log: Path, tmp_path: Path) -> None:
    """While a log is open its folder is there; after it was read, and after a failure, nothing is; strangers stay."""
    place = tmp_path / "spill"
    place.mkdir()
    (place / "stillwatch-left").mkdir(mode=0o700)
    (place / "notes").write_text("mine")
    engine = EmbeddedEngine(InputSettings(temp=str(place)))
    with engine.open([str(log)]):
        assert [path.name for path in place.glob("stillwatch-*")] != ["stillwatch-left"]
        assert len(list(place.iterdir())) == 2
    assert [path.name for path in place.iterdir()] == ["notes"]
    with pytest.raises(KeyError), engine.open([str(log)]):
        raise KeyError
    assert [path.name for path in place.iterdir()] == ["notes"]


def test_a_place_to_spill_that_is_none_is_refused(log: Path, tmp_path: Path) -> None:
    """The error names it."""
    with pytest.raises(ConfigError, match=r"--temp .*nowhere: is no folder that can be written to"):
        EmbeddedEngine(InputSettings(temp=str(tmp_path / "nowhere"))).open([str(log)])
