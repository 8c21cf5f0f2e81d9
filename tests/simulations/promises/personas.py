"""What each kind of honest customer shows, and the others do not."""

import numpy as np

from tests.simulations.promises.registry import Rows, gaps_s, new_share, per_account, promise, share_met, variation


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
