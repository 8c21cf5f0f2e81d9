"""How two workers do against one: `python -m tests.spark.scale [ROWS | LOG ...]`.

On ten million rows without text that are written for it, on ROWS of them, or on a log that is there.

Prints the clock, and the processor time that each worker took with all that it started: where processors are shared,
the clock tells of the neighbours too, while the busiest worker's time tells what free ones would need.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.engines.embedded import EmbeddedEngine
from detector.engines.spark import SparkEngine
from detector.engines.spark_sessions import start
from detector.profiles.store import SLICES, Profiles
from detector.settings import InputSettings, SparkSettings
from tests.spark.cluster import running
from tests.spark.metrics import shuffled

_ACCOUNTS = 2_000
_CHUNK = 250_000
_SPAN_US = 14 * 86_400_000_000
_BEGIN_US = 1_772_409_600_000_000
_ROWS = 10_000_000


def write_log(path: Path, n_rows: int) -> None:
    """Write a log in order of time: a heavy-tailed crowd of accounts, with addresses, clients and tokens."""
    draw = np.random.default_rng(1)
    schema, writer = None, None
    for begin in range(0, n_rows, _CHUNK):
        n = min(_CHUNK, n_rows - begin)
        at = _BEGIN_US + np.sort(draw.integers(begin, begin + n, n)) * (_SPAN_US // n_rows)
        account = np.minimum(draw.zipf(1.3, n), _ACCOUNTS)
        rows = pa.table(
            {
                "occurred_at": pa.array(at, pa.timestamp("us", "UTC")),
                "account_id": _named("acct", account),
                "ip": _named("10.0", account % 251, draw.integers(0, 9, n)),
                "user_agent": _named("client", account % 7),
                "model": _named("m", draw.integers(0, 3, n)),
                "input_tokens": draw.integers(1, 3000, n),
                "output_tokens": draw.integers(1, 900, n),
            }
        )
        schema = schema or rows.schema
        writer = writer or pq.ParquetWriter(path, schema)
        writer.write_table(rows)
    if writer:
        writer.close()


def _named(prefix: str, *numbers: Any) -> pa.Array:
    parts, names = [pa.array(n).cast(pa.string()) for n in numbers], pa.scalar(prefix)
    return pc.binary_join_element_wise(names, *parts, ".")


def same(one: Profiles, other: Profiles) -> bool:
    """Tell whether profiles are the same, counts exactly and float sums to 1e-6."""
    for name, state in one.trimmed().items():
        for field, left, right in zip(SLICES[name].fields, state, other.trimmed()[name], strict=True):
            is_real = np.issubdtype(field.dtype, np.floating)
            if not (np.allclose(left, right, rtol=1e-6) if is_real else np.array_equal(left, right)):
                return False
    return one.account_ids == other.account_ids


def on_cluster(log: list[str], n_workers: int, folder: Path) -> tuple[Profiles, dict[str, Any]]:
    """Fold a log on a cluster; the second time counts, when libraries are loaded."""
    folder.mkdir()
    with running(folder, n_workers=n_workers) as cluster:
        session, _ = start(SparkSettings(master=cluster.master))
        try:
            # What loads libraries and compiles: a first pass is not what is measured.
            for _ in range(2):
                before, busy_before, begun = shuffled(session), cluster.busy_s(), time.perf_counter()
                engine = SparkEngine(InputSettings(), session=session)
                with engine.open(log) as opened:
                    profiles = engine.fold(opened)
                    n_tasks = len(opened.tasks)
                took = time.perf_counter() - begun
            after = shuffled(session)
            busy = [round(end - begin, 1) for begin, end in zip(busy_before, cluster.busy_s(), strict=True)]
        finally:
            session.stop()
    n_bytes, n_records = after[0] - before[0], after[1] - before[1]
    return profiles, {
        "workers": n_workers,
        "tasks": n_tasks,
        "clock_s": round(took, 1),
        "busy_s_by_worker": busy,
        "shuffle_bytes": n_bytes,
        "shuffle_records": n_records,
        "shuffle_bytes_per_account": round(n_bytes / len(profiles)),
    }


def main() -> None:
    """Write the log where none is named, fold it three times, print what was measured."""
    named = sys.argv[1:]
    with tempfile.TemporaryDirectory() as place:
        log = named if named and not named[0].isdigit() else [f"{place}/log.parquet"]
        if log != named:
            write_log(Path(log[0]), int(named[0]) if named else _ROWS)
        begun, engine = time.perf_counter(), EmbeddedEngine(InputSettings(threads=1))
        with engine.open(log) as opened:
            here = engine.fold(opened)
        print(json.dumps({"embedded_clock_s": round(time.perf_counter() - begun, 1), "load": os.getloadavg()}))
        n_rows, n_bytes = (
            sum(pq.read_metadata(file).num_rows for file in log),
            sum(Path(file).stat().st_size for file in log),
        )
        print(json.dumps({"rows": n_rows, "accounts": len(here), "n_bytes": n_bytes}), flush=True)
        for n_workers in (1, 2):
            there, measured = on_cluster(log, n_workers, Path(place) / str(n_workers))
            print(json.dumps({**measured, "same": same(here, there), "load": os.getloadavg()}), flush=True)


if __name__ == "__main__":
    main()
