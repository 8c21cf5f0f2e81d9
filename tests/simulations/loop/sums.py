"""What must hold in every rehearsal, found from the log and the ledger alone, and rehearsals of every sort to try."""

from typing import Any

import numpy as np
import pandas as pd

from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import DAY_US, NOTICED
from tests.simulations.loop.play import STEP_US, Played, attack_of, defence_of

STOPPED = ("verify", "suspend", "revoke")
RELEASES = ("clears", "reinstates", "is verified")
ACTIONS = ("observe", "hide_reasoning", "degrade", "throttle", "verify", "suspend", "revoke")


def any_case(seed: int) -> tuple[DefenceSettings, Any, dict[float, tuple[Any, str]]]:
    """A defence, an attack and a script, drawn from all that there is."""
    draw = np.random.default_rng(seed)
    pick = lambda *values: values[draw.integers(len(values))]  # noqa: E731
    measures = {
        name: {"at_once": str(pick(*ACTIONS)), "confirmed": str(pick(*ACTIONS))}
        for name in ("review", "throttle", "revoke")
    }
    defence = defence_of(
        measures=measures,
        by=pick("account", "cluster", "wave"),
        wave_days=float(pick(1.0, 0.8, 2.0)),
        says_why=bool(pick(True, False)),
        review={
            "is_mandatory": bool(pick(True, True, False)),
            "capacity_per_day": float(pick(1.0, 3.0, 6.0, 100.0)),
            "delay_days": float(pick(0.0, 0.5)),
            "p_misses": 0.2,
            "p_wrongs": 0.2,
            "reviewers": int(pick(1, 2)),
            "cleared_days": float(pick(0.5, 2.0)),
        },
        appeals={"p_appeals": 0.6, "p_attacker_appeals": 0.4, "days": float(pick(0.0, 0.6)), "p_granted": 0.6},
        verification={"days": float(pick(0.0, 0.25, 1.0)), "p_honest": 0.7, "p_attacker": 0.5},
        throttled={"per_day": float(pick(0.0, 3.0, 4.5))},
        indicators={"revoked_before_verify": int(pick(0, 1, 2)), "received_share": float(pick(0.0, 0.5))},
        gate={"models": pick((), ("stone-large",))},
    )
    names = ("slow_down", "split", "jitter", "paraphrase", "add_cover", "switch_models", "switch_pathway", "probe")
    tactics = [
        {"do": str(name), "usd": float(pick(0, 30)), "times": int(pick(1, 2))} for name in draw.permutation(names)
    ]
    attack = attack_of(
        purse_usd=pick(None, 64.0, 72.0, 110.0, 300.0),
        verify_usd=float(pick(0.0, 10.0, 40.0)),
        respawn={
            "is_on": bool(pick(True, False)),
            "delay_days": float(pick(0.0, 0.3)),
            "per_day": float(pick(0.3, 1, 9)),
        },
        pathways=[
            {"name": "same", "pool": float(pick(0.0, 0.5, 2.0))},
            {"name": "bought", "account_usd": 9.0, "pool": 1.0, "parameters": {"payments": 0}},
        ],
        tactics=tactics[: int(pick(0, 3, 8))] + ([{"do": "stop"}] if pick(True, False) else []),
        stops_at_cost=bool(pick(False, False, True)),
        value={"regime": pick("style", "reasoning"), "worth_usd": float(pick(100, 1e5))},
        patience_days=float(pick(0.0, 1.0)),
    )
    script = {
        day: (draw.choice(37, size=int(draw.integers(1, 20)), replace=False), str(pick("review", "throttle", "revoke")))
        for day in np.arange(1.0, 5.0)
        if pick(True, True, False)
    }
    return defence, attack, script


def check_everything(played: Played) -> None:
    """Check all sums and laws of one rehearsal."""
    check_requests(played)
    check_stopped_keys(played)
    check_money(played)
    check_accounts(played)
    check_decisions(played)


def check_requests(played: Played) -> None:
    """Requests sent are served, throttled or refused, each is a row of the log, and the log is in order."""
    status, told = played.log["status_code"], played.outcome["requests"]
    served, throttled = int((status == 200).sum()), int((status == 429).sum())
    assert (told["served"], told["throttled"]) == (served, throttled)
    assert told["refused"] == len(status) - served - throttled
    assert told["sent"] == len(status)
    assert played.log["at_us"].is_monotonic_increasing
    assert played.log["request_id"].is_unique


def states_at(played: Played) -> pd.DataFrame:
    """State of the key at each row of the log, by the ledger, and the row of the ledger that put it there."""
    changes = played.ledger[played.ledger["what"].isin([*RELEASES, "changes a key"])]
    changes = changes[["number", "at_us", "seq", "state"]].sort_values(["at_us", "seq"])
    changes = changes.astype({"number": "int64"})
    return pd.merge_asof(played.log, changes, on="at_us", by="number")


