"""What workers send home is the log: folded in tasks and merged by account, it is what one machine folds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from detector.engines import workers
from detector.engines.embedded import EmbeddedEngine
from detector.engines.notes import PROFILE, Report
from detector.engines.scans import FileScan
from detector.engines.spans import Block, Part, byte_spans, row_spans, survey
from detector.engines.workers import Recipe, fold_task, merge_rows
from detector.errors import EngineError, InputUnreadableError
from detector.profiles.rows import from_rows, rows_schema
from detector.profiles.store import Profiles, columns_read
from detector.settings import InputSettings
from tests.detector.features.small_logs import draw_log, write_log
from tests.detector.profiles.test_store import assert_same

Sent = tuple[pa.Table, Report]


def opened(path: Path) -> tuple[Profiles, Recipe]:
    """Fold a log here, and write down how others read it."""
    engine = EmbeddedEngine(InputSettings(threads=1, max_rejects=1))
    with engine.open([str(path)]) as log:
        scans = tuple(replace(scan, session=None, stages=()) for scan in log.scans)  # type: ignore[arg-type]
        recipe = Recipe(scans, log.format, InputSettings(threads=1), columns_read(log.columns))
        return engine.fold(log), recipe


def spans_of(scan: FileScan) -> list[tuple[int, int]]:
    """Cut a file in about five."""
    size = scan.file.n_bytes // 5
    if scan.file.kind == "parquet":
        return row_spans(scan, size)
    begin = scan.header.n_bytes if scan.file.kind == "csv" else 0
    blocks = [Block(0, at, min(at + size, scan.file.n_bytes)) for at in range(begin, scan.file.n_bytes, size)]
    return byte_spans(blocks, [survey(scan, block) for block in blocks])


def sent(recipe: Recipe, tasks: list[tuple[Part, ...]]) -> Sent:
    """Work on tasks, last first; gives the profiles that count and what was noted."""
    batches = [batch for number in reversed(range(len(tasks))) for batch in fold_task(recipe, number, tasks[number])]
    rows, report = pa.Table.from_batches(batches, recipe.schema), Report()
    spanned = {2 * number for number, task in enumerate(tasks) if task[0].span}
    report.add(rows.filter(pc.not_equal(rows["kind"], PROFILE)), {0: spanned})
    counts = pc.invert(pc.is_in(rows["run"], pa.array(sorted(report.void), pa.int64())))
    return rows.filter(pc.and_(counts, pc.equal(rows["kind"], PROFILE))), report


def merged(rows: pa.Table, recipe: Recipe) -> Profiles:
    """Merge rows as an engine does: in order of account, in small batches."""
    schema = rows_schema(recipe.columns)
    keyed = rows.rename_columns({"key": "account_id"}).select(schema.names).sort_by("account_id")
    made = merge_rows(keyed.to_batches(max_chunksize=7), recipe)
    return from_rows(pa.Table.from_batches(made, schema), recipe.columns)


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str], Path]:
    """Write a log whose prompts hide where records begin."""

    def write(name: str) -> Path:
        frame = draw_log()
        frame = frame.assign(prompt=frame.prompt + '\n"' + frame.prompt + '",x\nthe end')
        if name.endswith("parquet"):
            frame.to_parquet(tmp_path / name, row_group_size=100, index=False)
            return tmp_path / name
        return write_log(frame, tmp_path / name)

    return write


@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.jsonl"])
def test_tasks_fold_to_the_whole(log: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Spans folded apart, handed on before they are done, and merged in any order are the log."""
    monkeypatch.setattr(workers, "_MOST_ACCOUNTS", 20)
    monkeypatch.setattr(workers, "_MERGED_ROWS", 16)
    whole, recipe = opened(log(name))
    recipe = replace(recipe, settings=InputSettings(threads=1, batch_rows=2048))
    tasks = [(Part(0, span),) for span in spans_of(recipe.scans[0])]
    assert len(tasks) > 3
    rows, report = sent(recipe, tasks)
    assert report.void == set()
    assert report.tallies[0].n_read == len(draw_log())
    assert_same(whole, merged(rows, recipe))
    assert report.filled == whole.filled


def test_a_bad_record_makes_a_file_one_task(log: Callable[[str], Path]) -> None:
    """Spans of a file in which something is wrong count nothing; read as one, the file is as it is here."""
    path = log("log.csv")
    path.write_bytes(path.read_bytes() + b"never,acc001\n")
    whole, recipe = opened(path)
    spans = spans_of(recipe.scans[0])
    rows, report = sent(recipe, [(Part(0, span),) for span in spans])
    assert report.suspect == {0}
    assert rows.num_rows == 0 and report.tallies == {}
    for is_exact in (True, False):
        rows, report = sent(recipe, [(Part(0, None, is_exact),)])
        assert_same(whole, merged(rows, recipe))
        assert report.exact == {0}
        assert [line for line, _ in report.tallies[0].rejected] == [1 + 3 * len(draw_log()) + 1]
        assert report.tallies[0].n_read == len(draw_log())


def test_no_text_of_the_log_is_sent(log: Callable[[str], Path]) -> None:
    """Notes and profiles hold no word of a prompt, and no address."""
    _, recipe = opened(log("log.csv"))
    batches = list(fold_task(recipe, 0, (Part(0),)))
    said = b" ".join(buffer.to_pybytes() for b in batches for c in b.columns for buffer in c.buffers() if buffer)
    assert b"acc001" in said and b"card-1" in said
    assert not any(word in said for word in (b"the end", b"recipe soup", b"Lattice", b"203.0.113", b"198.51"))


def test_errors_of_workers_come_home(log: Callable[[str], Path]) -> None:
    """A file that vanished, or another version over there, is the error that it is."""
    path = log("log.csv")
    _, recipe = opened(path)
    with pytest.raises(EngineError, match=r"a worker has stillwatch .*, not 0.0; install the same everywhere"):
        sent(replace(recipe, version="0.0"), [(Part(0),)])
    path.unlink()
    with pytest.raises(InputUnreadableError, match="it cannot be read to the end"):
        sent(recipe, [(Part(0),)])


def test_times_of_some_accounts_fold_again(log: Callable[[str], Path]) -> None:
    """Rows dealt out without regard to time have the rhythm of the whole once their times were put in order."""
    path = log("log.parquet")
    whole, recipe = opened(path)
    parts = [path.with_name(f"gateway{k}.parquet") for k in range(2)]
    frame = pd.read_parquet(path)
    for k, part in enumerate(parts):
        frame.iloc[k::2].to_parquet(part, index=False)
    recipes = [opened(part)[1] for part in parts]
    rows = pa.concat_tables([sent(each, [(Part(0),)])[0] for each in recipes])
    profiles = merged(rows, recipe)
    assert profiles.n_late > 0
    late = pa.array(profiles.account_ids)
    schema = workers.times_schema(recipe)
    times = [t for each in recipes for t in workers.task_times(each, (Part(0),), late)]
    ordered = pa.Table.from_batches(times, schema).sort_by("occurred_at").to_batches()
    folded = pa.Table.from_batches(workers.fold_times(ordered, recipe))
    profiles.take_rhythm(from_rows(folded, tuple(schema.names)))
    assert_same(whole, profiles)
