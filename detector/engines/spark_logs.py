"""A log whose rows Spark's workers read: what they are told, and what they are asked besides folding."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from detector.engines import workers
from detector.engines.log import Log, check_unchanged
from detector.engines.spans import Part
from detector.engines.spark_sessions import speaking
from detector.engines.workers import Recipe
from detector.settings import InputSettings

Batches = Iterable[pa.RecordBatch]


class SparkLog(Log):
    """A log whose rows are read by Spark's workers.

    Attributes
    ----------
    tasks: what is read apart; none where Spark reads the rows itself.
    frame: the rows, where Spark reads them itself.
    """

    session: Any
    tasks: tuple[tuple[Part, ...], ...] = ()
    frame: Any = None
    settings: InputSettings

    def recipe(self, columns: Sequence[str], wanted: tuple[str, ...] = ()) -> Recipe:
        """Write down how its files are read."""
        scans: Any = tuple(replace(scan, session=None, stages=()) for scan in self.scans)
        return Recipe(scans, self.format, self.settings.model_copy(update={"threads": 1}), tuple(columns), wanted)

    def over_tasks(
        self,
        schema: pa.Schema,
        work: Callable[[int, tuple[Part, ...]], Iterator[pa.RecordBatch]],
        handed: Callable[[int, Batches], Iterator[pa.RecordBatch]],
    ) -> Any:
        """Let workers do work, on tasks or on the rows that Spark hands over; gives a frame."""
        from pyspark.sql.pandas.types import from_arrow_schema

        tasks, rows = self.tasks, self.frame

        def run(batches: Batches) -> Iterator[pa.RecordBatch]:
            if rows_are_handed:
                from pyspark import TaskContext

                context = TaskContext.get()
                yield from handed(context.partitionId() if context else 0, batches)
                return
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from work(number, tasks[number])

        rows_are_handed = rows is not None
        source = self.session.range(0, len(tasks), 1, len(tasks)) if rows is None else rows
        rows = None
        return source.mapInArrow(run, from_arrow_schema(schema))

    def summaries(self, columns: Sequence[str], work: Callable[[Batches], pa.Table]) -> pa.Table:
        """Let work see the batches of each task where they lie; gives its tables in the order of the log."""
        recipe = self.recipe(columns)
        schema = work([]).schema
        with speaking():
            made = self.over_tasks(
                schema.append(pa.field("run", pa.int64())),
                lambda number, task: workers.summarise(work, number, workers.read_task(recipe, task)),
                lambda number, batches: workers.summarise(work, number, workers.read_batches(recipe, batches)),
            )
            return made.toArrow().sort_by("run").drop_columns(["run"]).cast(schema)

    def digests(self) -> dict[str, str]:
        """Let workers hash the files; rows that Spark read itself have none.

        Raises
        ------
        InputChangedError
            A file is no longer what it was when the log was opened.
        """
        if self.frame is not None:
            return {}
        paths = [file.path for file in self.files]

        def run(batches: Batches) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                numbers = batch.column(0).to_pylist()
                found = [workers.file_digest(paths[number]) for number in numbers]
                yield pa.record_batch([pa.array(numbers, pa.int64()), pa.array(found)], names=["file", "sha256"])

        with speaking():
            hashed = self.session.range(0, len(paths), 1, len(paths)).mapInArrow(run, "file long, sha256 string")
            rows = hashed.toArrow().to_pylist()
        for file in self.files:
            check_unchanged(file)
        return {self.files[row["file"]].name: row["sha256"] for row in rows}
