"""A run that is cut off goes on where it was, and ends with the bytes of one that was not."""

import gzip
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector import keeping
from detector.engines import pieces, scans
from detector.engines.embedded import EmbeddedEngine
from detector.engines.log import Log
from detector.errors import TooManyRejectsError
from detector.hidden import KEPT, hidden
from detector.keeping import Keeper, keeper_of, kept_beside
from detector.pipeline import score
from detector.reading import fold_log
from detector.reports.publish import write_results
from detector.settings import InputSettings, ScoreSettings, load
from tests.detector.worlds import draw_events

N = 6000


@pytest.fixture(scope="module")
def log() -> pa.Table:
    """Requests of forty accounts, in order of time."""
    return pa.Table.from_batches([draw_events(8, n=N, accounts=40)])


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 60_000)
    monkeypatch.setattr(scans, "read_chunks", partial(scans.read_chunks, chunk_bytes=30_000))


def _csv(table: pa.Table, path: Path) -> None:
    pa.csv.write_csv(table, path)


def _many(log: pa.Table, folder: Path) -> None:
    for place in range(6):
        pq.write_table(log.slice(place * 1000, 1000), folder / f"part-{place}.parquet")


def _parquet(log: pa.Table, folder: Path) -> None:
    pq.write_table(log, folder / "log.parquet", row_group_size=1100)


def _text(log: pa.Table, folder: Path) -> None:
    _csv(log, folder / "log.csv")


def _returns(log: pa.Table, folder: Path) -> None:
    _csv(log, folder / "log.csv")
    (folder / "log.csv").write_bytes((folder / "log.csv").read_bytes().replace(b"\n", b"\r\n"))


def _zipped(log: pa.Table, folder: Path) -> None:
    _csv(log, folder / "log.csv")
    (folder / "log.csv.gz").write_bytes(gzip.compress((folder / "log.csv").read_bytes()))
    (folder / "log.csv").unlink()


def _lines(log: pa.Table, folder: Path) -> None:
    log.to_pandas().to_json(folder / "log.jsonl", orient="records", lines=True, date_format="iso", date_unit="us")


def _spoiled(log: pa.Table, folder: Path) -> None:
    """A bad record in the middle of the third of four files: what was handed out is begun again."""
    for place in range(4):
        _csv(log.slice(place * 1500, 1500), folder / f"part-{place}.csv")
    lines = (folder / "part-2.csv").read_bytes().splitlines(keepends=True)
    lines[1200] = b'"not an instant' + lines[1200][1:]
    (folder / "part-2.csv").write_bytes(b"".join(lines))


WAYS: dict[str, Callable[[pa.Table, Path], None]] = {
    "many": _many,
    "parquet": _parquet,
    "csv": _text,
    "returns": _returns,
    "gzip": _zipped,
    "jsonl": _lines,
    "spoiled": _spoiled,
}


def _fold(logs: Path, out: Path, said: list[str], **given: Any) -> dict[str, Any]:
    """Read a log into profiles; gives all that the rest of a run sees of it."""
    settings = load(InputSettings, {"threads": 2, "batch_rows": 2048, **given}, where="test")
    with kept_beside(out, said.append) as kept, EmbeddedEngine(settings).open([str(logs)]) as opened:
        profiles = fold_log(opened, threads=2, keeper=keeper_of(kept, opened, settings, ()))
        seen = {"ids": profiles.account_ids, "names": profiles.names, "filled": profiles.filled_columns}
        arrays = {
            f"{n}.{f}": a.tobytes() for n, s in profiles.trimmed().items() for f, a in zip(s._fields, s, strict=True)
        }
        return {**seen, **arrays, "counts": opened.counts(), "rejected": opened.rejected().to_pylist()}


Run = Callable[[Path, Path, list[str]], Any]


class _Killed(BaseException):
    """Ends a run as a kill would: nothing is cleaned up by whoever catches errors."""


