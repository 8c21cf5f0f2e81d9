"""Spark as engine: where a log outgrows one machine, its rows are folded where they lie, and profiles merge.

Rows are read by the workers with the same readers and kernels as on one machine, so verdicts are the same. What crosses
the network is profiles, by account and task, and notes of what was counted; of accounts whose rows overlap in time
their instants besides. No prompt, address or client does, but the `payment_id` and `org_id` that a report names.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from detector.engines import spans, workers
from detector.engines.embedded import EmbeddedEngine
from detector.engines.frames import CORRUPT
from detector.engines.notes import PROFILE, Report
from detector.engines.spans import Part
from detector.engines.spark_logs import Batches, SparkLog
from detector.engines.spark_sessions import speaking, start
from detector.engines.tallies import Tally
from detector.engines.workers import Recipe
from detector.errors import UsageError
from detector.keeping import Kept
from detector.linkage.overlaps import Keep, Numbers
from detector.profiles.rows import KEY, from_rows, rows_schema
from detector.profiles.store import NAMED, Profiles, columns_read
from detector.progress import Tell, silent
from detector.settings import InputSettings, SparkSettings

#: What names a table of the session's catalogue, and what a file that Spark reads and this process cannot.
TABLE, _REMOTE = "table:", "://"


class SparkEngine:
    """Opens logs that Spark's workers read.

    Parameters
    ----------
    settings: how logs are read.
    spark: how Spark is started, where no session is there.
    session: one that is there; it is left running.
    """

    def __init__(self, settings: InputSettings, spark: SparkSettings | None = None, *, session: Any = None) -> None:
        """Find the session, or start one."""
        self._local = EmbeddedEngine(settings)
        self._settings = settings
        self._session, self._is_own = (session, False) if session is not None else start(spark or SparkSettings())

    def open(self, patterns: Sequence[str]) -> SparkLog:
        """Find the files, recognise their format and lay out tasks; of the rows, text files alone are looked through.

        Parameters
        ----------
        patterns: paths, globs and folders that all workers see; or one ``table:NAME``, or a URL of Parquet files.

        Raises
        ------
        UsageError
            Tables or URLs are mixed with others, or standard input is asked for.
        StillwatchError
            See `EmbeddedEngine.open`.
        """
        named = [p for p in patterns if p.startswith(TABLE) or _REMOTE in p]
        if "-" in patterns or (named and len(patterns) > 1):
            raise UsageError(
                "--engine spark: give files that all workers see, or one table:NAME, or one URL of Parquet"
            )
        if named:
            with speaking():
                name = named[0].removeprefix(TABLE)
                is_table = named[0].startswith(TABLE)
                frame = self._session.table(name) if is_table else self._session.read.parquet(name)
            return self.open_frame(frame, name)
        with self._local.open(patterns) as found:
            log = self._log(found.scans, found.format, found.format_reason)
        size = spans.span_bytes(log.scans, self._n_cores)
        with speaking():
            log.tasks = tuple(spans.tasks_of(log.scans, self._spans(log, size), size))
        return log

    def open_frame(self, frame: Any, name: str = "frame") -> SparkLog:
        """Take a DataFrame as log; its columns are recognised as those of a Parquet file are.

        Parameters
        ----------
        name: what it is called in the record and among rejects.
        """
        from pyspark.sql.pandas.types import to_arrow_schema

        typed = to_arrow_schema(frame.drop(CORRUPT).schema, timezone="UTC")
        scan, form, reason = self._local.scan_of(name, typed)
        log = self._log([scan], form, reason)
        corrupt = [CORRUPT] if CORRUPT in frame.columns else []
        log.frame = frame.select(*(f"`{c}`" for c in [*scan.plan.sources(columns_read(log.columns)), *corrupt]))
        return log

    def fold(
        self, log: SparkLog, *, wanted: tuple[str, ...] = (), tell: Tell = silent, kept: Kept | None = None
    ) -> Profiles:
        """Let workers fold the log, and merge what they send by account; Spark itself repeats the tasks that fail.

        Raises
        ------
        TooManyRejectsError, EmptyInputError
            See `Log.batches`.
        """
        columns = columns_read(log.columns)
        recipe, report = log.recipe(columns, wanted), Report()
        tell("reading requests where they lie")
        with speaking():
            sent = self._sent(log, recipe, report)
            log.take_tallies([report.tallies.get(number, Tally()) for number in range(len(log.scans))])
            merged = self._merged(sent, recipe, report)
            sent.unpersist()
        profiles = from_rows(merged, columns, wanted)
        profiles.filled = report.filled
        for column in NAMED:
            profiles.remember(column, [value for of, value in report.names if of == column])
        if profiles.n_late:
            tell("putting requests in order of time")
            with speaking():
                profiles.take_rhythm(self._rhythm(log, recipe, profiles))
        profiles.put_in_order()
        return profiles

    def pairs(
        self, columns: Any, rank: Numbers, least: int, keep: Keep | None = None, *, threads: int = 1
    ) -> tuple[Numbers, Numbers]:
        """Find the pairs of rows that share columns, by grouping; see `linkage.overlaps.overlaps`."""
        from pyspark.sql import functions as sql

        held, n_ranks = np.diff(columns.indptr), int(rank.max(initial=0)) + 1
        thing = np.repeat(np.arange(len(held)), held)
        shared = np.flatnonzero(held[thing] > 1)
        if not len(shared):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        names, values = ["thing", "member", "at"], (thing, columns.indices.astype(np.int64), rank[thing])
        with speaking():
            holders = self._session.createDataFrame(pa.table([value[shared] for value in values], names=names))
            holders = holders.repartition(2 * self._n_cores, "thing")
            others = holders.select("thing", sql.col("member").alias("other"))
            counts = [sql.sum((sql.col("at") <= at).cast("long")).alias(f"n{at}") for at in range(n_ranks)]
            met = holders.join(others, "thing").where("member < other").groupBy("member", "other").agg(*counts)
            kept = met.where(f"n{n_ranks - 1} >= {least}").mapInArrow(_keeping(keep, least), "first long, second long")
            found = kept.toArrow()
        return found["first"].to_numpy(), found["second"].to_numpy()

    @property
    def _n_cores(self) -> int:
        return int(self._session.sparkContext.defaultParallelism)

    def _log(self, scans: Sequence[Any], form: Any, reason: str) -> SparkLog:
        resources: Any = ExitStack()
        if self._is_own:
            resources.callback(self._session.stop)
        nothing: Any = None
        log = SparkLog(scans, session=nothing, form=form, reason=reason, settings=self._settings, resources=resources)
        log.session, log.settings = self._session, self._settings
        return log

    def _spans(self, log: SparkLog, size: int) -> dict[int, list[tuple[int, int]]]:
        """Cut the large files; text is looked through for where its records begin."""
        scans, blocks = log.recipe(()).scans, spans.blocks_of(log.scans, size)
        is_cut = [number for number, scan in enumerate(scans) if spans.is_cut(scan, size)]
        found = {
            number: spans.row_spans(scans[number], size) for number in is_cut if scans[number].file.kind == "parquet"
        }
        if not blocks:
            return found

        def run(batches: Batches) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    block = blocks[number]
                    values = (number, *spans.survey(scans[block.file], block))
                    yield pa.record_batch([pa.array([value]) for value in values], names=["block", "n", "out", "ins"])

        frame = self._session.range(0, len(blocks), 1, len(blocks))
        rows = frame.mapInArrow(run, "block long, n long, out long, ins long").toArrow().sort_by("block").to_pylist()
        for number in dict.fromkeys(block.file for block in blocks):
            mine = [(blocks[row["block"]], (row["n"], row["out"], row["ins"])) for row in rows]
            mine = [(block, seen) for block, seen in mine if block.file == number]
            found[number] = spans.byte_spans(*map(list, zip(*mine, strict=True)))
        return found

    def _sent(self, log: SparkLog, recipe: Recipe, report: Report) -> Any:
        """Let workers fold; files of which a span was suspect are folded again, as one."""
        sent = self._folded(log, recipe, report, 0)
        if report.suspect:
            clean = [task for task in log.tasks if task[0].span is None or task[0].file not in report.suspect]
            n_before, again = len(log.tasks), tuple((Part(file, None, True),) for file in sorted(report.suspect))
            log.tasks = again
            sent = sent.union(self._folded(log, recipe, report, n_before))
            log.tasks = (*clean, *again)
        log.tasks = tuple(
            tuple(replace(part, is_exact=part.file in report.exact) for part in task) for task in log.tasks
        )
        return sent

    def _folded(self, log: SparkLog, recipe: Recipe, report: Report, n_before: int) -> Any:
        from pyspark import StorageLevel

        sent = log.over_tasks(
            recipe.schema,
            lambda number, task: workers.fold_task(recipe, n_before + number, task),
            lambda number, batches: workers.fold_batches(recipe, number, batches),
        ).persist(StorageLevel.DISK_ONLY)
        runs: dict[int, set[int]] = {}
        for number, task in enumerate(log.tasks):
            if task[0].span is not None:
                runs.setdefault(task[0].file, set()).add(2 * (n_before + number))
        notes = sent.where(f"kind <> '{PROFILE}'").select("kind", "key", "note", "number", "run")
        report.add(notes.toArrow(), runs)
        return sent

    def _merged(self, sent: Any, recipe: Recipe, report: Report) -> pa.Table:
        """Bring the profiles of an account together and merge them; gives a row an account."""
        from pyspark.sql import functions as sql
        from pyspark.sql.pandas.types import from_arrow_schema

        schema = rows_schema(recipe.columns, recipe.wanted)
        cells = [sql.col(name) for name in schema.names[1:]]
        is_good = (sql.col("kind") == PROFILE) & ~sql.col("run").isin(sorted(report.void))
        rows = sent.where(is_good).select(sql.col("key").alias(KEY), *cells)
        sorted_rows = rows.repartition(2 * self._n_cores, KEY).sortWithinPartitions(KEY)
        merged = sorted_rows.mapInArrow(lambda batches: workers.merge_rows(batches, recipe), from_arrow_schema(schema))
        return merged.toArrow()

    def _rhythm(self, log: SparkLog, recipe: Recipe, profiles: Profiles) -> Profiles:
        """Fold the times of the accounts whose rows overlap, in order."""
        from pyspark.sql.pandas.types import from_arrow_schema

        late = np.flatnonzero(profiles.states["rhythm"].n_late[: len(profiles)])
        accounts = pa.array([profiles.account_ids[row] for row in late], pa.string())
        schema = workers.times_schema(recipe)
        times = log.over_tasks(
            schema,
            lambda number, task: workers.task_times(recipe, task, accounts),
            lambda number, batches: workers.batch_times(recipe, batches, accounts),
        )
        ordered = times.repartition(2 * self._n_cores, KEY).sortWithinPartitions("occurred_at", KEY)
        folded = ordered.mapInArrow(
            lambda batches: workers.fold_times(batches, recipe), from_arrow_schema(rows_schema(schema.names))
        )
        return from_rows(folded.toArrow(), tuple(schema.names))


def _keeping(keep: Keep | None, least: int) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """Make the work that lifts counts up to each rank to the pairs that are kept."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            first, second, *counts = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
            for at, n_shared in enumerate(counts):
                enough = n_shared >= least
                pair = first[enough], second[enough]
                kept = slice(None) if keep is None else keep(*pair, n_shared[enough], np.full(enough.sum(), at))
                yield pa.record_batch([pa.array(side[kept]) for side in pair], names=["first", "second"])

    return run
