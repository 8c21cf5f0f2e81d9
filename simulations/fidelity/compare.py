"""Comparing a log with real traces: what each trace can tell, the distances, and how far is too far.

A trace is known by its columns. Like is compared with like: with a truth, products stand beside ServeGen's clients,
people beside chats, agents beside agents; without one, all accounts stand beside everything. Texts are compared by
summary figures only.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import ks_2samp, spearmanr, wasserstein_distance

from detector.errors import InputUnreadableError
from detector.reports.atomic import new_folder
from simulations.fidelity import measures
from simulations.fidelity.picture import svg
from simulations.streams import Counts, Reals

COLUMNS = ["occurred_at", "account_id", "prompt", "input_tokens", "output_tokens"]
PEOPLE = ("hobby_chat", "work_chat", "office")
PRODUCTS = ("product_backend", "writing_product", "release_chaser")
AGENTS = ("coding_agent",)
HARVESTS = ("bulk_harvest",)
#: Published shares of conversations with at least so many turns, and their mean (WildChat, 529,428 chats).
WILDCHAT = {2: 0.42, 5: 0.12, 10: 0.027}
WILDCHAT_MEAN = 2.35
#: Longest pause within an agent's session [s].
AGENT_GAP_S = 300.0
#: Accounts whose texts are looked at, and texts of each. Chosen: enough for medians.
TEXT_ACCOUNTS, TEXTS = 40, 300
#: How far a figure may be from the real one; chosen as about the distance between two real sources of one kind
#: (ServeGen's models differ by .35 in the median of log variation, by 1.4 in slope, by .1 in Gini).
TOLERANCES: Mapping[str, float] = {
    "rates: spread (Wasserstein, log)": 0.7,
    "rates: Gini": 0.12,
    "rates: Zipf slope": 1.2,
    "duty cycle (Kolmogorov-Smirnov)": 0.35,
    "gaps in windows: variation (Wasserstein, log)": 0.5,
    "tokens asked: clients (Wasserstein, log)": 0.8,
    "tokens answered: clients (Wasserstein, log)": 0.9,
    "tokens asked: variation within clients": 0.25,
    "tokens answered: variation within clients": 0.35,
    "tokens: dependence (Spearman)": 0.35,
    # One product with long contexts stands beside single people here, who ask 40 tokens elsewhere (Arena).
    "tokens asked: chats (Wasserstein, log)": 2.1,
    "tokens answered: chats (Wasserstein, log)": 0.8,
    "gaps of all chats: variation": 0.25,
    "Fano factor over 1 s (log)": 0.7,
    "Fano factor over 10 s (log)": 1.2,
    "Fano factor over 60 s (log)": 1.5,
    "hours of the day (largest difference)": 0.03,
    "agents: gaps (Wasserstein, log)": 0.9,
    "agents: calls a session (log of medians)": 0.8,
    "turns: mean": 0.5,
    "turns: shares (largest difference)": 0.08,
    "normal texts: variation of lengths": 0.9,
    "normal texts: share in lower case": 0.3,
    "normal texts: share with please": 0.08,
    "normal texts: share of repeats": 0.1,
    "normal texts: distinct openings": 0.25,
    "distillation texts: share in lower case": 0.05,
    "distillation texts: share with please": 0.05,
    "distillation texts: share of repeats": 0.1,
}


@dataclass
class Figures:
    """Distances so far, and what the picture shows."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, distance: float, found: float, real: float) -> None:
        """Note a distance beside the two values that it sums up."""
        tolerance = TOLERANCES[name]
        self.rows[name] = {
            "distance": round(float(distance), 4),
            "tolerance": tolerance,
            "is_within": bool(distance <= tolerance),
            "simulated": round(float(found), 4),
            "real": round(float(real), 4),
        }

    def difference(self, name: str, found: float, real: float) -> None:
        """Note how far two values are apart."""
        self.add(name, abs(found - real), found, real)

    def distribution(self, name: str, found: Reals, real: Reals, *, is_ks: bool = False) -> None:
        """Note how far two distributions are apart, and keep their quantiles for the picture."""
        distance = ks_2samp(found, real).statistic if is_ks else wasserstein_distance(found, real)
        self.add(name, float(distance), float(np.median(found)), float(np.median(real)))
        levels = np.linspace(0.02, 0.98, 49)
        for source, values in (("simulated", found), ("real", real)):
            for level, value in zip(levels, np.quantile(values, levels), strict=True):
                self.curves.append({"figure": name, "source": source, "share": level, "value": float(value)})


@dataclass(frozen=True)
class Part:
    """The requests of some accounts."""

    member: Counts
    at_s: Reals
    asked: Reals
    answered: Reals
    texts: pa.Array

    def __len__(self) -> int:
        """Count the requests."""
        return len(self.member)


