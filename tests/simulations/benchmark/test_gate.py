"""The gate catches five points of recall and leaves alone what differs by chance, on populations made up here."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from simulations.benchmark.figures import Figure, Figures, _add_campaigns, _figure
from simulations.benchmark.gate import Finding, Told, _difference, campaigns_needed, margin_of
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


def scored(scores: np.ndarray, weights: Weights, population: pd.DataFrame) -> Figure:
    """Recall of scores of the population, told by campaign."""
    n, is_extraction = len(scores), np.arange(len(scores)) >= N_HONEST
    blank = dict.fromkeys(("n_same", "n_found", "n_true", "n_members", "leaked", "days"), np.zeros(n))
    flags = dict.fromkeys(("is_flagged", "is_discovered"), np.zeros(n, bool))
    sample = Sample(score=scores, is_extraction=is_extraction, **flags, **blank, budget=1e-3, fdr=0.05, capacity=0.005)
    every = Figures([_figure(RECALL, sample, weights, ("mine", 3, "all"), "")])
    _add_campaigns(every, sample, weights, population, ("mine", 3))
    return every.figures[0]


def held(before: Figure, now: Figure) -> Finding | None:
    """What the gate says."""
    z = margin_of(N_FOREMOST, N_OTHERS, is_first=True)
    return _difference(now, Told((before.value, *before.replicates), before.found, before.honest), RECALL.tolerance, z)


def first_scores(draw: np.random.Generator) -> np.ndarray:
    """Scores that find some seven campaigns' accounts of ten."""
    return np.append(draw.normal(0, 1, N_HONEST), draw.normal(3.6, 1, N_HARVEST))


def test_five_points_less_are_caught(weights: Weights, population: pd.DataFrame) -> None:
    """Of twenty detectors that miss five points more, at random, at least nineteen fail; each is told by its figure."""
    n_failed = 0
    for number in range(N_RUNS):
        draw = np.random.default_rng(number)
        scores = first_scores(draw)
        before, worse = scored(scores, weights, population), scores.copy()
        worse[N_HONEST:][draw.random(N_HARVEST) < 0.05 / before.value] = -9.0
        finding = held(before, scored(worse, weights, population))
        n_failed += finding is not None and finding.fails
    assert n_failed >= N_RUNS - 1


def without(scores: np.ndarray, population: pd.DataFrame, lost: list[str]) -> np.ndarray:
    """Scores of a detector that misses some campaigns, which the first finds."""
    return np.where(population["campaign"].isin(lost), -9.0, scores)


def test_lost_campaigns_are_told_by_how_many(weights: Weights, population: pd.DataFrame) -> None:
    """Ten campaigns that are lost cannot be told from chance, whatever they hold; eleven can."""
    scores = np.append(np.random.default_rng(0).normal(0, 1, N_HONEST), np.full(N_HARVEST, 9.0))
    before = scored(scores, weights, population)
    needed = campaigns_needed(norm.sf(margin_of(N_FOREMOST, N_OTHERS, is_first=True)))
    for n, is_told in ((needed - 1, False), (needed, True)):
        now = scored(without(scores, population, [f"fleet-{i}" for i in range(n)]), weights, population)
        finding = held(before, now)
        assert (finding is not None and finding.fails) == is_told


def test_campaigns_add_up_to_the_figure(weights: Weights, population: pd.DataFrame) -> None:
    """What is counted of each campaign, together, is the figure: at ties, too, and whatever share of honest ones."""
    for number in range(5):
        draw = np.random.default_rng(number)
        scores = np.round(first_scores(draw), number % 3)
        figure = scored(scores, weights, population)
        assert len(figure.found) == 520
        assert sum(figure.found) / N_HARVEST == pytest.approx(figure.value, abs=1e-5)


def test_large_campaigns_hide_no_small_ones(weights: Weights, population: pd.DataFrame) -> None:
    """Twelve small campaigns and three large ones that are lost are told; the interval alone sees nothing."""
    scores = np.append(np.random.default_rng(0).normal(0, 1, N_HONEST), np.full(N_HARVEST, 9.0))
    before = scored(scores, weights, population)
    lost = [*(f"fleet-{i}" for i in range(3)), *(f"lone-{i}" for i in range(12))]
    now = scored(without(scores, population, lost), weights, population)
    assert held(replace(before, found=()), now) is None
    finding = held(before, now)
    assert finding is not None and finding.fails


def test_as_much_gained_as_lost_is_no_loss(weights: Weights, population: pd.DataFrame) -> None:
    """A detector that misses twenty campaigns and finds twenty others is left alone, in either direction."""
    scores = np.append(np.random.default_rng(0).normal(0, 1, N_HONEST), np.full(N_HARVEST, 9.0))
    one, other = ([f"lone-{i}" for i in range(start, start + 20)] for start in (0, 20))
    first, second = (scored(without(scores, population, lost), weights, population) for lost in (one, other))
    assert held(first, second) is None and held(second, first) is None


def test_a_threshold_that_moved_by_chance_is_no_loss(weights: Weights, population: pd.DataFrame) -> None:
    """Campaigns all at one score fall together where three honest accounts set the threshold: nobody is told worse."""
    honest = np.random.default_rng(0).normal(0, 1, N_HONEST)
    ranked = np.sort(honest)[::-1]
    before = np.append(honest, np.full(N_HARVEST, ranked[2] + 1e-3))
    moved = before.copy()
    moved[np.argsort(-honest)[2:4]] += ranked[1] - ranked[3]
    now = [scored(scores, weights, population) for scores in (before, moved)]
    assert now[0].value - now[1].value > 0.5, "the loss is large, and every campaign shares it"
    finding = held(*now)
    assert finding is None or not finding.fails


def test_chance_alone_is_left_alone(weights: Weights, population: pd.DataFrame) -> None:
    """An unchanged detector never fails; of twenty with other random numbers inside at most one does."""
    n_failed = 0
    for number in range(N_RUNS):
        draw = np.random.default_rng(number)
        scores = first_scores(draw)
        same = [scored(scores + draw.normal(0, 0.1, len(scores)), weights, population) for _ in range(2)]
        assert held(same[0], same[0]) is None
        finding = held(*same)
        n_failed += finding is not None and finding.fails
    assert n_failed <= 1


def test_a_better_detector_is_told_and_passes(weights: Weights, population: pd.DataFrame) -> None:
    """What improves beyond chance is a note."""
    scores = first_scores(np.random.default_rng(1))
    better = scores + np.where(np.arange(len(scores)) >= N_HONEST, 1.0, 0.0)
    finding = held(scored(scores, weights, population), scored(better, weights, population))
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
