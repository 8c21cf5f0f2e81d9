"""Every persona and every attacker keeps, in its rows of a log, a promise that tells it from the others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulations.roster import ATTACKERS, PERSONAS
from simulations.settings import scenario_of
from simulations.traffic.kinds import GUIDED, KINDS
from simulations.world import build

DAYS, RELEASE_DAY = 14, 7
Rows = pd.DataFrame
Promise = Callable[[Rows], None]
PROMISES: dict[str, tuple[int, dict[str, Any], Promise]] = {}


def promise(accounts: int, **parameters: Any) -> Callable[[Promise], Promise]:
    """Register what the rows of an actor, named as the function, must show when so many accounts play it."""

    def register(test: Promise) -> Promise:
        PROMISES[test.__name__] = (accounts, parameters, test)
        return test

    return register


def gaps_s(rows: Rows) -> "pd.Series[float]":
    """Pauses between the requests of one conversation or run [s]."""
    found: pd.Series[float] = rows.groupby(["account", "session"])["occurred_at"].diff().dt.total_seconds().dropna()
    return found


def variation(rows: Rows) -> float:
    """Median over accounts of the coefficient of variation of the pauses."""
    pauses = gaps_s(rows).groupby(rows["account"])
    return float((pauses.std() / pauses.mean()).median())


def per_account(rows: Rows, column: str) -> "pd.Series[int]":
    """Distinct values of a column per account."""
    found: pd.Series[int] = rows.groupby("account")[column].nunique()
    return found


def share_of_kind(rows: Rows, kind: str) -> float:
    """Share of requests of a kind."""
    return float((rows["kind"] == kind).mean())


def share_met(rows: Rows, within_s: float) -> float:
    """Share of requests that a request of another account is near."""
    ordered = rows.sort_values("occurred_at")
    at_s, account = ordered["occurred_at"].astype("int64").to_numpy() / 1e6, ordered["account"].to_numpy()
    near = (np.diff(at_s) <= within_s) & (np.diff(account) != 0)
    return float((np.append(near, False) | np.append(False, near)).mean())


def new_share(rows: Rows) -> float:
    """Share of requests to the new model from two days after its release; none goes there before it."""
    day = (rows["occurred_at"] - pd.Timestamp("2026-03-02", tz="UTC")).dt.total_seconds() / 86_400
    assert not (rows["model"][day < RELEASE_DAY] == "stone-next").any()
    return float((rows["model"][day > RELEASE_DAY + 2] == "stone-next").mean())


# Personas.


@promise(150)
def hobby_chat(rows: Rows) -> None:
    """People talk in few turns with minutes between, start in lower case now and then, and sleep."""
    assert 1.9 < rows.groupby(["account", "session"]).size().mean() < 2.9
    assert 60 < gaps_s(rows).median() < 140
    assert 0.15 < rows["prompt"].str.match("[a-z]").mean() < 0.6
    assert rows["occurred_at"].dt.hour.isin(range(3)).mean() < 0.08


@promise(40)
def work_chat(rows: Rows) -> None:
    """People at work ask on working days, and longer than people at home."""
    assert (rows["occurred_at"].dt.day_of_week >= 5).mean() < 0.12
    assert rows.groupby(["account", "session"]).size().mean() > 3


@promise(20, size=10)
def office(rows: Rows) -> None:
    """An office has one payment and one organisation, and every member acts from its address at some time."""
    assert rows["payment_id"].nunique() == rows["org_id"].nunique() == 2
    for _, members in rows.groupby("payment_id"):
        assert per_account(members, "ip").size == 10
        assert members.groupby("ip")["account"].nunique().max() >= 8


@promise(20)
def developer(rows: Rows) -> None:
    """A script that fails is run again: the same prompt right after itself, within minutes."""
    before = rows.sort_values(["account", "session", "occurred_at"]).groupby(["account", "session"])["prompt"].shift()
    again = (rows["prompt"] == before.reindex(rows.index))[before.reindex(rows.index).notna()]
    assert 0.1 < again.mean() < 0.35


@promise(20)
def chat_bot(rows: Rows) -> None:
    """Bots pass on what some people ask, each request alone and by night as by day."""
    assert 5 < per_account(rows, "owner").median() <= 12
    assert rows.groupby(["account", "session"])["ordinal"].nunique().max() == 1
    assert rows["occurred_at"].dt.hour.isin(range(8)).mean() > 0.15


@promise(12)
def coding_agent(rows: Rows) -> None:
    """Agents loop for a score of calls, seconds apart, more evenly than by chance."""
    assert 10 < rows.groupby(["account", "session"]).size().mean() < 45
    assert 1 < gaps_s(rows).median() < 20
    assert variation(rows) < 0.7


@promise(6)
def agent_team(rows: Rows) -> None:
    """Teams of agents call within a second or two, evenly, by night as by day."""
    assert gaps_s(rows).median() < 3
    assert variation(rows) < 0.7
    assert per_account(rows, "session").sum() > 30
    assert rows.drop_duplicates(["account", "session"])["occurred_at"].dt.hour.isin(range(8)).mean() > 0.15


@promise(8, requests=300)
def product_backend(rows: Rows) -> None:
    """Products send one template of a system prompt along, or none, ask something else each time, and own two keys."""
    assert (rows["system_prompt"].isna() == rows["kind"].str.endswith("_bare")).all()
    assert (per_account(rows, "system_prompt") <= 1).all() and rows["system_prompt"].notna().any()
    assert (rows.groupby("payment_id")["account"].nunique() == 2).all()
    assert {"customer", "customer_bare", "article", "article_bare"} >= set(rows["kind"])


@promise(6, requests=200)
def writing_product(rows: Rows) -> None:
    """Products that write answer at the length of a harvest."""
    assert {"article", "article_bare"} >= set(rows["kind"])
    assert rows["output_tokens"][rows["max_output_tokens"].isna()].median() > 300


@promise(6)
def labelling(rows: Rows) -> None:
    """Labels are a few tokens, from one template or a few a job, at most two jobs, made in few hours."""
    assert rows["output_tokens"].median() < 15
    assert per_account(rows, "owner").between(1, 2).all()
    stated = rows[rows["kind"] == "labelling"].groupby("owner")["prompt"]
    heads, tails = (stated.agg(lambda texts, p=p: texts.str[p].nunique()) for p in (slice(25), slice(-8, None)))
    assert (np.minimum(heads, tails) <= 6).all()
    assert rows["system_prompt"][rows["kind"] == "labelling_bare"].notna().all()
    hours = rows["occurred_at"].dt.floor("h").groupby(rows["account"]).nunique()
    assert hours.median() < 12


@promise(6, requests=150)
def extraction_jobs(rows: Rows) -> None:
    """Each request is a document after or before one template of the job, here or in the system prompt."""
    stated = rows[rows["kind"] == "extraction"]
    assert len(stated) and stated["prompt"].str.contains("JSON").all()
    assert rows["system_prompt"][rows["kind"] != "extraction"].str.contains("Extract").all()
    heads, tails = (
        stated.groupby("owner")["prompt"].agg(lambda texts, part=part: texts.str[part].nunique())
        for part in (slice(None, 20), slice(-20, None))
    )
    assert (np.minimum(heads, tails) == 1).all()
    assert per_account(rows, "prompt").sum() > 0.95 * (rows["try"] == 0).sum()


@promise(6, requests=150)
def translation(rows: Rows) -> None:
    """Answers of a translation grow with what is to be translated, about as long."""
    assert (
        rows["prompt"].fillna("").str.cat(rows["system_prompt"].fillna("")).str.contains("Translate from English").all()
    )
    assert 0.3 < (rows["output_tokens"] / rows["input_tokens"]).median() < 3


@promise(12, requests=150)
def evaluation(rows: Rows) -> None:
    """A harness keeps to one form of question a job: to choose an answer, or to write it at greater length."""
    assert (rows.groupby("owner")["kind"].nunique() == 1).all() and per_account(rows, "owner").max() == 2
    assert set(rows["kind"]) == {"exam", "exam_free"}
    wanted = rows.groupby("kind")["wanted_tokens"].median()
    assert wanted["exam_free"] > 10 * wanted["exam"]


@promise(6, requests=150)
def licensed_data(rows: Rows) -> None:
    """Licensed makers ask for long answers with one template and no prompt twice: a harvest's work, and honest."""
    assert rows["output_tokens"][rows["max_output_tokens"].isna()].median() > 200
    assert (rows.groupby("account")["prompt"].agg(lambda texts: texts.str[:20].nunique()) == 1).all()
    assert rows["prompt"][rows["try"] == 0].is_unique
    assert not rows["is_extraction"].any()


