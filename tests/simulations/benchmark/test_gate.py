"""The gate catches five points of recall and leaves alone what differs by chance, on populations made up here."""

import numpy as np
import pandas as pd
import pytest

from simulations.benchmark.figures import Figure, _figure
from simulations.benchmark.gate import Finding, _difference, margin_of
from simulations.benchmark.metrics import METRICS, Sample
from simulations.benchmark.resampling import N_RESAMPLES, Weights, resample

N_HONEST, N_HARVEST, N_RUNS = 3000, 700, 20
#: Comparisons of one changed detector in a suite with ten scenarios, at three levels.
N_FOREMOST, N_OTHERS = 27, 290
RECALL = METRICS["recall_at_fpr_0.001"]


@pytest.fixture(scope="module")
def population() -> pd.DataFrame:
    """Honest accounts, then campaigns of one account each and campaigns of ten."""
    campaign = [f"lone-{n}" for n in range(500)] + [f"fleet-{n // 10}" for n in range(200)]
    harvests = pd.DataFrame({"is_extraction": True, "scenario": "a@1", "campaign": campaign})
    return pd.concat([pd.DataFrame({"is_extraction": [False] * N_HONEST, "scenario": "a@1", "campaign": ""}), harvests])


@pytest.fixture(scope="module")
def weights(population: pd.DataFrame) -> Weights:
    """The resamples of the population."""
    return resample(population, "all")


def scored(scores: np.ndarray, weights: Weights) -> Figure:
    """Recall of scores of the population."""
    n, is_extraction = len(scores), np.arange(len(scores)) >= N_HONEST
    blank = dict.fromkeys(("n_same", "n_found", "n_true", "n_members", "leaked", "days"), np.zeros(n))
    flags = dict.fromkeys(("is_flagged", "is_discovered"), np.zeros(n, bool))
    sample = Sample(score=scores, is_extraction=is_extraction, **flags, **blank, budget=1e-3, fdr=0.05, capacity=0.005)
    return _figure(RECALL, sample, weights, ("mine", 3, "all"), "")


def held(before: Figure, now: Figure) -> Finding | None:
    """What the gate says."""
    z = margin_of(N_FOREMOST, N_OTHERS, is_first=True)
    return _difference(now, (before.value, *before.replicates), RECALL.tolerance, z)


def first_scores(draw: np.random.Generator) -> np.ndarray:
    """Scores that find some seven campaigns' accounts of ten."""
    return np.append(draw.normal(0, 1, N_HONEST), draw.normal(3.6, 1, N_HARVEST))


def test_five_points_less_are_caught(weights: Weights) -> None:
    """Of twenty detectors that miss five points more, at random, at least nineteen fail; each is told by its figure."""
    n_failed = 0
    for number in range(N_RUNS):
        draw = np.random.default_rng(number)
        scores = first_scores(draw)
        before, worse = scored(scores, weights), scores.copy()
        worse[N_HONEST:][draw.random(N_HARVEST) < 0.05 / before.value] = -9.0
        finding = held(before, scored(worse, weights))
        n_failed += finding is not None and finding.fails
    assert n_failed >= N_RUNS - 1


def test_chance_alone_is_left_alone(weights: Weights) -> None:
    """An unchanged detector never fails; of twenty with other random numbers inside at most one does."""
    n_failed = 0
    for number in range(N_RUNS):
        draw = np.random.default_rng(number)
        scores = first_scores(draw)
        same = [scored(scores + draw.normal(0, 0.1, len(scores)), weights) for _ in range(2)]
        assert held(same[0], same[0]) is None
        finding = held(*same)
        n_failed += finding is not None and finding.fails
    assert n_failed <= 1


def test_a_better_detector_is_told_and_passes(weights: Weights) -> None:
    """What improves beyond chance is a note."""
    scores = first_scores(np.random.default_rng(1))
    better = scores + np.where(np.arange(len(scores)) >= N_HONEST, 1.0, 0.0)
    finding = held(scored(scores, weights), scored(better, weights))
    assert finding is not None and finding.kind == "better" and not finding.fails


def test_campaigns_are_drawn_whole(population: pd.DataFrame, weights: Weights) -> None:
    """Accounts of a campaign have one weight; a draw has as many campaigns as there are; equal names, equal draws."""
    assert weights.drawn.shape == (N_RESAMPLES, N_HONEST + N_HARVEST)
    fleets = weights.drawn[:, -200:].reshape(N_RESAMPLES, 20, 10)
    assert (fleets == fleets[:, :, :1]).all()
    units = weights.drawn[:, N_HONEST : N_HONEST + 500].sum(axis=1) + fleets[:, :, 0].sum(axis=1)
    assert (units == 520).all()
    assert (resample(population, "all").drawn == weights.drawn).all()
    assert (resample(population, "other").drawn != weights.drawn).any()


def test_a_single_campaign_is_drawn_by_its_accounts(population: pd.DataFrame) -> None:
    """Without other campaigns to compare with, accounts vary."""
    one = population.iloc[-10:]
    drawn = resample(one, "one").drawn
    assert (drawn.sum(axis=1) == 10).all() and (drawn.std(axis=1) > 0).all()
