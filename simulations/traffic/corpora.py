"""A user's own texts instead of ours: each text of a file is asked in turn."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from detector.errors import ConfigError, nearest
from simulations.traffic.grammar import Grammar, compiled, shipped

#: Column that holds the texts.
COLUMN = "prompt"


def read_corpus(path: Path, *, where: str) -> list[str]:
    """Read the texts of a Parquet file.

    Parameters
    ----------
    where: file and key that named the corpus, for the error.

    Raises
    ------
    ConfigError
        The file is missing or empty, or has no column of texts.
    """
    try:
        names = pq.read_schema(path).names
        if COLUMN not in names:
            raise ConfigError(f"{where}: corpus = {str(path)!r} has no column {COLUMN!r}; {nearest(COLUMN, names)}")
        texts = pq.read_table(path, columns=[COLUMN])[COLUMN].cast(pa.string()).to_pylist()
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or "it is not a Parquet file of texts"
        raise ConfigError(f"{where}: corpus = {str(path)!r} cannot be read ({reason}); give a .parquet file") from error
    kept = [text for text in texts if text]
    if not kept:
        raise ConfigError(f"{where}: corpus = {str(path)!r} holds no text; give at least one")
    return kept


def grammar_of(corpora: Mapping[str, Path], *, where: str) -> Grammar:
    """Compile our rules, and two for each corpus: one draws a text, the other goes through all of them.

    Parameters
    ----------
    corpora: file of each corpus by its name; no name may be one of our rules.
    """
    if not corpora:
        return shipped()
    return compiled({name: read_corpus(path, where=where) for name, path in corpora.items()})