@promise(6)
def nightly_etl(rows: Rows) -> None:
    """A nightly job begins at the same hour every night it runs."""
    opens = rows.drop_duplicates(["account", "session"])["occurred_at"]
    hour = (opens.dt.hour + opens.dt.minute / 60) / 24 * 2 * np.pi
    together = np.hypot(np.cos(hour).groupby(rows["account"]).mean(), np.sin(hour).groupby(rows["account"]).mean())
    assert together.min() > 0.97
    assert opens.dt.date.nunique() > 7


@promise(48, requests=30)
def classroom(rows: Rows) -> None:
    """A class of 24 sits behind one address and one template, and begins its lessons together."""
    homes = rows.groupby("ip")["account"].nunique().nlargest(2)
    assert homes.min() > 20 and rows["payment_id"].nunique() == 2
    openings = rows.drop_duplicates(["account", "session"])
    assert openings["prompt"].str[:40].nunique() < 10
    assert share_met(openings, 60) > 0.6


@promise(12, requests=600)
def reseller(rows: Rows) -> None:
    """A pool pays together and carries the talk of many people per account, round the clock."""
    assert (rows.groupby("payment_id")["account"].nunique() == 6).all()
    assert per_account(rows, "owner").median() > 40
    assert set(rows["kind"]) == {"chat_first", "chat_later"}


