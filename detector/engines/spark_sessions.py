"""Spark's session: the one that is there, or one that is started; and what it raises, in a sentence of ours."""

import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from detector.errors import EngineError
from detector.settings import SparkSettings

#: Rows of Arrow that Spark hands over at once; prompts may be long (chosen).
_BATCH_ROWS = 4096
_INSTALL = "install stillwatch[spark], and a Java runtime of version 17 or later"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Spark from saying what concerns nobody here: frames of pandas are not used, whichever version there is."""
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what Spark raises into one sentence of ours; its own is long, and may quote the log."""
    with _quiet():
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

    try:
        with _quiet():
            yield
    except (PySparkException, Py4JError) as error:
        raise EngineError(
            f"Spark stopped with {type(error).__name__}; its own log says more. Is the master reachable, has every "
            "worker this package, and does every worker see the files under the same paths?"
        ) from error


def start(settings: SparkSettings) -> tuple[Any, bool]:
    """Give the session that is there, or start one.

    Returns
    -------
    The session, and whether it was started here.

    Raises
    ------
    EngineError
        There is no pyspark, no Java, or no master.
    """
    try:
        with _quiet():
            from pyspark import SparkConf
            from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(f"--engine spark: pyspark is not installed; {_INSTALL}") from None
    if (active := SparkSession.getActiveSession()) is not None:
        return active, False
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and shutil.which("java", path=os.path.join(home, "bin")))):  # noqa: PTH118
        raise EngineError(f"--engine spark: no Java was found, on the path or in JAVA_HOME; {_INSTALL}")
    chosen = {
        "spark.driver.memory": settings.driver_memory,
        "spark.executor.memory": settings.executor_memory,
        "spark.driver.maxResultSize": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH_ROWS),
    }
    try:
        conf = SparkConf()
        for key, value in chosen.items():
            conf.setIfMissing(key, value)
        master = settings.master or conf.get("spark.master") or "local[*]"
        with _quiet():
            session = SparkSession.builder.config(conf=conf).master(master).appName("stillwatch").getOrCreate()
    except Exception as error:
        raise EngineError(f"--engine spark: it does not start ({type(error).__name__}); {_INSTALL}") from error
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.pythonExec = settings.python or os.environ.get("PYSPARK_PYTHON") or sys.executable
    return session, True
