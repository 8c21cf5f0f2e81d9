"""Every persona and every attacker keeps, in its rows of a log, a promise that tells it from the others."""

import numpy as np
import pandas as pd
import pytest

from simulations.roster import ATTACKERS, PERSONAS
from simulations.settings import scenario_of
from simulations.traffic.kinds import GUIDED, KINDS
from simulations.world import build
from tests.simulations.promises import attackers, personas  # noqa: F401 - their promises are listed when read
from tests.simulations.promises.registry import DAYS, PROMISES, RELEASE_DAY, Rows


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