def check_stopped_keys(played: Played) -> None:
    """Nothing is served to a key that is stopped, its client gives up after a few tries, and limits hold."""
    log = states_at(played)
    stopped = log[log["state"].isin(STOPPED)]
    assert (stopped["status_code"] == 403).all()
    assert stopped.groupby(["number", "seq"]).size().max() <= NOTICED if len(stopped) else True
    limited = log[(log["state"] == "throttle") & (log["status_code"] == 200)]
    most = np.ceil(played.loop.defence.throttled.per_day)
    assert limited.groupby(["number", "seq", "day"]).size().max() <= most if len(limited) else True


def check_money(played: Played) -> None:
    """Each campaign pays for what the log and the ledger say, and never more than it has."""
    attack, ledger = played.loop.attack, played.ledger
    for campaign in played.loop.campaigns:
        own = np.flatnonzero(campaign.members)
        spent = played.outcome["campaigns"][campaign.name]["spent_usd"]
        tokens = played.log.loc[played.log["number"].isin(own), "cost_usd"].sum()
        opened = played.of("opens an account").query("who == @campaign.name")
        verified = played.of("is verified")["number"].isin(own).sum()
        tactics = ledger[(ledger["who"] == campaign.name) & ledger["what"].isin([t.do for t in attack.tactics])]
        first = campaign.n_first * attack.pathways[0].account_usd
        expected = {
            "tokens": tokens,
            "accounts": first + opened["usd"].sum(),
            "verification": verified * attack.verify_usd,
            "tactics": tactics["usd"].sum(),
        }
        assert {name: round(spent[name], 6) for name in expected} == {n: round(v, 6) for n, v in expected.items()}
        assert np.isclose(sum(usd for use, usd in spent.items() if use != "total"), spent["total"])
        assert attack.purse_usd is None or spent["total"] <= attack.purse_usd + 1e-9
        stops = ledger[(ledger["who"] == campaign.name) & (ledger["what"] == "stops")]
        if len(stops):
            late = played.log[played.log["number"].isin(own) & (played.log["at_us"] >= stops["at_us"].min())]
            assert len(late) == 0
        assert len(stops) == campaign.has_ended


def check_accounts(played: Played) -> None:
    """No account is opened beyond its pathway's pool or the daily bound, and none sends before it is opened."""
    attack, opened = played.loop.attack, played.of("opens an account")
    n_first = int(played.stage.world.population.firsts[played.stage.n_first_casts])
    later = played.log[played.log["number"] >= n_first].groupby("number")["at_us"].min()
    born = opened.set_index("number")["at_us"]
    assert born.index.is_unique
    assert set(later.index) <= set(born.index)
    assert (later >= born[later.index]).all()
    for campaign in played.loop.campaigns:
        own = opened[opened["who"] == campaign.name]
        for pathway in attack.pathways:
            assert (own["reason"] == pathway.name).sum() <= np.ceil(campaign.n_first * pathway.pool)
        steps = np.bincount((own["at_us"] // STEP_US).astype(int), minlength=4)
        in_a_day = np.convolve(steps, np.ones(DAY_US // STEP_US, int))
        assert in_a_day.max() <= np.ceil(campaign.n_first * attack.respawn.per_day)


def check_decisions(played: Played) -> None:
    """The ledger is in order, who was released is left alone, waves keep their days, appeals take theirs."""
    ledger, defence = played.ledger, played.loop.defence
    assert ledger["seq"].tolist() == list(range(len(ledger)))
    assert ledger["at_us"].is_monotonic_increasing
    changes, releases = played.of("changes a key"), ledger[ledger["what"].isin(RELEASES)]
    pairs = changes.merge(releases, on="number", suffixes=("", "_before"))
    pairs = pairs[pairs["seq_before"] < pairs["seq"]]
    left_alone = pairs["at_us"] - pairs["at_us_before"]
    assert (left_alone >= defence.review.cleared_days * DAY_US).all()
    if defence.by == "wave":
        wave_us = round(defence.wave_days * DAY_US)
        at = played.of("confirms")["at_us"]
        assert (at // wave_us > (at - STEP_US) // wave_us).all()
    appealed = played.of("appeals").set_index("number")["at_us"]
    answers = ledger[ledger["what"].isin(["reinstates", "refuses an appeal"])]
    for number, at_us in answers[["number", "at_us"]].itertuples(index=False):
        waited = at_us - appealed.loc[[number]]
        assert ((waited >= defence.appeals.days * DAY_US) & (waited < defence.appeals.days * DAY_US + STEP_US)).any()
