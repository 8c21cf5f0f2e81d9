"""What each kind of attacker shows, and the others do not."""

import pandas as pd
import pytest

from tests.simulations.promises.registry import DAYS, Rows, new_share, promise, share_met, share_of_kind


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
