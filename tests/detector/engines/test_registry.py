"""An engine is one module and one line: whatever folds and pairs as the contract says gives the same scores."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.engines.embedded import EmbeddedEngine, Log
from detector.engines.registry import ENGINES, make_engine
from detector.errors import ConfigError, EngineError
from detector.keeping import Kept
from detector.linkage.overlaps import Keep, Numbers, overlaps
from detector.pipeline import score
from detector.profiles.rows import from_rows, to_rows
from detector.profiles.store import Profiles
from detector.progress import Tell, silent
from detector.settings import ScoreSettings, load
from tests.detector.features.small_logs import draw_log, write_log
from tests.detector.test_pipeline import assert_same_run


class Apart:
    """Reads as the embedded engine does, folds batches apart, joins them as rows, and tells who shares what."""

    def __init__(self, settings: ScoreSettings) -> None:
        self._inner = EmbeddedEngine(settings.input)
        self.asked: list[int] = []

    def open(self, patterns: Sequence[str]) -> Log:
        """Open as the embedded engine does."""
        return self._inner.open(patterns)

    def fold(
        self, log: Log, *, wanted: tuple[str, ...] = (), tell: Tell = silent, kept: Kept | None = None
    ) -> Profiles:
        """Fold in a process of its own, as it were."""
        folded = self._inner.fold(log, wanted=wanted, tell=tell, kept=kept)
        joined = from_rows(to_rows(folded), folded.columns, wanted)
        joined.filled, joined.names = folded.filled, folded.names
        return joined

    def pairs(
        self, columns: Any, rank: Numbers, least: int, keep: Keep | None = None, *, threads: int = 1
    ) -> tuple[Numbers, Numbers]:
        """Give pairs in another order."""
        self.asked.append(least)
        first, second = overlaps(columns, rank, least, keep)
        return first[::-1], second[::-1]


def test_an_engine_that_keeps_the_contract_gives_the_same_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline sees batches, folds and pairs of whatever engine the settings name, and nothing else of it."""
    write_log(draw_log(), tmp_path / "log.parquet")
    made: list[Apart] = []
    monkeypatch.setitem(ENGINES, "apart", lambda settings: made.append(Apart(settings)) or made[-1])
    values = {"input": {"threads": 1}, "policy": {"budget": 0.5}}
    plain, other = (
        score([str(tmp_path / "log.parquet")], load(ScoreSettings, {**values, "engine": engine}, where="test"))
        for engine in ("embedded", "apart")
    )
    assert_same_run(plain, other)
    assert made[0].asked == [3]


def test_an_unknown_engine_is_named() -> None:
    """Where, what came, and the nearest there is."""
    with pytest.raises(ConfigError, match="engine = 'embeded': no engine has this name; nearest: 'embedded'"):
        make_engine(ScoreSettings(engine="embeded"))


def test_pairs_of_nobody_are_none() -> None:
    """The embedded engine pairs as the linkage does, down to no columns at all."""
    from scipy import sparse

    nothing = sparse.csc_array((4, 0), dtype=np.int8)
    first, second = EmbeddedEngine(ScoreSettings().input).pairs(nothing, np.empty(0, np.int64), 1)
    assert (len(first), len(second)) == (0, 0)


def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is optional: its absence is an error of its own, not a traceback."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(EngineError, match=r"pyspark is not installed; install stillwatch\[spark\]") as caught:
        make_engine(ScoreSettings(engine="spark"))
    assert caught.value.exit_code == 34
