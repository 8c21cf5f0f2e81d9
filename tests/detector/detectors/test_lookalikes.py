"""Look-alikes: members are near their own kind, others far, and no single feature decides."""

import numpy as np
import pandas as pd
import pytest

from detector.detectors.lookalikes import CAP, LEAST_MEMBERS, Kind, kinds_of, read, written

FEATURES = ["age", "repeats", "quiet_share"]
BY_HAND = Kind(30, {"age": 1.0, "repeats": 0.0}, {"age": 0.5, "repeats": 2.0}, {3: 0.6}, {3: 1.5})


def honest(n: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    """Two kinds that differ in age and repeats; a third of too few accounts."""
    rng = np.random.default_rng(7)
    cohort = np.array(["people"] * n + ["jobs"] * n + ["few"] * (LEAST_MEMBERS - 1), dtype=object)
    features = pd.DataFrame(rng.normal(size=(len(cohort), 3)), columns=FEATURES)
    features.loc[cohort == "jobs", ["age", "repeats"]] += 6.0
    return features, cohort


def test_the_distance_by_hand() -> None:
    """Mean of spreads away, held to the cap; an absent feature and an unused one are passed over."""
    features = pd.DataFrame({"age": [1.5, 2.0, 99.0, np.nan], "repeats": [0.0, np.nan, 0.0, np.nan], "other": 9.0})
    used = {"age", "repeats", "other"}
    np.testing.assert_allclose(BY_HAND.distance(features, used), [0.5, 2.0, CAP / 2, np.nan])
    np.testing.assert_allclose(BY_HAND.distance(features, {"repeats"}), [0.0, np.nan, 0.0, np.nan])


def test_members_are_near_their_own_kind() -> None:
    """Nearly every account is nearer to its own kind than to the other, and 95 % keep within `far`."""
    features, cohort = honest()
    kinds = kinds_of(features, cohort, {3: FEATURES})
    for own, other in (("people", "jobs"), ("jobs", "people")):
        mine = features[cohort == own]
        near, away = kinds[own].distance(mine, FEATURES), kinds[other].distance(mine, FEATURES)
        assert (near < away).mean() > 0.99
        assert np.median(near) == pytest.approx(kinds[own].typical[3], rel=1e-4)
        assert (near <= kinds[own].far[3] * (1 + 1e-5)).mean() == pytest.approx(0.95, abs=0.01)


def test_few_accounts_make_no_kind() -> None:
    """A kind below the least number is left out."""
    assert set(kinds_of(*honest(), {3: FEATURES})) == {"people", "jobs"}


def test_a_feature_without_spread_is_measured_among_all() -> None:
    """Where a kind never varies, the spread is that of honest accounts at large; where nobody does, it is left out."""
    features, cohort = honest()
    features.loc[cohort == "people", "age"] = 0.0
    features["quiet_share"] = 0.25
    kind = kinds_of(features, cohort, {3: FEATURES})["people"]
    assert kind.spread["age"] == pytest.approx(0.2 * features.age.std(), rel=1e-5)
    assert "quiet_share" not in kind.middle


def test_a_kind_is_read_as_it_was_written() -> None:
    """Equal after the file, distances by level included."""
    features, cohort = honest()
    for kind in kinds_of(features, cohort, {0: ["age"], 3: FEATURES}).values():
        assert read(written(kind)) == kind


@pytest.mark.parametrize(
    "change",
    [
        {"features": {"age": [1.0, 0.0]}},
        {"features": {"age": [float("nan"), 1.0]}},
        {"distances": {"3": [2.0, 1.0]}},
        {"distances": {"3": [float("inf"), float("inf")]}},
    ],
)
def test_a_damaged_kind_is_refused(change: dict[str, object]) -> None:
    """No spread, no number, or members that lie further than what holds most of them."""
    with pytest.raises(ValueError, match="kind of honest customer"):
        read(written(BY_HAND) | change)
