"""Logs that grow, and watches over them, as tests need them."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from detector.pipeline import score
from detector.results import Results
from detector.settings import FollowSettings, ScoreSettings, load
from detector.watching.follow import Place, Watch
from tests.detector.worlds import draw_events

#: So that some of few accounts are flagged.
_POLICY = {"budget": 0.3}


def draw(seed: int = 1, *, n: int = 1200, accounts: int = 30) -> pa.Table:
    """Draw a log in order of time."""
    return pa.Table.from_batches([draw_events(seed, n=n, accounts=accounts)])


def as_csv(log: pa.Table) -> bytes:
    """Write a log as CSV."""
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(log, sink)
    return sink.getvalue().to_pybytes()


def as_jsonl(log: pa.Table) -> bytes:
    """Write a log as JSON lines."""
    return log.to_pandas().to_json(orient="records", lines=True, date_format="iso", date_unit="us").encode()


def write(log: pa.Table, path: Path) -> None:
    """Write a log in the format that its name says."""
    if path.suffix == ".parquet":
        pq.write_table(log, path)
    else:
        path.write_bytes(as_csv(log) if path.suffix == ".csv" else as_jsonl(log))


def settings_of(**watch: Any) -> FollowSettings:
    """Make settings; nobody is forgotten unless that is asked for."""
    given = {"idle_days": None, "every_s": 600.0} | watch
    return load(FollowSettings, {"input": {"threads": 1}, "policy": _POLICY, "watch": given}, where="test")


class Follower:
    """Takes up a watch again and again, each time as a new process would."""

    def __init__(self, folder: Path, logs: Sequence[str] | None = None, **watch: Any) -> None:
        self.log = folder / "log"
        self.log.mkdir(exist_ok=True)
        self.place = Place(logs or [str(self.log)], folder / "state", folder / "out")
        self.place.out.mkdir(exist_ok=True)
        self.settings = settings_of(**watch)
        self.said: list[str] = []
        self.looks: list[Results] = []
        self.watch: Watch | None = None

    def begin(self) -> Watch:
        """Take up the last generation."""
        self.watch = Watch(
            self.place, self.settings, self.said.append, stop=threading.Event(), on_look=self.looks.append
        )
        return self.watch

    def once(self) -> Results | None:
        """Take what is there; gives the last look, if there was any."""
        n_looks = len(self.looks)
        self.begin().run(once=True)
        return self.looks[-1] if len(self.looks) > n_looks else None

    @property
    def findings(self) -> bytes:
        """What was told."""
        return (self.place.out / "findings.jsonl").read_bytes()

    def batch(self) -> Results:
        """Score the files as they are now."""
        settings = load(ScoreSettings, {"input": {"threads": 1}, "policy": _POLICY}, where="test")
        return score([str(self.log)], settings)


def check_agree(looked: Results | None, scored: Results) -> None:
    """Check that a look found what a run over the whole log finds, to the last bit."""
    assert looked is not None
    for table in ("scored", "clusters", "evidence", "links", "timeline", "lookalikes", "history"):
        assert getattr(looked, table).equals(getattr(scored, table)), table
    assert looked.rejected.num_rows == scored.rejected.num_rows
    for key in ("counts", "evidence_level", "off", "period", "threshold"):
        assert looked.run[key] == scored.run[key], key
