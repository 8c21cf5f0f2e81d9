"""From gathered scores to figures: every metric of every row, its interval, and the replicates that a gate compares."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulations.benchmark.metrics import METRICS, Metric, Sample
from simulations.benchmark.resampling import Weights, resample
from simulations.benchmark.run import Gathered
from simulations.benchmark.suite import ALL, Suite, SuiteSettings
from simulations.benchmark.work import read_scores

#: What figures that clusters alone decide are listed under.
LINKAGE = "linkage"
#: False-positive rates of the trade-off curves, evenly spaced on a log scale. Chosen.
RATES = np.logspace(-4, -1, 25)
_DIGITS = 5
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One figure of one row.

    Attributes
    ----------
    low, high: 2.5 % and 97.5 % quantile of the replicates.
    replicates: the figure on resampled populations, shape (n_resamples,).
    found: over all scenarios, of a share of campaigns' accounts: how many it counts of each campaign; else nothing.
    honest: likewise, the figure where honest accounts alone are resampled, shape (n_resamples,).
    """

    detector: str
    level: int
    scenario: str
    metric: str
    cohort: str
    value: float
    low: float
    high: float
    n: int
    replicates: tuple[float, ...]
    found: tuple[int, ...] = ()
    honest: tuple[float, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from every other figure of a run."""
        return "|".join((self.scenario, str(self.level), self.detector, self.metric, self.cohort))


@dataclass
class Figures:
    """All figures of a run.

    Attributes
    ----------
    refused: key of a figure that cannot be shown, and why.
    curves: recall at `RATES`, by detector and level.
    linked: levels and scopes of which clusters are judged already.
    """

    figures: list[Figure] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    curves: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)
    linked: set[tuple[int, str]] = field(default_factory=set)


class _Population:
    """The accounts of one or several logs, in a fixed order, with their weights."""

    def __init__(self, gathered: Gathered, places: Iterable[tuple[str, int]], name: str) -> None:
        self.places = sorted(places)
        parts = [
            gathered.workloads[place].labels().assign(scenario=place[0], seed=place[1]).reset_index()
            for place in self.places
        ]
        self.accounts = pd.concat(parts, ignore_index=True)
        campaign = self.accounts["seed"].astype(str) + "/" + self.accounts["campaign_id"].astype(str)
        self.accounts["campaign"] = campaign.where(self.accounts["is_extraction"], "")
        self.weights: Weights = resample(self.accounts, name)


def measure(suite: Suite, gathered: Gathered) -> Figures:
    """Compute every figure; rows that failed have none."""
    every = Figures()
    scopes: dict[str, list[tuple[str, int]]] = {name: [] for name in suite.scenarios}
    for place in sorted(gathered.workloads):
        scopes[place[0]].append(place)
    if len(scopes) > 1:
        scopes[ALL] = sorted(gathered.workloads)
    for scope, places in scopes.items():
        if not places:
            continue
        whole = _Population(gathered, places, scope)
        for level in suite.settings.levels:
            for spec in suite.settings.detectors:
                _add_rows(every, whole, scope, spec.id, level, suite, gathered)
    every.figures.sort(key=lambda figure: figure.key)
    return every


def _add_rows(
    every: Figures, whole: _Population, scope: str, detector: str, level: int, suite: Suite, gathered: Gathered
) -> None:
    places = [p for p in whole.places if (detector, level, p[0]) not in gathered.excluded]
    if not places or any((detector, level, *place) not in gathered.scores for place in places):
        return
    taken = np.ones(len(whole.accounts), bool)
    if places != whole.places:
        keys = list(zip(whole.accounts["scenario"], whole.accounts["seed"], strict=True))
        taken = np.array([key in set(places) for key in keys])
    accounts = whole.accounts[taken].reset_index(drop=True)
    weights = Weights(whole.weights.once[:, taken], whole.weights.drawn[:, taken])
    sample = sample_of(accounts, {p: gathered.scores[detector, level, *p] for p in places}, suite.settings)
    _add_figures(every, sample, weights, (detector, level, scope))
    if scope == ALL:
        _add_campaigns(every, sample, weights, accounts, (detector, level))
    if scope == ALL or len(suite.scenarios) == 1:
        _add_cohorts(every, sample, weights, accounts, (detector, level, scope))
        every.curves[detector, level] = _curve(sample)


def sample_of(accounts: pd.DataFrame, scores: dict[tuple[str, int], Any], settings: SuiteSettings) -> Sample:
    """Lay out what a detector said of accounts, in their order.

    Parameters
    ----------
    accounts: columns `account_id`, `scenario`, `seed`, `campaign`, `is_extraction`.
    scores: file of each log.
    """
    parts, can_promise = [], True
    for place, logged in accounts.groupby(["scenario", "seed"], sort=False):
        rows, record = read_scores(scores[place])
        can_promise &= not record.get("no_rate", False)
        own = rows.reindex(logged["account_id"])
        parts.append(_clusters(logged, own).assign(**_looks(logged, record), index=logged.index))
    found = pd.concat(parts).set_index("index").loc[accounts.index]
    numbers = {
        name: found[name].to_numpy(np.float64)
        for name in ("n_same", "n_found", "n_true", "n_members", "leaked", "days")
    }
    return Sample(
        score=found["score"].fillna(-np.inf).to_numpy(np.float64),
        is_extraction=accounts["is_extraction"].to_numpy(bool),
        is_flagged=found["is_flagged"].to_numpy(bool),
        is_discovered=found["is_discovered"].to_numpy(bool) if can_promise else None,
        **numbers,
        budget=settings.budget,
        fdr=settings.fdr,
        capacity=settings.capacity_per_10000 / 1e4,
    )


def _clusters(logged: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Count, for each account, whom it shares a cluster and a campaign with; an account unseen has a cluster alone."""
    cluster = own["cluster"].to_numpy(np.float64, copy=True)
    alone = np.isnan(cluster)
    cluster[alone] = -1.0 - np.arange(int(alone.sum()))
    told = pd.DataFrame(
        {
            "cluster": cluster,
            "campaign": logged["campaign"].to_numpy(),
            "is_member": logged["is_extraction"].to_numpy(bool),
        }
    )
    counts = {
        "n_same": told.groupby(["cluster", "campaign"])["cluster"].transform("size") - 1,
        "n_found": told.groupby("cluster")["cluster"].transform("size") - 1,
        "n_true": told.groupby("campaign")["campaign"].transform("size") - 1,
        "n_members": told.groupby("cluster")["is_member"].transform("sum") - told["is_member"],
    }
    flags = {name: own[name].astype("boolean").fillna(False).to_numpy(bool) for name in ("is_flagged", "is_discovered")}
    shown = {name: np.where(told["is_member"], value, 0.0) for name, value in counts.items()}
    return pd.DataFrame({"score": own["score"].to_numpy(np.float64), **flags, **shown})


def _looks(logged: pd.DataFrame, record: dict[str, Any]) -> dict[str, Reals]:
    """Place what looks found of a campaign at its first account."""
    values = {name: np.full(len(logged), np.nan) for name in ("leaked", "days")}
    ids = logged["campaign_id"].to_numpy(object)
    for campaign, found in record.get("campaigns", {}).items():
        if (rows := np.flatnonzero(ids == campaign)).size:
            for name, value in values.items():
                value[rows[0]] = found[name]
    return values


def _add_figures(every: Figures, sample: Sample, weights: Weights, row: tuple[str, int, str]) -> None:
    for metric in METRICS.values():
        name = LINKAGE if metric.is_of_linkage else row[0]
        if reason := metric.refuse(sample):
            every.refused["|".join((row[2], str(row[1]), name, metric.name, ""))] = reason
            continue
        if metric.is_of_linkage and row[1:] in every.linked:
            continue
        every.figures.append(_figure(metric, sample, weights, (name, *row[1:]), ""))
    every.linked.add(row[1:])


def _add_campaigns(
    every: Figures, sample: Sample, weights: Weights, accounts: pd.DataFrame, row: tuple[str, int]
) -> None:
    """Tell figures over all scenarios campaign by campaign, so that a gate can compare these."""
    harvests = sample.is_extraction
    named = accounts["scenario"].astype(str) + "/" + accounts["campaign"].astype(str)
    campaign = pd.factorize(named[harvests], sort=True)[0]
    honest = weights.drawn.copy()
    honest[:, harvests] = 1.0
    for place, figure in enumerate(every.figures):
        if (figure.detector, figure.level, figure.scenario, figure.cohort) != (*row, ALL, ""):
            continue
        metric = METRICS[figure.metric]
        if metric.found is not None:
            counts = np.bincount(campaign, weights=metric.found(sample)[harvests])
            drawn = metric.compute(sample, honest)
            told = tuple(int(n) for n in counts), tuple(round(float(one), _DIGITS) for one in drawn)
            every.figures[place] = replace(figure, found=told[0], honest=told[1])


def _add_cohorts(
    every: Figures, sample: Sample, weights: Weights, accounts: pd.DataFrame, row: tuple[str, int, str]
) -> None:
    """Give wrong flags by honest cohort: a pooled rate hides who pays for it."""
    metric = METRICS["false_positives_per_10000"]
    persona = accounts["persona"].astype(str)
    for cohort in sorted(persona[~accounts["is_extraction"]].unique()):
        who = ((persona == cohort) & ~accounts["is_extraction"]).to_numpy(bool)
        part = Weights(weights.once[:, who], weights.drawn[:, who])
        every.figures.append(_figure(metric, _taken(sample, who), part, row, cohort))


def _taken(sample: Sample, who: npt.NDArray[np.bool_]) -> Sample:
    fields = {name: value[who] for name, value in vars(sample).items() if isinstance(value, np.ndarray)}
    return Sample(**{**vars(sample), **fields})


def _figure(metric: Metric, sample: Sample, weights: Weights, row: tuple[str, int, str], cohort: str) -> Figure:
    value = float(metric.compute(sample, weights.once)[0])
    drawn = np.where(np.isnan(found := metric.compute(sample, weights.drawn)), value, found)
    low, high = np.quantile(drawn, [0.025, 0.975])
    replicates = tuple(round(float(one), _DIGITS) for one in drawn)
    detector, level, scope = row
    ends = (round(value, _DIGITS), round(float(low), _DIGITS), round(float(high), _DIGITS))
    return Figure(detector, level, scope, metric.name, cohort, *ends, metric.count(sample), replicates)


def _curve(sample: Sample) -> list[tuple[float, float]]:
    """Give recall at false-positive rates that the honest accounts can show."""
    recall = METRICS["recall_flagged"]
    n_honest = int((~sample.is_extraction).sum())
    if recall.refuse(sample) or not n_honest:
        return []
    ranked = np.sort(sample.score[~sample.is_extraction])[::-1]
    harvest = sample.score[sample.is_extraction]
    return [
        (float(f"{rate:.4g}"), round(float((harvest > ranked[int(rate * n_honest + 1e-9)]).mean()), _DIGITS))
        for rate in RATES
        if rate * n_honest >= 1.0 - 1e-9
    ]
