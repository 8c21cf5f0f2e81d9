"""Curves and pairs add up to the score, and a log is judged by the level that it has."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.detectors.combined import Combined
from detector.detectors.model import AdditiveModel
from detector.errors import ModelError
from detector.features.catalogue import FEATURES
from tests.detector.detectors.small_models import paired_model, small_model


def test_a_curve_is_straight_between_knots_and_flat_beyond() -> None:
    """By hand: halfway between 1.5 and .25, the ends beyond, 0 where absent."""
    curve = small_model().levels[0].curves["age"]
    assert curve.at(np.array([0.5, -9.0, 9.0, np.nan])).tolist() == [0.875, 1.5, -0.75, 0.0]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-2, 6), st.floats(-2, 6)), min_size=1, max_size=9), st.booleans())
def test_prior_and_contributions_are_the_score(values: list[tuple[float, float]], has_repeats: bool) -> None:
    """For any values, present or absent; an absent feature adds exactly 0."""
    features = pd.DataFrame(values, columns=["age", "repeats"])
    features.loc[0, "age"] = np.nan
    verdict = small_model().judge(features if has_repeats else features[["age"]], 2)
    np.testing.assert_array_equal(verdict.scores, -6.0 + (verdict.contributions.age + verdict.contributions.repeats))
    assert verdict.contributions.age[0] == 0.0
    assert has_repeats or verdict.contributions.repeats.eq(0).all()
    assert verdict.families == {"age": "economy", "repeats": "content"}


@pytest.mark.parametrize(("level", "prior"), [(0, -5.0), (1, -5.0), (2, -6.0), (4, -6.0)])
def test_a_log_gets_the_nearest_lower_level(level: int, prior: float) -> None:
    """Level 1 is judged by the curves for level 0, level 4 by those for level 2."""
    assert small_model().judge(pd.DataFrame({"age": [1.0]}), level).prior == prior


def test_a_model_that_needs_more_says_so() -> None:
    """A model for level 2 and up cannot judge counts."""
    model = AdditiveModel({2: small_model().levels[2]}, {})
    with pytest.raises(ModelError, match="the model starts at evidence level 2, the log is of level 1"):
        model.for_level(1)


def test_order_and_names_of_rows_do_not_matter() -> None:
    """The default detector scores a row by its values alone."""
    rng = np.random.default_rng(1)
    features = pd.DataFrame(rng.normal(size=(6, len(FEATURES))), columns=list(FEATURES), index=list("abcdef"))
    scores = pd.Series(Combined().judge(features, 3).scores, features.index)
    turned = features.iloc[::-1]
    other = pd.Series(Combined().judge(turned.set_axis(range(6)), 3).scores, turned.index)
    pd.testing.assert_series_equal(scores, other[scores.index])


@pytest.mark.parametrize(
    ("repeats", "answer_length", "each"),
    [(2.0, 2.0, 1.0), (0.0, 0.0, 1.0), (2.0, 0.0, -1.0), (1.0, 2.0, 0.0), (2.0, 1.5, 0.5), (9.0, 9.0, 1.0)],
)
def test_a_pair_is_told_in_halves(repeats: float, answer_length: float, each: float) -> None:
    """Weight 2 times the product of the places, half with either feature, and no piece of its own."""
    features = pd.DataFrame({"repeats": [repeats], "answer_length": [answer_length]})
    verdict = paired_model().judge(features, 0)
    assert verdict.contributions.iloc[0].to_dict() == {"repeats": each, "answer_length": each}
    assert verdict.scores.tolist() == [-5.0 + 2 * each]


@pytest.mark.parametrize(
    "features", [{"repeats": [2.0], "answer_length": [np.nan]}, {"repeats": [2.0]}, {"answer_length": [2.0]}]
)
def test_a_pair_of_which_one_is_absent_adds_nothing(features: dict[str, list[float]]) -> None:
    """With nothing to multiply by, neither feature gains or loses."""
    assert paired_model().judge(pd.DataFrame(features), 0).contributions.to_numpy().tolist() == [[0.0, 0.0]]