@promise(4)
def load_test(rows: Rows) -> None:
    """A storm of one request, of which only a number changes, many a second."""
    assert (rows.groupby("account")["prompt"].agg(lambda texts: texts.str.rsplit(" ", n=1).str[0].nunique()) == 1).all()
    assert gaps_s(rows).median() < 0.4


@promise(12)
def release_chaser(rows: Rows) -> None:
    """More than half of the requests move to a new model, none before its release."""
    assert 0.45 < new_share(rows) < 0.65


# Attackers.


@promise(4, requests=800)
def bulk_harvest(rows: Rows) -> None:
    """Two stages on one account, each prompt once, over days."""
    assert share_of_kind(rows, "self_instruct") == pytest.approx(0.15, abs=0.05)
    assert share_of_kind(rows, "collected") == pytest.approx(0.85, abs=0.05)
    days = rows.groupby("account")["occurred_at"].agg(lambda at: (at.max() - at.min()).total_seconds() / 86_400)
    assert days.between(0.3 * DAYS, 0.8 * DAYS).all()
    assert rows["campaign"].nunique() == 4


@promise(4, requests=400)
def evol_harvest(rows: Rows) -> None:
    """Every other request makes a prompt harder before it is asked."""
    assert rows["prompt"].str.endswith("#Rewritten Prompt#:").mean() == pytest.approx(0.5, abs=0.06)
    assert share_of_kind(rows, "collected") == pytest.approx(0.5, abs=0.06)


