"""Rules by hand: each holds or does not, and what is unknown never holds."""

import numpy as np
import pandas as pd
import pytest

from detector.detectors.rules import RULES, Rule, Rules
from detector.features.catalogue import FEATURES

PRIOR = np.log(0.01 / 0.99)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.feature)
def test_a_rule_holds_beyond_its_bound_only(rule: Rule) -> None:
    """On the bound and on the near side it adds 0, beyond it its log-odds, for a gap 0."""
    beyond = rule.bound + (0.01 if rule.is_above else -0.01)
    verdict = Rules().judge(pd.DataFrame({rule.feature: [beyond, rule.bound, 2 * rule.bound - beyond, np.nan]}), 3)
    assert verdict.contributions[rule.feature].tolist() == [rule.log_odds, 0.0, 0.0, 0.0]
    assert verdict.families == {rule.feature: FEATURES[rule.feature].family}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.feature)
def test_rules_agree_with_the_catalogue(rule: Rule) -> None:
    """A rule points where its feature's direction does, where it has one, and only ever adds suspicion."""
    assert FEATURES[rule.feature].direction in (0, 1 if rule.is_above else -1)
    assert rule.log_odds > 0


def test_the_score_is_the_sum() -> None:
    """Repeats (1.0) and payments (1.5) over the prior; nothing known is the prior."""
    features = pd.DataFrame({"repeats": [2.0, np.nan], "payments": [2.0, np.nan]})
    assert Rules().judge(features, 3).scores.tolist() == pytest.approx([PRIOR + 2.5, PRIOR])


def test_a_log_without_any_of_the_features_scores_the_prior() -> None:
    """No rule applies, no account stands out."""
    verdict = Rules().judge(pd.DataFrame(index=["a", "b"]), 0)
    assert verdict.scores.tolist() == pytest.approx([PRIOR, PRIOR])
    assert verdict.reference is not None
    np.testing.assert_allclose(verdict.reference.p_value(verdict.scores), [2 / 3, 2 / 3])
