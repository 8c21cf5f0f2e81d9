"""Columns that a request shares with others are shared by those only."""

import numpy as np
import pandas as pd
import pytest

from simulations.settings import ScenarioSettings
from simulations.world import build


@pytest.fixture(scope="module")
def rows(small: ScenarioSettings) -> pd.DataFrame:
    """The log of the small scenario beside the truth about each row."""
    world = build(small)
    tables = []
    for records, events in world.rows():
        told = {name: records[name] for name in ("account", "session")}
        tables.append(events.to_pandas().assign(**told, is_member=world.is_member[records["account"]]))
    return pd.concat(tables)


def test_limits_leave_room_for_the_answer(rows: pd.DataFrame) -> None:
    """A limit of a few tokens is set on few requests that want long answers, and on most that want a label."""
    short = rows["max_output_tokens"] <= 16
    wants_label = rows["prompt"].str.endswith("Label:")
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
