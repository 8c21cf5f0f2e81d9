"""Spark and the embedded engine say the same of the same log, and no text of it crosses the network."""

import gzip
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyspark
import pytest
from scipy import sparse

from detector import spark_job
from detector.engines import spans
from detector.engines.embedded import EmbeddedEngine
from detector.engines.spark import SparkEngine
from detector.engines.spark_sessions import start
from detector.errors import EngineError, TooManyRejectsError, UsageError
from detector.linkage.overlaps import overlaps
from detector.notebook import score_frame
from detector.pipeline import score
from detector.profiles.store import SLICES, Profiles
from detector.results import Results
from detector.settings import InputSettings, ScoreSettings, SparkSettings, load
from tests.detector.features.small_logs import draw_accounts, draw_log, write_log
from tests.detector.profiles.test_store import assert_same
from tests.detector.test_pipeline import assert_same_run
from tests.spark.metrics import exchanged, shuffled

#: Small enough that every log here is cut into several spans.
_SPAN = 1 << 14
CANARY = "canaryxq"
#: What else may cross: instants of accounts whose rows overlap in time, and who shares how many things.
TIMES = ("occurred_at", "n_requests")
PAIRS = ("thing", "member", "other", "at", "sum", "n0", "n1", "n2")


@pytest.fixture(autouse=True)
def small_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut even small files."""
    monkeypatch.setattr(spans, "LEAST_BYTES", _SPAN)
    monkeypatch.setattr(spans, "MOST_BYTES", _SPAN)


def settings(**sections: dict[str, object]) -> ScoreSettings:
    """Make settings that read with one thread and flag generously."""
    return load(ScoreSettings, {"input": {"threads": 1}, "policy": {"budget": 0.5}, **sections}, where="test")


def both(
    session: Any, log: Sequence[Path], made: ScoreSettings | None = None, **known: Path
) -> tuple[Results, Results]:
    """Score a log on both engines."""
    made, named = made or settings(), [str(path) for path in log]
    there = score(named, made, engine=SparkEngine(made.input, session=session), **known)  # type: ignore[arg-type]
    return score(named, made, **known), there  # type: ignore[arg-type]


def folded_by_both(session: Any, log: Sequence[Path]) -> tuple[Profiles, Profiles]:
    """Fold a log on both engines, with every optional slice."""
    optional, found = tuple(s.name for s in SLICES.values() if s.is_optional), []
    for engine in (EmbeddedEngine(InputSettings(threads=1)), SparkEngine(InputSettings(), session=session)):
        with engine.open([str(path) for path in log]) as opened:
            found.append(engine.fold(opened, wanted=optional))
    return found[0], found[1]


def written(frame: pd.DataFrame, path: Path) -> Path:
    """Write a log; Parquet in row groups, `.gz` compressed."""
    if path.suffix == ".gz":
        plain = write_log(frame, path.with_suffix(""))
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False, row_group_size=200)
    else:
        write_log(frame, path)
    return path


def with_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """Put line ends and quotation marks into prompts, which hide where records begin."""
    return frame.assign(prompt=frame.prompt + '\n"2026-03-02T00:00:00Z",x,"' + frame.prompt + '"\nthe end')


@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.jsonl", "log.csv.gz"])
def test_scores_are_the_same(session: Any, tmp_path: Path, name: str) -> None:
    """Accounts, clusters, links and evidence of a log are those of the embedded engine, cut as it may be."""
    frame = with_lines(draw_log())
    log, accounts = written(frame, tmp_path / name), tmp_path / "accounts.csv"
    draw_accounts(frame).to_csv(accounts, index=False)
    here, there = both(session, [log], accounts=accounts)
    assert_same_run(here, there)
    assert here.scored["is_flagged"].to_pylist().count(True) > 0
    assert here.run["counts"] == there.run["counts"]
    assert here.run["inputs"] == there.run["inputs"]


def test_a_large_file_is_cut(session: Any, tmp_path: Path) -> None:
    """The logs of these tests are read in spans, so that what they show is true of spans."""
    frame = with_lines(draw_log())
    engine = SparkEngine(InputSettings(), session=session)
    for name in ("log.parquet", "log.csv", "log.jsonl"):
        with engine.open([str(written(frame, tmp_path / name))]) as log:
            assert len(log.tasks) > 3, name


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_bad_records_are_set_aside_alike(session: Any, tmp_path: Path, name: str) -> None:
    """A record that is not as it should be costs itself alone, under the same line and reason on both engines."""
    clean = written(with_lines(draw_log()), tmp_path / f"clean-{name}")
    lines = clean.read_bytes().split(b"\n")
    lines[2000:2000] = [b'never,acc001,"' if name == "log.csv" else b'{"occurred_at": "never", "account_id": "a"}']
    lines[40:40] = [b"2026-03-02T00:00:00Z,acc001" if name == "log.csv" else b"{not json"]
    (tmp_path / name).write_bytes(b"\n".join(lines))
    generous = settings(input={"threads": 1, "max_rejects": 0.5})
    here, there = both(session, [tmp_path / name, clean], generous)
    assert here.rejected.num_rows > 0
    assert here.rejected.equals(there.rejected)
    assert here.run["counts"] == there.run["counts"]
    assert_same_run(here, there)


def test_too_many_bad_records_end_the_run(session: Any, tmp_path: Path) -> None:
    """The share of rejects that is borne is that of the whole log."""
    lines = [b"occurred_at,account_id", *[b"2026-03-02T00:00:00Z,a"] * 3, b"never,a"]
    (tmp_path / "log.csv").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(TooManyRejectsError, match=r"1 of 4 records \(25.00%\) are malformed"):
        score([str(tmp_path / "log.csv")], settings(), engine=SparkEngine(InputSettings(), session=session))


def test_files_that_overlap_in_time_give_the_same_profiles(session: Any, tmp_path: Path) -> None:
    """Each of two gateways' files holds every other row: counts are the same exactly, float sums to 1e-6."""
    frame = with_lines(draw_log())
    parts = [written(frame.iloc[k::2], tmp_path / f"gateway{k}.parquet") for k in range(2)]
    here, there = folded_by_both(session, parts)
    assert_same(here, there)
    assert here.filled == there.filled
    assert here.names == there.names


