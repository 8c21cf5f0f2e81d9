"""Evidence as a reviewer reads it: the rows of an account add up to its score, and nothing absent is listed."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.detectors.anomaly import Anomaly
from detector.detectors.base import Verdict
from detector.detectors.combined import Combined
from detector.detectors.rules import Rules
from detector.evidence import PRIOR, tabulate
from detector.features.catalogue import FEATURES
from detector.tables import EVIDENCE, FAMILIES

DETECTORS: list[Callable[[], object]] = [Combined, Rules, lambda: Anomaly("ecod")]


def draw_features(seed: int, n: int = 12) -> pd.DataFrame:
    """Draw a table with gaps."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(n, len(FEATURES))), columns=list(FEATURES))
    return features.mask(rng.random(features.shape) < 0.3)


def evidence_of(features: pd.DataFrame, verdict: Verdict) -> pd.DataFrame:
    """Lay out evidence of accounts a0, a1, ... of which every second is in a cluster."""
    ids = [f"a{i}" for i in range(len(features))]
    return tabulate(ids, features, verdict, is_clustered=np.arange(len(features)) % 2 == 1).to_pandas()


@pytest.mark.parametrize("make", DETECTORS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_evidence_adds_up_to_the_score(make: Callable[[], object], seed: int) -> None:
    """Prior plus contributions of an account is its score, by family too."""
    features = draw_features(seed)
    verdict = make().judge(features, 3)  # type: ignore[attr-defined]
    table = evidence_of(features, verdict)
    by_account = table.groupby("account_id").contribution.sum()
    expected = pd.Series(verdict.scores, [f"a{i}" for i in range(len(features))])
    pd.testing.assert_series_equal(by_account.sort_index(), expected.sort_index(), check_names=False, rtol=1e-12)
    for family in FAMILIES:
        parts = table[table.family == family].groupby("account_id").contribution.sum()
        parts = parts.reindex(expected.index).fillna(0.0)
        np.testing.assert_allclose(parts.to_numpy(), verdict.by_family(family), atol=1e-12)


def small_verdict() -> tuple[pd.DataFrame, Verdict]:
    """Two pieces, of which b lacks one."""
    features = pd.DataFrame({"age": [1.0, 3.0, 3.0], "repeats": [0.5, np.nan, 2.0]})
    pieces = pd.DataFrame({"age": [0.25, -0.5, 0.0], "repeats": [1.0, 0.0, 0.0]})
    return features, Verdict(-4.0, pieces, {"age": "economy", "repeats": "content"})


def test_the_table_by_hand() -> None:
    """One prior row and one row a present piece, in order; the schema is the contract's."""
    features, verdict = small_verdict()
    table = tabulate(["a", "b", "c"], features, verdict, is_clustered=np.array([False, True, False]))
    assert table.schema == EVIDENCE
    rows = table.to_pandas()
    assert rows.account_id.tolist() == ["a", "a", "a", "b", "b", "c", "c", "c"]
    assert rows.feature.tolist() == [PRIOR, "age", "repeats", PRIOR, "age", PRIOR, "age", "repeats"]
    assert rows.contribution.tolist() == [-4.0, 0.25, 1.0, -4.0, -0.5, -4.0, 0.0, 0.0]
    assert rows.family.tolist() == ["", "economy", "content", "", "economy", "", "economy", "content"]
    assert rows.subject.tolist() == ["account"] * 3 + ["cluster"] * 2 + ["account"] * 3


def test_a_piece_is_described() -> None:
    """Value, unit, what is typical, percentile and a sentence; the prior has a sentence and no value."""
    rows = evidence_of(*small_verdict()).set_index(["account_id", "feature"])
    age = rows.loc[("a0", "age")]
    assert (age.value, age.reference, age.unit) == (1.0, 3.0, "log10 days")
    assert age.percentile == pytest.approx(1 / 6)
    assert age.meaning == FEATURES["age"].meaning
    prior = rows.loc[("a0", PRIOR)]
    assert np.isnan(prior.value)
    assert "where the sum starts" in prior.meaning


def test_absent_features_are_not_listed() -> None:
    """A feature that the account or the log lacks has no row, so no reader takes a gap for a zero."""
    features, verdict = small_verdict()
    rows = evidence_of(features[["age"]], verdict)
    assert "repeats" in rows[rows.account_id == "a0"].feature.tolist()
    assert "repeats" not in rows[rows.account_id != "a0"].feature.tolist()


def test_a_score_without_a_feature_is_still_shown() -> None:
    """The single piece of an anomaly score has no value of its own, but its contribution is there."""
    features = draw_features(1)
    rows = evidence_of(features, Anomaly("ecod").judge(features, 3))
    scored = rows[rows.feature == "pyod:ecod"]
    assert len(scored) > 0
    assert scored.value.isna().all()
    assert scored.meaning.unique().tolist() == ["score of pyod:ecod over all features"]


def test_what_is_usual_comes_from_honest_accounts() -> None:
    """Where the model keeps quantiles of honest accounts, their median, 5 % and 95 % stand beside the value."""
    features, verdict = small_verdict()
    table = tabulate(
        ["a", "b", "c"],
        features,
        verdict,
        is_clustered=np.zeros(3, bool),
        population={"age": np.linspace(0.0, 20.0, 21)},
    ).to_pandas()
    age, repeats = table[table.feature == "age"], table[table.feature == "repeats"]
    assert age[["reference", "usual_low", "usual_high"]].drop_duplicates().to_numpy().tolist() == [[10.0, 1.0, 19.0]]
    assert repeats.reference.tolist() == [1.25, 1.25]
    assert repeats[["usual_low", "usual_high"]].isna().all(axis=None)


def test_peers_are_named() -> None:
    """A percentile says among how many it was taken and in what they are alike; the prior has neither."""
    features, verdict = small_verdict()
    table = evidence_of(features, verdict).set_index(["account_id", "feature"])
    assert table.loc[("a0", "age"), ["n_peers", "peers"]].tolist() == [3, "nothing"]
    assert table.loc[("a0", "repeats"), "n_peers"] == 2
    assert table.loc[("a0", PRIOR), "peers"] == ""
    assert pd.isna(table.loc[("a0", PRIOR), "n_peers"])


def test_peers_are_those_of_the_account_not_of_its_cluster() -> None:
    """Two hundred accounts, half of them busy: a value is compared with as busy accounts, though it was pooled."""
    n = 200
    own = pd.DataFrame({"requests_per_day": np.repeat([0.25, 2.25], n // 2)})
    pooled = pd.DataFrame({"requests_per_day": np.full(n, 2.25), "age": np.arange(n, dtype=float)})
    verdict = Verdict(-4.0, pd.DataFrame({"age": np.zeros(n)}), {"age": "economy"})
    ids = [str(i) for i in range(n)]
    rows = tabulate(ids, pooled, verdict, is_clustered=np.ones(n, bool), own=own).to_pandas()
    age = rows[rows.feature == "age"]
    assert age.n_peers.unique().tolist() == [n // 2]
    assert age.peers.unique().tolist() == ["volume"]
    np.testing.assert_allclose(age.percentile, np.tile((np.arange(n // 2) + 0.5) / (n // 2), 2))
