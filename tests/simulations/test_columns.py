"""Columns that a request shares with others are shared by those only."""

import numpy as np
import pandas as pd
import pytest

from simulations.actors import Habits
from simulations.crowd import FIRST_TRIES
from simulations.settings import ScenarioSettings, scenario_of
from simulations.traffic.kinds import KINDS
from simulations.world import build


@pytest.fixture(scope="module")
def rows(small: ScenarioSettings) -> pd.DataFrame:
    """The log of the small scenario beside the truth about each row."""
    world = build(small)
    tables = []
    for records, events in world.rows():
        told = {name: records[name] for name in ("account", "session")}
        told["kind"] = np.array(list(KINDS))[records["kind"]]
        tables.append(events.to_pandas().assign(**told, is_member=world.is_member[records["account"]]))
    return pd.concat(tables)


def test_limits_leave_room_for_the_answer(rows: pd.DataFrame) -> None:
    """A limit of a few tokens is set on few requests that want long answers, and on most that want a label."""
    short = rows["max_output_tokens"] <= 16
    wants_label = rows["kind"].str.startswith("labelling")
    assert 0 < short[~wants_label].mean() < 0.03
    by_account = rows[wants_label].groupby("account")["max_output_tokens"].agg(["nunique", "count"])
    assert ((by_account["nunique"] == 0) | (by_account["nunique"] == 1)).all()


def test_session_is_one_conversation(rows: pd.DataFrame) -> None:
    """An id stands for one conversation of one account, and all its requests have it."""
    named = rows[rows["session_id"].notna()]
    assert (named.groupby("session_id")[["account", "session"]].nunique() == 1).all(axis=None)
    assert (named.groupby(["account", "session"])["session_id"].nunique() == 1).all()
    assert named.groupby("session_id").size().max() > 3


def test_account_names_all_sessions_or_none(rows: pd.DataFrame) -> None:
    """Whether ids are sent is the client's way, in every cohort and class."""
    share = rows.groupby("account")["session_id"].apply(lambda ids: ids.notna().mean())
    assert set(share) == {0.0, 1.0}
    by_class = rows.groupby("account").agg({"session_id": "count", "is_member": "first"})
    named = (by_class["session_id"] > 0).groupby(by_class["is_member"]).mean()
    assert (abs(named - 0.5) < 0.3).all()


def test_session_ids_are_opaque(rows: pd.DataFrame) -> None:
    """Ids have one form, and two conversations of one account have nothing in common."""
    ids = rows["session_id"].dropna().unique()
    assert all(len(name) == 19 and int(name.removeprefix("sess_"), 16) > 0 for name in ids)
    numbers = np.array([int(name.removeprefix("sess_"), 16) & 0xFFFFFFFF for name in ids])
    assert len(np.unique(numbers)) == len(numbers)
    assert abs(np.mean(numbers / 2**32) - 0.5) < 0.05


def test_end_users_are_told_apart_where_there_are_several() -> None:
    """A relay names each customer by one id, whoever asks for itself has one; the class of the account says nothing."""
    cohorts = [
        {"name": "relays", "persona": "reseller", "accounts": 30, "parameters": {"requests": 200, "customers": 9}},
        {"name": "products", "persona": "product_backend", "accounts": 60},
        {"name": "people", "persona": "hobby_chat", "accounts": 200},
        {"name": "fleet", "attacker": "fleet", "accounts": 200, "parameters": {"per_day": 3}},
        {"name": "hydra", "attacker": "hydra", "accounts": 60, "parameters": {"customers": 7, "heads": 1}},
    ]
    values = {"name": "users", "starts_at": "2026-03-02T00:00:00Z", "days": 7, "text": False, "cohorts": cohorts}
    world = build(scenario_of(values, where="test"))
    records, tables = zip(*world.rows(), strict=True)
    whole, kinds = np.concatenate(records), [cast.settings.kind for cast in world.casts]
    told = {"account": whole["account"], "owner": whole["owner"], "asks": whole["ordinal"] % FIRST_TRIES}
    rows = pd.concat([table.select(["end_user_id"]).to_pandas() for table in tables], ignore_index=True).assign(**told)
    share = rows.groupby("account")["end_user_id"].apply(lambda ids: ids.notna().mean())
    assert set(share) == {0.0, 1.0}
    named = rows.dropna()
    kind_of = np.searchsorted(world.population.firsts, named["account"], side="right") - 1
    n_users = named.groupby([np.array(kinds)[kind_of], "account"])["end_user_id"].nunique()
    assert set(n_users["hobby_chat"]) == set(n_users["fleet"]) == {1}
    assert (n_users["reseller"].max(), n_users["hydra"].max()) == (9, 7)
    assert n_users["product_backend"].max() > 20
    relayed = named[kind_of == 0].groupby(["account", "end_user_id"])["owner"].nunique()
    assert (relayed == 1).all()
    assert (named.groupby("end_user_id")["account"].nunique() == 1).all()
    assert (named.groupby(["account", "asks"])["end_user_id"].nunique() == 1).all()
    by_class = share.groupby(world.is_member[share.index]).mean()
    p = Habits().p_end_users
    assert (abs(by_class - p) < 4 * np.sqrt(p * (1 - p) / 200)).all()
