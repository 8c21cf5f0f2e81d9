"""The embedded database: opened with limits, cut off from everything but the log, and locked."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from detector.logs.quoting import quote_text


def open_session(scratch: Path, *, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that may spill to one folder.

    Parameters
    ----------
    scratch: private folder.
    memory: what it may hold, such as 512MB.
    threads: at least 1.

    Notes
    -----
    Compressed pages are not fetched ahead: on a local disk that gains nothing and holds a third more memory.
    Lists of null spellings are compared one by one: a join for each column takes memory, and plans slowly.
    Extensions are neither loaded nor installed, Python variables are out of reach of queries, and the time zone is
    fixed, so that results do not depend on the machine.
    """
    session = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": str(scratch),
            "preserve_insertion_order": True,
            "produce_arrow_string_view": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_persistent_secrets": False,
            "enable_external_file_cache": False,
            "python_enable_replacements": False,
        },
    )
    session.execute("SET GLOBAL TimeZone = 'UTC'")
    session.execute("SET GLOBAL disable_parquet_prefetching = true")
    session.execute("SET GLOBAL disabled_optimizers = 'in_clause'")
    return session


def lock_session(session: duckdb.DuckDBPyConnection, paths: Sequence[str], scratch: Path) -> None:
    """Allow these files and the scratch folder, nothing else, and no change of that."""
    allowed = ", ".join(quote_text(path) for path in paths)
    session.execute(f"SET allowed_paths = [{allowed}]")
    session.execute(f"SET allowed_directories = [{quote_text(str(scratch))}]")
    session.execute("SET enable_external_access = false")
    session.execute("SET lock_configuration = true")
