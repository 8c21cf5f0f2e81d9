"""Detectors as users bring them, good and bad, and jobs for processes; imported by name, as theirs are."""

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd


class Fast:
    """Scores by volume; the share takes recall away, as a worse version would."""

    def __init__(self, missed: float = 0.0) -> None:
        """Keep what is missed."""
        self.missed = missed

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """Score profiles."""
        score = np.log1p(features["requests_per_day"].fillna(0.0).to_numpy())
        lost = features["requests_per_day"].rank(pct=True).to_numpy() > 1 - self.missed
        return pd.Series(np.where(lost, score.min() - 1, score), index=features.index)


class Strangers:
    """Scores accounts that nobody asked about."""

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """Score others."""
        return pd.Series(1.0, index=[f"other{n}" for n in range(len(features))])


class Blank:
    """Gives no number."""

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """Score nobody."""
        return np.full(len(features), np.nan)


class Flat:
    """Gives everybody the same."""

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """Score everybody alike."""
        return np.ones(len(features))


class Loud:
    """Quotes what it was given in its error."""

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """Raise."""
        raise KeyError("a secret prompt")


class Crashing:
    """Takes its process down."""

    def judge(self, features: pd.DataFrame, level: int) -> Any:
        """End."""
        os._exit(7)


def count_up(job: tuple[str, int]) -> Iterator[int]:
    """Yield numbers up to the job's; end as its name says."""
    name, n = job
    yield from range(n)
    if name == "crashes":
        os._exit(3)
    if name == "hangs":
        time.sleep(3600)
    if name == "raises":
        raise KeyError("a secret prompt")