@promise(3)
def curated(rows: Rows) -> None:
    """A thousand questions an account, hardly one twice, answered at greater length than anybody's."""
    assert rows.groupby("account").size().between(500, 2000).all()
    assert rows["prompt"].nunique() > 0.95 * len(rows)
    assert rows["wanted_tokens"].median() > 900


@promise(4, requests=600)
def reasoning(rows: Rows) -> None:
    """Reasoning is asked for at home, abroad and after the fact, in equal parts."""
    for kind in ("reasoning", "reasoning_abroad", "replayed"):
        assert share_of_kind(rows, kind) == pytest.approx(0.95 / 3, abs=0.05)


@promise(3, requests=200)
def grading(rows: Rows) -> None:
    """Every request asks for a score by one rubric per account."""
    assert rows["prompt"].str.startswith("Grade the answer from 1 to 10").all()
    assert (rows.groupby("account")["prompt"].agg(lambda texts: texts.str.split("\n").str[0].nunique()) == 1).all()


@promise(3, requests=800)
def resampling(rows: Rows) -> None:
    """Every question is asked eight times."""
    times = rows[rows["try"] == 0].groupby(["account", "prompt"]).size()
    assert times.median() == 8 and (times == 8).mean() > 0.9


@promise(6, requests=300)
def logprob_probe(rows: Rows) -> None:
    """One token at a time, with log-probabilities for most accounts."""
    assert rows["output_tokens"].median() <= 2
    assert rows.groupby("account")["wants_logprobs"].first().notna().mean() > 0.5


@promise(3, requests=300)
def tool_harvest(rows: Rows) -> None:
    """Whole trajectories are asked for, with tools sent along."""
    assert rows["prompt"].str.contains("give the full trajectory").mean() == pytest.approx(0.9, abs=0.06)
    more = rows["input_tokens"] - rows["prompt"].str.len() // 4
    assert more[rows["kind"] == "tool_task"].median() > 300 > more[rows["kind"] == "self_instruct"].max()


@promise(30)
def fleet(rows: Rows) -> None:
    """Members pay with four instruments, leave by three networks, and half of what they ask is chat."""
    assert rows["payment_id"].nunique() == 4
    assert rows["is_extraction"].mean() == pytest.approx(0.5, abs=0.03)
    networks = rows[rows["asn"].isin([64507, 64508, 64509])]["ip"].str.rsplit(".", n=1).str[0]
    assert networks.value_counts().nlargest(3).sum() > 0.7 * len(networks)
    assert rows["prompt"][rows["is_extraction"] & (rows["try"] == 0)].duplicated().mean() < 0.02


@promise(10, per_day=20)
def lockstep_fleet(rows: Rows) -> None:
    """Members act in the same seconds, which nobody does whose clock is off by an hour of its own."""
    apart = rows.assign(occurred_at=rows["occurred_at"] + pd.to_timedelta(rows["account"] * 3671.0, unit="s"))
    assert share_met(rows, 5) > 0.8 > 0.3 > share_met(apart, 5)


@promise(60)
def low_slow(rows: Rows) -> None:
    """No account is loud: a person's volume each, in which seven tenths are harvest."""
    per_day = rows.groupby("account").size() / DAYS
    assert per_day.mean() == pytest.approx(25.6, rel=0.35) and per_day.max() < 150
    assert rows["is_extraction"].mean() == pytest.approx(0.7, abs=0.03)


@promise(25)
def residential_fleet(rows: Rows) -> None:
    """Nothing is shared: a payment and a home each, and no cloud network in common."""
    assert (rows.groupby("payment_id")["account"].nunique() == 1).all()
    homes = rows[rows["asn"] <= 64501]
    assert (homes.groupby("ip")["account"].nunique() == 1).all()
    assert homes["account"].nunique() == rows["account"].nunique()


