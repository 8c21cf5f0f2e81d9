"""Figures of small populations that can be counted by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score

from simulations.benchmark.evaluate import threshold_at
from simulations.benchmark.figures import _clusters
from simulations.benchmark.metrics import METRICS, Sample, recall_at

NAN = np.nan


def sample(score, is_extraction, **values):
    """A sample in which nothing is flagged, clustered or looked at unless told."""
    n = len(score)
    blank = {name: np.zeros(n) for name in ("n_same", "n_found", "n_true", "n_members")}
    looks = {name: np.full(n, NAN) for name in ("leaked", "days")}
    flags = {"is_flagged": np.zeros(n, bool), "is_discovered": np.zeros(n, bool)}
    limits = {"budget": 0.1, "fdr": 0.05, "capacity": 0.2}
    own = {"score": np.array(score, float), "is_extraction": np.array(is_extraction, bool)}
    return Sample(**{**blank, **looks, **flags, **limits, **own, **values})


def value(name, one):
    """The figure with every account once."""
    return float(METRICS[name].compute(one, np.ones((1, len(one.score))))[0])


#: Ten honest accounts with scores 0 to 9, then five of campaigns.
TEN = sample([*range(10), 9.5, 9.5, 8.5, 3.0, -1.0], [0] * 10 + [1] * 5)


def test_recall_counts_what_few_honest_accounts_exceed() -> None:
    """At a rate of an eighth one of ten honest accounts lies above, as `evaluate` counts."""
    weights = np.ones((1, 15))
    assert recall_at(0.125, TEN, weights)[0] == pytest.approx(3 / 5)
    assert recall_at(0.05, TEN, weights)[0] == pytest.approx(2 / 5)
    assert recall_at(0.8, TEN, weights)[0] == pytest.approx(4 / 5)


@settings(max_examples=30)
@given(arrays(float, 40, elements=st.integers(0, 20)), st.sampled_from([0.05, 0.1, 0.25]))
def test_recall_is_that_of_evaluate(scores, rate) -> None:
    """With every account once the threshold is the one that `evaluate` takes, ties or not."""
    is_extraction = np.arange(40) >= 30
    expected = float((scores[30:] > threshold_at(scores[:30], rate)).mean())
    assert recall_at(rate, sample(scores, is_extraction), np.ones((1, 40)))[0] == pytest.approx(expected)


@settings(max_examples=30)
@given(arrays(float, 12, elements=st.integers(0, 5)), arrays(int, 12, elements=st.integers(0, 3)))
def test_weights_stand_for_copies(scores, copies) -> None:
    """A weight of three is three accounts, for every figure that scores and flags decide."""
    copies[0] = copies[-1] = 1
    one = sample(scores, np.arange(12) >= 8, is_flagged=scores >= 4, is_discovered=scores >= 5)
    fields = {name: np.repeat(v, copies) for name, v in vars(one).items() if isinstance(v, np.ndarray)}
    many = replace(one, **fields)
    for name in ("recall_flagged", "precision_at_capacity", "false_positives_per_10000", "false_discovery_share"):
        weighed = METRICS[name].compute(one, copies[None].astype(float))[0]
        assert weighed == pytest.approx(value(name, many)), name
    assert recall_at(0.3, one, copies[None].astype(float))[0] == pytest.approx(
        recall_at(0.3, many, np.ones((1, len(many.score))))[0]
    )


def test_precision_at_capacity_takes_whom_reviewers_open_first() -> None:
    """Room for three of fifteen: two of campaigns and the best honest account, which no tie pushes aside."""
    assert value("precision_at_capacity", TEN) == pytest.approx(2 / 3)
    flat = replace(TEN, score=np.zeros(15))
    assert value("precision_at_capacity", flat) == 0.0


def test_flags_are_counted_by_who_was_flagged() -> None:
    """One honest account of ten and two of a campaign's five flagged: 1,000 of 10,000, as the budget says."""
    flags = np.isin(np.arange(15), [9, 10, 11])
    one = replace(TEN, is_flagged=flags, is_discovered=flags)
    assert value("false_positives_per_10000", one) == pytest.approx(1000)
    assert value("fpr_over_budget", one) == pytest.approx(1.0)
    assert value("recall_flagged", one) == pytest.approx(0.4)
    assert value("false_discovery_share", one) == pytest.approx(1 / 3)
    assert value("false_discovery_share", TEN) == 0.0


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=20))
def test_clusters_are_judged_as_by_the_library(pairs) -> None:
    """Over campaigns' accounts the adjusted Rand index is scikit-learn's; honest company lowers the pair F1."""
    campaigns, clusters = zip(*pairs, strict=True)
    logged = pd.DataFrame({"campaign": [f"c{c}" for c in campaigns], "is_extraction": True})
    columns = {"cluster": np.array(clusters, float), "score": 0.0, "is_flagged": False, "is_discovered": False}
    counts = _clusters(logged, pd.DataFrame(columns, index=range(len(pairs))))
    numbers = {name: counts[name].to_numpy(float) for name in ("n_same", "n_found", "n_true", "n_members")}
    one = sample(np.zeros(len(pairs)), np.ones(len(pairs)), **numbers)
    if len(set(campaigns)) < len(pairs) and len(set(campaigns)) > 1:
        found = value("adjusted_rand", one)
        assert np.isnan(found) or found == pytest.approx(adjusted_rand_score(campaigns, clusters))
    mixed = replace(one, n_found=one.n_found + 2)
    assert value("pair_f1", mixed) <= value("pair_f1", one)


def test_leaks_are_means_over_campaigns() -> None:
    """Each campaign counts once, however many accounts it has."""
    leaked = np.full(15, NAN)
    leaked[[10, 13]] = 0.2, 1.0
    assert value("leaked_before_flag", replace(TEN, leaked=leaked, days=leaked)) == pytest.approx(0.6)


def test_what_cannot_be_shown_is_refused_with_a_reason() -> None:
    """Too few honest accounts, no campaign, no pairs, no looks, no promise of a rate."""
    reasons = {name: metric.refuse(TEN) for name, metric in METRICS.items()}
    assert reasons["recall_at_fpr_0.001"] == "10 honest accounts cannot show a false-positive rate of 0.001"
    assert reasons["pair_f1"] == "no campaign has two accounts"
    assert reasons["leaked_before_flag"] == "it is not looked at as it grows"
    honest = replace(TEN, is_extraction=np.zeros(15, bool), is_discovered=None)
    assert METRICS["recall_flagged"].refuse(honest) == "no campaign is in it"
    assert "no honest reference" in METRICS["false_discovery_share"].refuse(honest)
    assert METRICS["false_positives_per_10000"].refuse(replace(TEN, is_extraction=np.ones(15, bool)))


def test_metrics_declare_themselves() -> None:
    """Every metric has a goal, a unit, bounds, a tolerance above nothing and a meaning."""
    for name, metric in METRICS.items():
        assert name == metric.name and metric.goal in ("high", "low") and metric.unit and metric.meaning
        assert metric.tolerance > 0
        assert metric.bounds[1] is None or metric.bounds[0] < metric.bounds[1]