def test_a_frame_of_the_session_is_scored(session: Any, tmp_path: Path) -> None:
    """A DataFrame gives the scores of the file it came from; what Spark could not read is a reject."""
    log = written(draw_log(), tmp_path / "log.parquet")
    here = score([str(log)], settings())
    frame = session.read.parquet(str(log))
    assert_same_run(here, score_frame(frame, settings()))
    noted = frame.selectExpr("*", "if(account_id = 'acc003', 'broken', null) AS _corrupt_record")
    marred = score_frame(noted, settings(input={"threads": 1, "max_rejects": 0.5}))
    assert marred.run["counts"]["n_rejected"] == 30
    assert set(marred.rejected["reason"].to_pylist()) == {"the record cannot be read"}
    assert len(marred.scored) == len(here.scored) - 1


def test_a_table_and_a_url_are_scored(session: Any, tmp_path: Path) -> None:
    """What Spark reads itself, by a name of its catalogue or by a URL, scores as a file does."""
    log = written(draw_log(), tmp_path / "log.parquet")
    session.read.parquet(str(log)).createOrReplaceTempView("requests")
    here, engine = score([str(log)], settings()), SparkEngine(InputSettings(), session=session)
    for name in ("table:requests", log.as_uri()):
        assert_same_run(here, score([name], settings(), engine=engine))
    with pytest.raises(UsageError, match="one table:NAME"):
        engine.open(["table:requests", str(log)])


