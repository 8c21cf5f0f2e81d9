"""Statistics that a detector brings along: absent where the log lacks what they need, never part of the catalogue."""

import numpy as np
import pandas as pd
import pytest

from detector.features.catalogue import FEATURES
from detector.features.extras import Extra, States, compute_extras, slices_of
from detector.features.registry import Values
from detector.profiles.store import Profiles
from tests.detector.features.small_logs import draw_log, folded


def _share_of_all(states: States, everyone: States) -> Values:
    return states["volume"].n_requests / everyone["volume"].n_requests.sum()


def extra(name: str = "share_of_all", **changes: object) -> Extra:
    """Make a statistic that lays an account beside everyone."""
    plain = {"family": "rate", "unit": "", "level": 1, "needs": ("prompt",), "slices": (), "meaning": "its share"}
    return Extra(name=name, compute=_share_of_all, **{**plain, **changes})  # type: ignore[arg-type]


def test_it_is_laid_beside_everyone() -> None:
    """A profile of two accounts is compared with the whole log, not with itself."""
    everyone = folded(draw_log(people=4, fleet=0))
    pair = everyone.take(np.array([0, 1])).pool(np.zeros(2, np.int64), ["pair"])
    found = compute_extras([extra()], pair, everyone, everyone.filled_columns)
    assert found.index.tolist() == ["pair"]
    assert found.share_of_all["pair"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({}, ("occurred_at", "account_id")),
        ({"slices": ("queries",)}, ("prompt",)),
        ({}, ("prompt", "n_requests")),
    ],
)
def test_what_the_log_cannot_give_is_no_column(changes: dict[str, object], columns: tuple[str, ...]) -> None:
    """Without its columns, without its slice, or in a log of counts a statistic is absent, not zero and no error."""
    profiles = folded(draw_log(people=2, fleet=0))
    found = compute_extras([extra(**changes)], profiles, profiles, columns)
    assert found.shape == (2, 0)


def test_infinities_are_absent() -> None:
    """What cannot be told is NaN."""
    profiles = folded(draw_log(people=2, fleet=0))
    endless = Extra("endless", "rate", "", 0, (), (), "no end", lambda s, e: np.array([np.inf, 1.0]))
    found = compute_extras([endless], profiles, profiles, profiles.filled_columns).endless
    pd.testing.assert_series_equal(found, pd.Series([np.nan, 1.0]), check_index=False, check_names=False)


def test_a_name_of_the_catalogue_is_refused() -> None:
    """No detector can hide a feature, and so none can reach the fitted model by its name."""
    with pytest.raises(ValueError, match="'repeats' is a feature of the catalogue; give the extra statistic another"):
        extra("repeats")
    assert "share_of_all" not in FEATURES


def test_slices_are_named_once() -> None:
    """Two statistics of one slice ask for it once; most ask for none."""
    assert slices_of([extra("x", slices=("queries",)), extra("y", slices=("queries",)), extra("z")]) == ("queries",)
    assert "queries" not in Profiles(("occurred_at", "account_id", "prompt"), wanted=slices_of([extra()])).states
