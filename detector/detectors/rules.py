"""Transparent rules: each holds or does not, and adds a fixed log-odds. A yardstick for anything cleverer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.detectors.base import Verdict, within_log_reference
from detector.features.catalogue import FEATURES


@dataclass(frozen=True)
class Rule:
    """A feature beyond a bound adds log-odds.

    Attributes
    ----------
    feature: name in the catalogue.
    bound: in the feature's unit.
    is_above: it holds above the bound, otherwise below.
    log_odds: what it adds.
    """

    feature: str
    bound: float
    is_above: bool
    log_odds: float


#: Bounds: answers longer than questions are rare in production APIs (7 of 259 clients of the ServeGen traces exceed 1),
#: clean style and few lower-case starts mark prompt pools, and strangers do not share instruments. Log-odds are chosen.
RULES = (
    Rule("requests_per_day", 2.0, True, 0.7),
    Rule("paid_ratio", 0.0, True, 0.7),
    Rule("answer_ratio", 0.3, True, 0.7),
    Rule("length_spread", 0.8, False, 0.7),
    Rule("lower_start_share", 0.02, False, 0.5),
    Rule("first_person_share", 0.1, False, 0.5),
    Rule("repeats", 0.8, True, 1.0),
    Rule("regular_share", 0.35, True, 0.5),
    Rule("payments", 1.0, True, 1.5),
    Rule("networks", 3.0, True, 0.7),
    Rule("sign_up_spread", 0.6, False, 0.7),
    Rule("at_limit_share", 0.5, True, 0.7),
    Rule("logprobs_share", 0.5, True, 1.0),
)
#: Chosen: one account in a hundred.
_PRIOR = float(np.log(0.01 / 0.99))


@dataclass
class Rules:
    """Sum of the log-odds of the rules that hold."""

    name: str = "rules"

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        added = {}
        for rule in RULES:
            if rule.feature in features:
                x = features[rule.feature].to_numpy(np.float64)
                with np.errstate(invalid="ignore"):
                    holds = x > rule.bound if rule.is_above else x < rule.bound
                added[rule.feature] = np.where(holds, rule.log_odds, 0.0)
        contributions = pd.DataFrame(added, index=features.index)
        verdict = Verdict(_PRIOR, contributions, {name: FEATURES[name].family for name in added})
        return Verdict(_PRIOR, contributions, verdict.families, within_log_reference(verdict.scores))