def _cut_off(monkeypatch: pytest.MonkeyPatch, logs: Path, out: Path, n: int, run: Run = _fold) -> bool:
    """Run until something was kept n times; gives whether it came to that."""
    offer, calls = Keeper.offer, []

    def killing(self: Keeper, *given: Any) -> None:
        calls.append(given)
        if len(calls) == n:
            self.every_s = 0.0
            offer(self, *given)
            raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "offer", killing)
        try:
            run(logs, out, [])
        except _Killed:
            return True
    return False


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_is_cut_off_goes_on(
    log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Cut off at any place and run again, it reads on from there, to the same bits, counts and rejects."""
    (tmp_path / "log").mkdir()
    WAYS[way](log, tmp_path / "log")
    whole, places = _fold(tmp_path / "log", tmp_path / "whole", []), (2, 4)
    for n in places:
        out, said = tmp_path / f"out{n}", list[str]()
        assert _cut_off(monkeypatch, tmp_path / "log", out, n)
        assert whole == _fold(tmp_path / "log", out, said)
        assert len(said) == 1
        assert said[0].startswith("an earlier run was cut off")
        assert not hidden(out, KEPT).exists()


def _score(logs: Path, out: Path, said: list[str]) -> dict[str, bytes]:
    settings = load(ScoreSettings, {"policy": {"budget": 0.05}}, where="test")
    with kept_beside(out, said.append) as kept:
        results = score([str(logs)], settings, kept=kept)
        del results.run["timings_s"]
        write_results(results, out, report_accounts=3)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_outputs_of_a_run_that_went_on_are_the_same(
    log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file tells that the run was cut off, and nothing is left beside the output."""
    (tmp_path / "log").mkdir()
    _many(log, tmp_path / "log")
    assert _cut_off(monkeypatch, tmp_path / "log", tmp_path / "out", 3, _score)
    assert not (tmp_path / "out").exists()
    assert _score(tmp_path / "log", tmp_path / "out", []) == _score(tmp_path / "log", tmp_path / "whole", [])
    assert {"log", "out", "whole"} == {path.name for path in tmp_path.iterdir()}


def test_what_was_kept_is_not_read_again(log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run was cut off at its fifth place, the next hands out no row from before that place."""
    (tmp_path / "log").mkdir()
    _many(log, tmp_path / "log")
    handed_out: list[int] = []
    marked = Log.marked

    def counting(self: Log, columns: Any = None, **others: Any) -> Any:
        for batch, mark in marked(self, columns, **others):
            handed_out.append(batch.num_rows)
            yield batch, mark

    assert _cut_off(monkeypatch, tmp_path / "log", tmp_path / "out", 5)
    monkeypatch.setattr(Log, "marked", counting)
    _fold(tmp_path / "log", tmp_path / "out", [])
    assert sum(handed_out) == N - 4 * 1000


@pytest.mark.parametrize("change", ["touched", "longer", "settings", "damaged"])
def test_what_does_not_fit_is_not_used(
    log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Of a log that changed meanwhile, of other settings or damaged: it is said, and the log is read anew."""
    (tmp_path / "log").mkdir()
    _text(log, tmp_path / "log")
    path, out, said, given = tmp_path / "log" / "log.csv", tmp_path / "out", list[str](), {}
    assert _cut_off(monkeypatch, tmp_path / "log", out, 2)
    if change == "touched":
        os.utime(path, ns=(1, 1))
    elif change == "longer":
        path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[-1])
    elif change == "settings":
        given = {"text": False}
    else:
        data = hidden(out, KEPT).read_bytes()
        hidden(out, KEPT).write_bytes(data[:-1])
    found = _fold(tmp_path / "log", out, said, **given)
    assert len(said) == 1
    assert said[0].endswith("now the log is read from its beginning")
    assert ("digest differs" in said[0]) == (change == "damaged")
    assert found == _fold(tmp_path / "log", tmp_path / "anew", [], **given)


def test_a_short_run_keeps_nothing(log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the default settings a run of seconds writes nothing beside its output."""
    monkeypatch.setattr(keeping, "save", lambda *_, **__: pytest.fail("nothing is kept"))
    (tmp_path / "log").mkdir()
    _many(log, tmp_path / "log")
    assert _fold(tmp_path / "log", tmp_path / "out", [])


def test_a_disk_that_refuses_ends_the_keeping_alone(
    log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be kept, that is said once and the run goes on."""
    calls = []

    def full(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise OSError(28, "No space left on device")

    (tmp_path / "log").mkdir()
    _many(log, tmp_path / "log")
    whole, said = _fold(tmp_path / "log", tmp_path / "whole", []), list[str]()
    monkeypatch.setattr(keeping, "save", full)
    assert whole == _fold(tmp_path / "log", tmp_path / "out", said, keep_s=0.0)
    assert (len(calls), len(said)) == (1, 1)
    assert said[0].startswith("what was read cannot be kept (No space left on device)")


def test_keeping_is_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its time, and for fifty times what it cost: at most 2 % of a run goes there."""
    now, kept_at = [0.0], list[float]()

    def slow(*_: Any, **__: Any) -> None:
        kept_at.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(keeping, "save", slow)
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    keeper = Keeper(keeping.Kept(tmp_path / "kept", print), "key", 30.0, 0.0)
    mark = keeping.Mark(0, 0, (), ())
    while now[0] < 1000:
        keeper.offer(None, lambda: mark)  # type: ignore[arg-type]
        now[0] += 1.0
    assert kept_at[0] == 30.0
    assert len(kept_at) * 2.0 <= 0.02 * 1000
    assert len(kept_at) == 8


@pytest.mark.parametrize(("error", "stays"), [(TooManyRejectsError("x"), False), (OSError(28, "full"), True)])
def test_what_is_kept_goes_with_an_error_of_the_log(tmp_path: Path, error: Exception, stays: bool) -> None:
    """An error that the same command would meet again clears what was kept; a full disk leaves it for the next run."""
    with pytest.raises(type(error)), kept_beside(tmp_path / "out", print) as kept:
        kept.path.write_text("kept")
        raise error
    assert kept.path.exists() == stays