@promise(40, life_days=3.0)
def hydra(rows: Rows) -> None:
    """In each line of four accounts the next begins when the last is gone; three quarters of it all is cover."""
    lives = rows.groupby("account")["occurred_at"].agg(["min", "max"])
    lines = lives.groupby((lives.index - lives.index.min()) // 4)
    assert all((line["min"].to_numpy()[1:] >= line["max"].to_numpy()[:-1]).all() for _, line in lines)
    assert lines.size().max() >= 3
    assert rows["is_extraction"].mean() == pytest.approx(0.25, abs=0.03)


@promise(20)
def model_pivot(rows: Rows) -> None:
    """Three fifths of the traffic move to a new model, none before its release."""
    assert 0.5 < new_share(rows) < 0.7


@promise(24, victims=3)
def framing(rows: Rows) -> None:
    """Members pay with victims' instruments and act from their addresses; victims chat and harvest nothing."""
    victims, members = rows[rows["campaign"].isna()], rows[rows["campaign"].notna()]
    assert victims["account"].nunique() == 3 and not victims["is_extraction"].any()
    assert set(members["payment_id"]) == set(victims["payment_id"])
    home = victims.groupby("account")["ip"].agg(lambda some: some.mode()[0])
    assert members["ip"].isin(home).mean() == pytest.approx(0.16, abs=0.06)


@pytest.fixture(scope="module")
def logs() -> dict[str, Rows]:
    """The rows of each actor, beside the truth about them, in a log that all share."""
    registered = {**dict.fromkeys(PERSONAS, "persona"), **dict.fromkeys(ATTACKERS, "attacker")}
    cohorts = [
        {"name": name, registered[name]: name, "accounts": accounts, "parameters": parameters}
        for name, (accounts, parameters, _) in PROMISES.items()
    ]
    base = {"name": "all", "seed": 8, "starts_at": "2026-03-02T00:00:00Z", "days": DAYS, "release_day": RELEASE_DAY}
    world = build(scenario_of({**base, "cohorts": cohorts}, where="test"))
    tables = []
    for records, events in world.rows():
        truth = {name: records[name] for name in ("account", "session", "owner")}
        truth["kind"] = np.array(list(KINDS))[records["kind"]]
        number = records["ordinal"].astype(np.int64)
        told = {"try": number >> 24, "ordinal": number & ((1 << 24) - 1)}
        tables.append(events.to_pandas().assign(**truth, **told))
    rows = pd.concat(tables, ignore_index=True)
    campaigns = world.truth().to_pandas().set_index("account_id")["campaign_id"]
    rows["campaign"] = rows["account_id"].astype(str).map(campaigns)
    rows["is_extraction"] = rows["kind"].map({name: kind.is_extraction for name, kind in KINDS.items()})
    rows["kind"] = rows["kind"].str.removesuffix(GUIDED)
    rows["wanted_tokens"] = rows["output_tokens"].where(rows["max_output_tokens"].isna())
    cohort = np.searchsorted(world.population.firsts, rows["account"], side="right") - 1
    return {cast.settings.name: rows[cohort == place] for place, cast in enumerate(world.casts)}


def test_every_actor_has_a_promise() -> None:
    """No registered actor is without a promise, and no promise without an actor."""
    assert set(PROMISES) == {*PERSONAS, *ATTACKERS}


@pytest.mark.parametrize("name", PROMISES)
def test_promise_is_kept(name: str, logs: dict[str, Rows]) -> None:
    """The rows of each actor show what its promise says."""
    accounts, _, test = PROMISES[name]
    assert len(logs[name]) > 5 * min(accounts, logs[name]["account"].nunique())
    test(logs[name])


@pytest.mark.parametrize("name", PROMISES)
def test_promise_can_be_broken(name: str, logs: dict[str, Rows]) -> None:
    """The rows of some quite different actor do not show what the promise says."""
    other = "labelling" if name in ("hobby_chat", "reseller", "low_slow") else "hobby_chat"
    with pytest.raises(AssertionError):
        PROMISES[name][2](logs[other])