def read_part(log: Path, truth: Path | None, personas: tuple[str, ...]) -> Part:
    """Read the requests of some personas; without a truth, of everybody.

    Raises
    ------
    InputUnreadableError
        The log or the truth cannot be read.
    """
    try:
        events = pq.read_table(log, columns=COLUMNS)
        told = None if truth is None else pq.read_table(truth, columns=["account_id", "persona"])
    except (OSError, pa.ArrowException) as error:
        raise InputUnreadableError(f"{log}: cannot be read ({error}); give events.parquet and truth.parquet") from error
    if told is not None:
        wanted = told.filter(pa.compute.is_in(told["persona"], pa.array(personas)))["account_id"].combine_chunks()
        events = events.filter(pa.compute.is_in(events["account_id"], wanted))
    at_us = events["occurred_at"].cast(pa.int64()).to_numpy()
    counts = [pa.compute.fill_null(events[name], 0).to_numpy().astype(float) for name in COLUMNS[3:]]
    codes = events["account_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    return Part(codes, at_us / 1e6, counts[0], counts[1], events["prompt"].combine_chunks())


def compare(log: Path, against: list[Path], *, out: Path, truth: Path | None = None) -> dict[str, Any]:
    """Compare a log with traces; writes `fidelity.json` and `fidelity.svg`.

    Raises
    ------
    InputUnreadableError
        A file cannot be read, or a trace has columns that say nothing here.
    """
    with new_folder(out) as folder:
        figures = Figures()
        _turns(figures, read_part(log, truth, PEOPLE))
        for path in against:
            _trace(path)(figures, log, truth, _read(path))
        report = {
            "is_within": all(row["is_within"] for row in figures.rows.values()),
            "log": log.name,
            "against": [path.name for path in against],
            "distances": figures.rows,
        }
        (folder / "fidelity.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (folder / "fidelity.svg").write_text(svg(figures.curves, figures.rows), encoding="utf-8")
    return report


Trace = Callable[[Figures, Path, Path | None, pd.DataFrame], None]


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path) if ".csv" in path.suffixes else pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputUnreadableError(f"{path}: cannot be read ({error}); give a trace as Parquet or CSV") from error


def _trace(path: Path) -> Trace:
    names = set(_read(path).columns)
    for known, trace in _TRACES:
        if known <= names:
            return trace
    wanted = "; ".join(", ".join(sorted(known)) for known, _ in _TRACES)
    raise InputUnreadableError(f"{path}: columns {sorted(names)} are of no known trace; known are those with {wanted}")


def _turns(figures: Figures, people: Part) -> None:
    if not len(people):
        return
    found = measures.turns(people.member, people.at_s)
    figures.difference("turns: mean", float(found.mean()), WILDCHAT_MEAN)
    shares = {least: float(np.mean(found >= least)) for least in WILDCHAT}
    worst = max(WILDCHAT, key=lambda least: abs(shares[least] - WILDCHAT[least]))
    figures.difference("turns: shares (largest difference)", shares[worst], WILDCHAT[worst])


def _client_rates(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    products = read_part(log, truth, PRODUCTS)
    clients = trace.groupby(["model", "client"], observed=True)["rate_rps"]
    rates = clients.sum().to_numpy() * measures.WINDOW_S
    found = np.bincount(products.member).astype(float)
    real_log, found_log = np.log(rates), np.log(found)
    figures.distribution(
        "rates: spread (Wasserstein, log)", found_log - np.median(found_log), real_log - np.median(real_log)
    )
    by_model = [group.to_numpy() for _, group in clients.sum().groupby(level=0, observed=True)]
    figures.difference("rates: Gini", measures.gini(found), float(np.mean([measures.gini(x) for x in by_model])))
    slope = float(np.mean([measures.zipf_slope(x) for x in by_model]))
    figures.difference("rates: Zipf slope", measures.zipf_slope(found), slope)
    length_s = float(trace["t_s"].max() + measures.WINDOW_S)
    duty = clients.size().to_numpy() * measures.WINDOW_S / length_s
    spans = products.at_s - products.at_s.min()
    figures.distribution(
        "duty cycle (Kolmogorov-Smirnov)", measures.duty_cycles(products.member, spans, spans.max()), duty, is_ks=True
    )
    busy = trace[trace["rate_rps"] * measures.WINDOW_S >= measures.LEAST_IN_WINDOW]["cv"].to_numpy()
    figures.distribution(
        "gaps in windows: variation (Wasserstein, log)",
        np.log(measures.window_variations(products.member, products.at_s)),
        np.log(busy),
    )


def _client_tokens(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    products = read_part(log, truth, PRODUCTS)
    for name, column, values in (
        ("asked", "input_tokens", products.asked),
        ("answered", "output_tokens", products.answered),
    ):
        rows = trace[trace["field"] == column].assign(cv=lambda t: t["std"] / t["mean"].clip(lower=1e-9))
        real = rows.groupby(["model", "client"], observed=True)[["mean", "cv"]].mean()
        mean, within = measures.per_account(products.member, values)
        figures.distribution(
            f"tokens {name}: clients (Wasserstein, log)",
            np.log(np.maximum(mean, 1)),
            np.log(real["mean"].clip(lower=1)),
        )
        median = float(real["cv"].median())
        figures.difference(f"tokens {name}: variation within clients", float(np.median(within)), median)


def _chats(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    people = read_part(log, truth, PEOPLE)
    asked, answered = trace["ContextTokens"].to_numpy(float), trace["GeneratedTokens"].to_numpy(float)
    served = people.answered > 0
    for name, found, real in (("asked", people.asked, asked), ("answered", people.answered, answered)):
        figures.distribution(f"tokens {name}: chats (Wasserstein, log)", np.log(found[served]), np.log(real[real > 0]))
    real_rank = float(spearmanr(asked, answered).statistic)
    found_rank = float(spearmanr(people.asked[served], people.answered[served]).statistic)
    figures.difference("tokens: dependence (Spearman)", found_rank, real_rank)
    at_s = np.sort(pd.to_datetime(trace["TIMESTAMP"]).to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9)
    hours = _busiest_hours(people.at_s)
    variation = float(np.median([measures.variation(np.diff(hour)) for hour in hours]))
    figures.difference("gaps of all chats: variation", variation, measures.variation(np.diff(at_s)))
    for width in (1.0, 10.0, 60.0):
        dense = [measures.fano_at(hour, width, per_s=float(1.0 / np.diff(at_s).mean())) for hour in hours]
        found_log, real_log = np.log(np.maximum(np.mean(dense), 0.1)), np.log(measures.fano(at_s, width))
        figures.difference(f"Fano factor over {width:.0f} s (log)", float(found_log), float(real_log))


def _busiest_hours(at_s: Reals) -> list[Reals]:
    """Give the requests of the busiest hour of every weekday."""
    day, second = (at_s // 86_400).astype(np.int64), at_s % 86_400
    begin = 3600.0 * int(np.bincount((second // 3600).astype(np.int64)).argmax())
    within = (second >= begin) & (second < begin + 3600.0) & ((day + 3) % 7 < 5)
    return [np.sort(at_s[within & (day == one)]) for one in np.unique(day[within])]


def _hours(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    people = read_part(log, truth, PEOPLE)
    real = np.sort(trace["session_count"].to_numpy(float) / float(trace["session_count"].sum()))[::-1]
    found = measures.hour_shares(people.at_s)
    worst = int(np.abs(found - real).argmax())
    figures.difference("hours of the day (largest difference)", float(found[worst]), float(real[worst]))
    for source, shares in (("simulated", found), ("real", real)):
        for place, value in enumerate(shares):
            figures.curves.append(
                {"figure": "hours of the day", "source": source, "share": place / 23.0, "value": float(value)}
            )


def _agents(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    agents = read_part(log, truth, AGENTS)
    gaps = measures.gaps_within(agents.member, agents.at_s, AGENT_GAP_S)
    real = trace["gap_s"].dropna().to_numpy()
    figures.distribution(
        "agents: gaps (Wasserstein, log)", np.log(np.maximum(gaps, 0.05)), np.log(np.maximum(real, 0.05))
    )
    calls = np.log(np.median(trace.groupby("session_id", observed=True).size()))
    found = np.log(np.median(measures.turns(agents.member, agents.at_s)))
    figures.difference("agents: calls a session (log of medians)", float(found), float(calls))


def _texts(figures: Figures, log: Path, truth: Path | None, trace: pd.DataFrame) -> None:
    for label, personas in (("normal", PEOPLE), ("distillation", HARVESTS)):
        corpora = trace[trace["label_hint"].astype(str) == label].groupby("corpus", observed=True)["prompt"]
        real = pd.DataFrame([measures.text_figures(pa.array(texts.head(TEXTS))) for _, texts in corpora]).median()
        part = read_part(log, truth, personas)
        if not len(part) or part.texts.null_count:
            continue
        found = pd.DataFrame([measures.text_figures(texts) for texts in _samples(part, pools=label == "normal")])
        for name, value in found.median().items():
            if f"{label} texts: {name}" in TOLERANCES:
                figures.difference(f"{label} texts: {name}", float(value), float(real[name]))


def _samples(part: Part, *, pools: bool) -> list[pa.Array]:
    """Give texts as real corpora hold them: of many people, or of one account."""
    if pools:
        step = max(1, len(part) // (TEXT_ACCOUNTS * TEXTS))
        rows = np.arange(0, len(part), step)
        return [part.texts.take(pa.array(rows[i::TEXT_ACCOUNTS][:TEXTS])) for i in range(TEXT_ACCOUNTS)]
    return [
        part.texts.take(pa.array(np.flatnonzero(part.member == who)[:TEXTS]))
        for who in np.unique(part.member)[:TEXT_ACCOUNTS]
    ]


_TRACES: tuple[tuple[set[str], Trace], ...] = (
    ({"client", "t_s", "rate_rps", "cv"}, _client_rates),
    ({"client", "field", "mean", "std"}, _client_tokens),
    ({"TIMESTAMP", "ContextTokens", "GeneratedTokens"}, _chats),
    ({"hour", "session_count"}, _hours),
    ({"session_id", "call_idx", "gap_s"}, _agents),
    ({"corpus", "label_hint", "prompt"}, _texts),
)
