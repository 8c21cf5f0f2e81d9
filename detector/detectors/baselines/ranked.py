"""A published statistic as a detector: one number per account, ranked among the numbers of the log."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.detectors.base import Detector, Values, Verdict, within_log_reference
from detector.errors import ConfigError, nearest
from detector.features.extras import Extra
from detector.settings import DetectorSettings


def rank_odds(statistic: Values, *, is_two_sided: bool) -> Values:
    """Turn a statistic into log-odds of its rank: higher is more surprising, 0 is the middle or an absent value.

    The rank is among distinct values, so that the members of a cluster, which share one, count once.

    Parameters
    ----------
    statistic: shape (n,), NaN where absent; higher is more suspicious unless both sides are.
    is_two_sided: both ends surprise, each half as much.
    """
    odds = np.zeros(len(statistic))
    present = ~np.isnan(statistic)
    values, place = np.unique(statistic[present], return_inverse=True)
    n = len(values)
    share = (n - np.arange(n)) / (n + 1.0)
    if is_two_sided:
        share = np.minimum(2 * np.minimum(share, share[::-1]), n / (n + 1.0))
    if n > 1:
        odds[present] = np.log((1 - share) / share)[place]
    return odds


@dataclass(frozen=True)
class Ranked:
    """One statistic, ranked to the log; its log-odds are the only contribution and never support a revocation alone."""

    name: str
    statistic: Extra
    is_two_sided: bool

    @property
    def extras(self) -> tuple[Extra, ...]:
        """The statistic; see `features.extras`."""
        return (self.statistic,)

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`. Where the log cannot give the statistic, every score is 0."""
        known = self.statistic.name in features
        statistic = features[self.statistic.name].to_numpy(np.float64) if known else np.full(len(features), np.nan)
        odds = rank_odds(statistic, is_two_sided=self.is_two_sided)
        contributions = pd.DataFrame({self.statistic.name: odds}, index=features.index)
        return Verdict(0.0, contributions, {self.statistic.name: self.statistic.family}, within_log_reference(odds))


def make_ranked(name: str, statistic: Extra, settings: DetectorSettings, *, is_two_sided: bool) -> Detector:
    """Make the detector of a statistic; the parameter `two_sided` overrides which ends count.

    Raises
    ------
    ConfigError
        There is another parameter, or it is neither true nor false.
    """
    for key, value in settings.parameters.items():
        if key != "two_sided":
            raise ConfigError(f"detector.parameters: {name} has no {key!r}; {nearest(key, ['two_sided'])}")
        if not isinstance(value, bool):
            raise ConfigError(f"detector.parameters.two_sided = {value!r}: give true or false")
    return Ranked(name, statistic, bool(settings.parameters.get("two_sided", is_two_sided)))
