"""What every feature owes: a place in the registry, absence where columns are missing, no care for names and order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features import content, economy, network, rate
from detector.features.catalogue import FEATURES, compute_features
from detector.features.registry import Feature, collision_share, histogram_quantile, log_spread, ratio, usable
from detector.tables import EVENTS, FAMILIES
from tests.detector.features.small_logs import draw_log, features_of, folded, log_of

ALL = [*rate.FEATURES, *content.FEATURES, *network.FEATURES, *economy.FEATURES]


def test_names_are_unique() -> None:
    """No feature hides another of the same name."""
    assert len({f.name for f in ALL}) == len(ALL) == len(FEATURES)


@pytest.mark.parametrize("feature", ALL, ids=lambda f: f.name)
def test_a_feature_is_described(feature: Feature) -> None:
    """Family, direction, level, columns and meaning are of those that exist."""
    assert feature.family in FAMILIES
    assert feature.direction in (-1, 0, 1)
    assert 0 <= feature.level <= 4
    assert feature.meaning.strip()
    assert set(feature.needs) <= set(EVENTS.names)
    assert feature.name.isidentifier() and feature.name.islower()


@pytest.mark.parametrize("feature", ALL, ids=lambda f: f.name)
def test_a_feature_gives_one_number_a_profile(feature: Feature) -> None:
    """Shape (n,) of floats, for many profiles, for one and for a log of all columns that are null."""
    columns = {n: None for n in EVENTS.names if n not in ("occurred_at", "account_id", "n_requests")}
    for names in (["a", "b", "c"], ["a"]):
        states = folded(log_of(list(range(len(names))), account_id=names, **columns)).trimmed()
        with np.errstate(divide="ignore", invalid="ignore"):
            values = feature.compute(states)
        assert values.shape == (len(names),)
        assert values.dtype == np.float64


@pytest.mark.parametrize("feature", [f for f in ALL if f.needs != ("occurred_at",) and f.needs], ids=lambda f: f.name)
def test_missing_columns_make_a_feature_absent(feature: Feature) -> None:
    """Without any one of the columns it needs a feature is no column of the table, not a column of zeros."""
    present = set(EVENTS.names) - {"n_requests"}
    assert feature in usable(ALL, present)
    for column in feature.needs:
        assert feature not in usable(ALL, present - {column})


def test_a_column_of_nulls_is_missing() -> None:
    """A column that no row fills is as good as none."""
    log = log_of([1, 2], prompt=None, ip=None)
    assert not {"prompt_length", "networks"} & set(features_of(log))


def test_all_null_account_has_nan_not_zero() -> None:
    """Beside an account that fills a column, one that never does gets NaN wherever that column is needed."""
    log = draw_log(people=3, fleet=0)
    for column in set(log) - {"occurred_at", "account_id"}:
        log[column] = log[column].astype(object).where(log.account_id != "acc002", None)
    found = features_of(log).loc["acc002"]
    judged = {f.name for f in ALL if f.name in found and set(f.needs) - {"occurred_at"}}
    assert judged
    known = set(found.dropna().index) & judged
    assert not known


def test_counts_per_bucket_give_level_zero_only() -> None:
    """Where a row is many requests, a share of rows would be garbage: only features of level 0 are in the table."""
    found = features_of(draw_log(people=3, fleet=1).assign(n_requests=4))
    assert {FEATURES[name].level for name in found} == {0}
    assert {"requests_per_day", "paid_ratio"} <= set(found)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_row_order_and_names_do_not_matter(seed: int) -> None:
    """A shuffled log of renamed accounts gives every account the numbers it had."""
    log = draw_log(seed, people=4, fleet=2, requests=25)
    before = features_of(log)
    mixed = log.sample(frac=1, random_state=seed, ignore_index=True)
    after = features_of(mixed.assign(account_id="x" + mixed.account_id))
    after.index = after.index.str.removeprefix("x")
    pd.testing.assert_frame_equal(before, after.loc[before.index], check_names=False, rtol=1e-9)


def test_one_account_does_not_move_another() -> None:
    """An account's features are its own: leaving the fleet out changes no person."""
    log = draw_log(people=5, fleet=3)
    alone = features_of(log[log.account_id < "acc005"])
    pd.testing.assert_frame_equal(alone, features_of(log).loc[alone.index])


def test_no_number_is_infinite() -> None:
    """What cannot be told is NaN; infinities never reach a detector."""
    log = log_of([0, 0, 0], input_tokens=0, output_tokens=0, cost_usd=0.0, prompt="", ip="", payment_id="", model="")
    profiles = folded(log)
    found = compute_features(profiles, profiles.filled_columns)
    assert not np.isinf(found.to_numpy()).any()
    assert np.isnan(found.paid_ratio.iloc[0])


def test_ratio_never_divides_by_zero() -> None:
    """Where there is nothing to divide by the answer is NaN."""
    np.testing.assert_array_equal(ratio([1, 0, 3], [2, 0, 0]), [0.5, np.nan, np.nan])


def test_histogram_quantile_by_hand() -> None:
    """Half of four counts is reached in the second place; an empty histogram has no median."""
    counts = np.array([[1, 1, 2], [0, 0, 0], [0, 0, 5]])
    np.testing.assert_array_equal(histogram_quantile(counts, np.array([0.0, 10.0, 20.0]), 0.5), [10.0, np.nan, 20.0])


def test_log_spread_by_hand() -> None:
    """Two counts two half-octaves apart deviate by half an octave; one count by nothing that can be told."""
    np.testing.assert_array_equal(log_spread(np.array([[0, 1, 0, 1], [9, 1, 0, 0]])), [0.5, np.nan])


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_collision_share_is_a_share(seed: int) -> None:
    """Between 0 and 1 for any counts, NaN below two."""
    counts = np.random.default_rng(seed).integers(0, 4, size=(5, 64))
    counts[0] = 0
    found = collision_share(counts)
    assert np.isnan(found[0])
    assert ((found[1:] >= 0) & (found[1:] <= 1)).all()