def test_excerpts_are_redacted_where_they_lie(session: Any, tmp_path: Path) -> None:
    """The same excerpts come back, cut and redacted by the workers."""
    frame = draw_log().assign(prompt=lambda rows: rows.prompt + " mail jo@example.org")
    made = settings(report={"include_excerpts": True})
    here, there = both(session, [written(frame, tmp_path / "log.parquet")], made)
    assert here.excerpts.num_rows > 0
    assert here.excerpts.equals(there.excerpts)


def test_profiles_cross_the_network_and_rows_do_not(session: Any, tmp_path: Path) -> None:
    """What is shuffled is bounded by accounts and tasks: ten times the text adds nothing; no plan carries a prompt."""
    frame = draw_log(people=60, fleet=4, requests=100)
    wrote = []
    for n_times in (1, 10):
        marked = frame.assign(prompt=(CANARY + " " + frame.prompt + ".\n") * n_times)
        log = written(marked, tmp_path / f"log{n_times}.parquet")
        before = shuffled(session)
        with (engine := SparkEngine(InputSettings(), session=session)).open([str(log)]) as opened:
            engine.fold(opened)
            n_partial = len(opened.tasks) * frame.account_id.nunique()
        after = shuffled(session)
        wrote.append((after[0] - before[0], after[1] - before[1]))
        assert wrote[-1][1] <= n_partial
        assert wrote[-1][0] < 8_000 * n_partial
    assert wrote[1][0] / wrote[1][1] < 1.5 * wrote[0][0] / wrote[0][1]
    carried = exchanged(session)
    assert "account_id" in carried
    assert carried <= {"account_id", *SLICES, *TIMES, *PAIRS}


@pytest.mark.parametrize("least", [1, 3])
def test_pairs_are_those_of_the_linkage(session: Any, least: int) -> None:
    """Grouping finds the pairs that the embedded engine finds, rank by rank, and keeps those that it keeps."""
    draw = np.random.default_rng(least)
    held = sparse.csc_array((draw.random((60, 40)) < 0.15).astype(np.int8))
    rank = draw.integers(0, 3, 40)

    def keep(first: Any, second: Any, n_shared: Any, at: Any) -> Any:
        return (first + second + n_shared + at) % 3 > 0

    engine = SparkEngine(InputSettings(), session=session)
    for kept in (None, keep):
        here, there = overlaps(held, rank, least, kept), engine.pairs(held, rank, least, kept)
        assert len(here[0]) > 0
        assert sorted(zip(*here, strict=True)) == sorted(zip(*there, strict=True))


def test_without_java_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Java is an error of its own, with what to install."""
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", staticmethod(lambda: None))
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineError, match=r"no Java was found.*install stillwatch\[spark\]") as caught:
        start(SparkSettings())
    assert caught.value.exit_code == 34


def test_what_breaks_in_spark_is_one_sentence(session: Any, tmp_path: Path) -> None:
    """A file that vanishes between opening and reading is our own error, whichever worker met it."""
    log = written(draw_log(), tmp_path / "log.parquet")
    engine = SparkEngine(InputSettings(), session=session)
    with engine.open([str(log)]) as opened:
        log.unlink()
        with pytest.raises(Exception, match=r"log\.parquet: ") as caught:
            engine.fold(opened)
    assert "Traceback" not in str(caught.value)
    with pytest.raises(EngineError, match="Spark stopped with AnalysisException"):
        engine.open(["table:nowhere"])


def test_a_job_for_spark_submit(tmp_path: Path) -> None:
    """The job file scores as the command does, under the master that spark-submit was given."""
    log = written(draw_log(), tmp_path / "log.parquet")
    home, job = Path(pyspark.__file__).parent, Path(spark_job.__file__)
    options = ["--out", str(tmp_path / "scored"), "--budget", "0.5", "--quiet"]
    command = [str(home / "bin" / "spark-submit"), "--master", "local[1]", str(job), str(log), *options]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    there = pd.read_parquet(tmp_path / "scored" / "accounts.parquet").set_index("account_id").score
    here = score([str(log)], settings()).scored.to_pandas().set_index("account_id").score
    pd.testing.assert_series_equal(here, there, rtol=1e-9)
