"""Fitting: a true effect is found with its sign, what is left out stays out, the same rows give the same bytes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detector.detectors.fitting import BASE_RATE, LEFT_OUT, TrainingSet, _weights, fit_model
from detector.detectors.modelfile import from_json, to_json
from detector.errors import TruthError


def training_set(n: int = 300, *, logs: int = 2, seed: int = 3, **changes: Any) -> TrainingSet:
    """Draw accounts whose extraction shows in high `repeats` and low `age`, and not in `quiet_share`."""
    rng = np.random.default_rng(seed)
    is_extraction = rng.random(n) < 0.2
    features = pd.DataFrame(
        {
            "repeats": rng.normal(0, 1, n) + 2.0 * is_extraction,
            "age": rng.normal(0, 1, n) - 2.0 * is_extraction,
            "quiet_share": rng.normal(0, 1, n),
            "digit_share": 1.0 * is_extraction + rng.normal(0, 0.1, n),
        }
    )
    given: dict[str, Any] = {
        "features": features,
        "is_extraction": is_extraction,
        "cluster": np.array([str(i) for i in range(n)], dtype=object),
        "cohort": np.where(is_extraction, "harvest", "people").astype(object),
        "log": np.arange(n) % logs,
    }
    return TrainingSet(**given | changes)


def test_true_effects_have_their_sign() -> None:
    """Repeats raise the score, age lowers it, and what tells nothing moves it least."""
    curves = fit_model(training_set(), fitted_on={}).levels[3].curves
    rise = {name: float(curve.values[-1] - curve.values[0]) for name, curve in curves.items()}
    assert rise["repeats"] > 0.1
    assert rise["age"] < -0.1
    assert abs(rise["quiet_share"]) < min(rise["repeats"], -rise["age"]) / 3


def test_extraction_scores_higher() -> None:
    """The fitted model ranks: nine of ten pairs of an extracting and an honest account are in order."""
    rows = training_set()
    scores = fit_model(rows, fitted_on={}).judge(rows.features, 3).scores
    guilty, honest = scores[rows.is_extraction], scores[~rows.is_extraction]
    assert (guilty[:, None] > honest[None, :]).mean() > 0.9


def test_levels_use_what_they_have() -> None:
    """Level 0 knows age and hours only; repeats come with text at level 3."""
    levels = fit_model(training_set(), fitted_on={}).levels
    assert set(levels[0].curves) == set(levels[2].curves) == {"age", "quiet_share"}
    assert set(levels[3].curves) == {"age", "quiet_share", "repeats"}


def test_left_out_features_are_left_out() -> None:
    """A feature that gives the label away is not used when it is on the list."""
    assert "digit_share" in LEFT_OUT
    assert "digit_share" not in fit_model(training_set(), fitted_on={}).levels[3].curves


def test_the_same_rows_give_the_same_bytes() -> None:
    """Fitting draws nothing; the file comes back as it is."""
    text = to_json(fit_model(training_set(), fitted_on={"seed": 3}))
    assert text == to_json(fit_model(training_set(), fitted_on={"seed": 3}))
    assert text == to_json(from_json(text, where="here"))


@pytest.mark.parametrize("label", [True, False])
def test_one_class_is_refused(label: bool) -> None:
    """Without both kinds there is nothing to fit."""
    rows = training_set(is_extraction=np.full(300, label))
    with pytest.raises(TruthError, match="the labels hold one class only; both honest and extracting accounts"):
        fit_model(rows, fitted_on={})


@pytest.mark.parametrize("logs", [1, 2])
def test_the_reference_is_of_honest_accounts(logs: int) -> None:
    """It counts them all, ascends, and its shares fall from 1 to 2 / (n + 1), where n is of the smallest log."""
    rows = training_set(logs=logs)
    reference = fit_model(rows, fitted_on={}).levels[3].reference
    n = int((~rows.is_extraction).sum())
    least = min(int((~rows.is_extraction & (rows.log == number)).sum()) for number in range(logs))
    assert reference.n == n
    assert np.all(np.diff(reference.scores) >= 0)
    assert np.all(np.diff(reference.p_values) <= 0)
    assert 0.9 < reference.p_values[0] <= 1
    assert 2 / (n + 1) <= reference.p_values[-1] <= 2 / (least + 1)
    assert reference.least == reference.floor == 1 / (least + 1)
    assert reference.n_above is not None and reference.n_above[0] == n and reference.n_above[-1] == 1


def test_a_cohort_that_looks_guilty_raises_the_bar() -> None:
    """30 honest customers who look like harvests are the worst cohort, and hold the threshold up for everyone."""
    rows = training_set(900)
    alike = np.zeros(900, dtype=bool)
    alike[np.flatnonzero(~rows.is_extraction)[:30]] = True
    features = rows.features.copy()
    features.loc[alike, ["repeats", "age"]] += [2.0, -2.0]
    named = np.where(alike, "bulk", rows.cohort).astype(object)
    reference = fit_model(training_set(900, features=features, cohort=named), fitted_on={}).levels[3].reference
    cohorts = reference.cohorts
    assert cohorts is not None
    assert cohorts.sizes == {"bulk": 30, "people": reference.n - 30}
    assert cohorts.worst[-1] == "bulk"
    assert replace(reference, cohorts=None).threshold(0.03) < reference.threshold(0.03)


@pytest.mark.parametrize("number", [0, 1])
def test_the_worst_log_counts(number: int) -> None:
    """Where the honest accounts of one log score high, shares are those of that log, not of all."""
    rows = training_set(400)
    features = rows.features.copy()
    features.loc[(rows.log == number) & ~rows.is_extraction, "repeats"] += 1.0
    reference = fit_model(training_set(400, features=features), fitted_on={}).levels[3].reference
    assert reference.n_above is not None
    pooled = (reference.n_above + 1) / (reference.n + 1)
    assert np.all(reference.p_values >= pooled)
    middle = len(pooled) // 2
    assert reference.p_values[middle] > 1.2 * pooled[middle]


def test_the_population_is_of_honest_accounts() -> None:
    """Quantiles of every feature over honest accounts, those of harvests left out."""
    rows = training_set()
    population = fit_model(rows, fitted_on={}).population
    honest = rows.features[~rows.is_extraction]
    assert set(population) == set(rows.features)
    assert population["repeats"][[0, 10, 20]].tolist() == [
        honest.repeats.min(),
        pytest.approx(honest.repeats.median()),
        honest.repeats.max(),
    ]


def test_the_kinds_are_of_honest_accounts() -> None:
    """One kind a cohort of honest accounts, none of harvests; told over the features that a level uses."""
    kinds = fit_model(training_set(), fitted_on={}).kinds
    assert set(kinds) == {"people"}
    assert set(kinds["people"].middle) == {"age", "quiet_share", "repeats"}
    assert set(kinds["people"].typical) == {0, 1, 2, 3}


def test_logs_of_one_kind_each_can_be_fitted() -> None:
    """Where the other logs hold one kind only, nothing can be held out; the fit still comes."""
    rows = training_set()
    model = fit_model(training_set(log=rows.is_extraction.astype(int)), fitted_on={})
    assert model.levels[0].reference.n == int((~rows.is_extraction).sum())


def test_features_that_never_vary_leave_the_prior() -> None:
    """With nothing to fit on, every account scores the base rate."""
    model = fit_model(training_set(features=pd.DataFrame({"age": np.full(300, 2.0)})), fitted_on={})
    assert model.levels[0].curves == {}
    expected = np.log(BASE_RATE / (1 - BASE_RATE))
    assert model.judge(pd.DataFrame({"age": [2.0, 9.0]}), 0).scores.tolist() == pytest.approx([expected] * 2)
    assert from_json(to_json(model), where="here").levels[0].prior == pytest.approx(expected, rel=1e-5)


def test_gaps_are_treated_as_average() -> None:
    """A feature that half of the accounts lack still has its sign, and adds 0 where it is absent."""
    rows = training_set()
    features = rows.features.copy()
    features.loc[::2, "repeats"] = np.nan
    model = fit_model(training_set(features=features), fitted_on={})
    curve = model.levels[3].curves["repeats"]
    assert curve.values[-1] > curve.values[0]
    assert model.judge(features, 3).contributions.repeats[0] == 0.0


def test_a_large_cluster_does_not_rule() -> None:
    """A hundred honest accounts of one cluster weigh as ten strangers together, so each a tenth of one."""
    rows = training_set(logs=1)
    honest = np.flatnonzero(~rows.is_extraction)
    cluster = rows.cluster.copy()
    cluster[honest[:100]] = "one office"
    weights = _weights(training_set(logs=1, cluster=cluster))
    np.testing.assert_allclose(weights[honest[:100]], weights[honest[100]] / 10)


def test_kinds_of_harvest_count_alike() -> None:
    """A campaign of many accounts and one of few have the same weight in all."""
    rows = training_set(logs=1)
    guilty = np.flatnonzero(rows.is_extraction)
    cohort = rows.cohort.copy()
    cohort[guilty[:5]] = "small campaign"
    weights = _weights(training_set(logs=1, cohort=cohort))
    assert weights[guilty[:5]].sum() == pytest.approx(weights[guilty[5:]].sum())


def test_near_values_make_a_model_that_can_be_read() -> None:
    """Values that differ in the seventh figure only are one knot, so that the file that is written is accepted."""
    rng = np.random.default_rng(1)
    age = np.where(rng.random(300) < 0.5, 3.0, 3.0 + 1e-7 * rng.random(300))
    age[:60] = rng.normal(2, 1, 60)
    model = fit_model(training_set(features=pd.DataFrame({"age": age})), fitted_on={})
    assert len(model.levels[0].curves["age"].knots) > 1
    text = to_json(model)
    assert to_json(from_json(text, where="here")) == text


def crossed(*names: str) -> TrainingSet:
    """Draw accounts that extract where two features are both high or both low: neither tells alone."""
    rng = np.random.default_rng(5)
    places = rng.choice([-1.0, 1.0], (400, 2))
    features = pd.DataFrame(places + rng.normal(0, 0.1, (400, 2)), columns=list(names))
    return training_set(400, features=features, is_extraction=places.prod(axis=1) > 0)


def test_what_two_features_tell_together_is_found() -> None:
    """Two features of one family that tell nothing apart rank eight of ten pairs of accounts as a pair."""
    rows = crossed("prompt_length", "answer_length")
    model = fit_model(rows, fitted_on={})
    assert model.levels[3].pairs.weights[("prompt_length", "answer_length")] > 0
    scores = model.judge(rows.features, 3).scores
    assert (scores[rows.is_extraction][:, None] > scores[~rows.is_extraction][None, :]).mean() > 0.8


def test_families_are_not_paired() -> None:
    """Features of two families stay apart, whatever they tell together; so do those of families that are assumed."""
    for names in (("prompt_length", "requests_per_day"), ("addresses", "clients"), ("age", "sign_up_spread")):
        assert fit_model(crossed(*names), fitted_on={}).levels[3].pairs.weights == {}


def with_windows(rows: TrainingSet, n_windows: int, *, raised: float = 0.0) -> TrainingSet:
    """Add windows of a day that hold every account again, with what it repeats raised for honest accounts."""
    copies, n = n_windows + 1, len(rows.log)
    features = pd.concat([rows.features] * copies)
    window = np.repeat(np.arange(copies), n)
    is_extraction = np.tile(rows.is_extraction, copies)
    features["repeats"] += raised * ((window > 0) & ~is_extraction)
    return TrainingSet(
        features,
        is_extraction,
        np.array([f"{w}/{c}" for w, c in zip(window, np.tile(rows.cluster, copies), strict=True)], dtype=object),
        np.tile(rows.cohort, copies),
        np.tile(rows.log, copies),
        (window > 0).astype(np.int64),
        window,
    )


def test_windows_count_no_account_twice() -> None:
    """Numbers, cohorts and the least p-value of the reference are those of whole logs, and so are the populations."""
    rows = training_set(400)
    alone, windowed = (fit_model(given, fitted_on={}) for given in (rows, with_windows(rows, 3)))
    one, other = alone.levels[3].reference, windowed.levels[3].reference
    assert other.n == one.n
    assert other.least == one.least
    assert other.cohorts is not None and one.cohorts is not None and other.cohorts.sizes == one.cohorts.sizes
    assert {name: q.tolist() for name, q in alone.population.items()} == {
        name: q.tolist() for name, q in windowed.population.items()
    }


def test_windows_that_repeat_a_log_change_no_score() -> None:
    """Copies are no further evidence: the fit is that of the log alone, as its weights sum to the accounts."""
    rows = training_set(400)
    alone, windowed = (
        fit_model(given, fitted_on={}).judge(rows.features, 3) for given in (rows, with_windows(rows, 3))
    )
    assert windowed.scores == pytest.approx(alone.scores, abs=0.02)
    assert _weights(with_windows(rows, 3)).sum() == pytest.approx(400)


def test_the_worst_length_counts() -> None:
    """Where honest accounts score higher in a day than in the whole, shares are those of a day."""
    rows = training_set(400)
    calm, raised = (fit_model(with_windows(rows, 2, raised=r), fitted_on={}).levels[3].reference for r in (0.0, 1.0))
    assert calm.n_above is not None and raised.n_above is not None
    excess = [
        float((r.p_values / ((r.n_above + 1) / (r.n + 1))).max()) for r in (calm, raised) if r.n_above is not None
    ]
    assert excess[1] > 1.3 * excess[0]
