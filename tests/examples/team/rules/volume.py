"""A detector of the team's own: who asks much, and answers at length."""

import numpy as np
import pandas as pd


class Volume:
    """Scores accounts by requests a day; higher is more suspicious."""

    def __init__(self, power: float = 1.0) -> None:
        """Choose how much volume counts."""
        self.power = power

    def judge(self, features: pd.DataFrame, level: int) -> "pd.Series[float]":
        """Score accounts, one row of features each."""
        per_day = features["requests_per_day"].fillna(0.0)
        return self.power * np.log1p(per_day)
