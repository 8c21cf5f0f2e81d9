"""Scoring from a session that is there, such as a notebook's: a DataFrame in, tables out, nothing written."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.engines.spark import TABLE, SparkEngine
from detector.pipeline import score
from detector.results import Results
from detector.settings import ScoreSettings

#: What the frame is called while it is scored, and in the record.
_VIEW = "stillwatch_requests"


def score_frame(
    frame: Any,
    settings: ScoreSettings | None = None,
    *,
    accounts: Path | None = None,
    allow: Path | None = None,
    history: pa.Table | None = None,
) -> Results:
    """Score a Spark DataFrame of requests, in its own session, which is left running.

    Parameters
    ----------
    frame: a row per request; columns are recognised as those of a Parquet file are. A record that Spark could not read,
        in the column ``_corrupt_record``, is counted as a reject.
    settings: none is the default.
    accounts, allow, history: see `pipeline.score`.

    Returns
    -------
    Tables of Arrow; ``frame.sparkSession.createDataFrame(results.scored)`` makes one a DataFrame again. A reject is
    numbered as by ``monotonically_increasing_id()``.

    Raises
    ------
    StillwatchError
        Something about the frame or the settings is wrong; the text says what.
    """
    settings, session = settings or ScoreSettings(), frame.sparkSession
    engine = SparkEngine(settings.input, session=session)
    frame.createOrReplaceTempView(_VIEW)
    try:
        return score([f"{TABLE}{_VIEW}"], settings, engine=engine, accounts=accounts, allow=allow, history=history)
    finally:
        session.catalog.dropTempView(_VIEW)
