"""The defender's eyes: a look depends on what has come, not on how it came; quiet and new accounts are left out."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import DAY_US
from simulations.loop.watch import Look, Watch
from tests.simulations.loop.play import OBSERVE, Played, defence_of, play, world_of


@pytest.fixture(scope="module")
def played() -> Played:
    """The small world, observed."""
    return play(world_of(), defence_of(measures=OBSERVE), script={})


def look(played: Played, defence: DefenceSettings, *, pieces: int = 1, day: float = 4.0, may: Any = None) -> Look:
    """Look at the first days of the log, taken in piece by piece."""
    watch = Watch(defence, played.stage.names, played.loop.ledger.begins_us, has_text=False)
    n = int((played.log["at_us"] < day * DAY_US).sum())
    bounds = np.linspace(0, n, pieces + 1).astype(int)
    for begin, end in pairwise(bounds):
        watch.fold(played.rows[begin:end])
    allowed = np.ones(len(played.stage.born_us), np.bool_) if may is None else may
    return watch.look(round(day * DAY_US), played.loop.known_accounts(), allowed)


def test_pieces_change_nothing(played: Played) -> None:
    """The same rows in one piece or in many give the same recommendations."""
    whole, pieces = (look(played, defence_of(), pieces=n) for n in (1, 7))
    assert len(whole.accounts) > 3
    assert whole.accounts.tolist() == pieces.accounts.tolist() == sorted(whole.accounts)
    assert whole.score == pytest.approx(pieces.score)
    assert (whole.action.tolist(), whole.families.tolist()) == (pieces.action.tolist(), pieces.families.tolist())


def test_who_may_not_be_looked_at_is_not_recommended(played: Played) -> None:
    """Accounts that are left alone are judged among the others and not recommended."""
    seen = look(played, defence_of())
    may = np.ones(len(played.stage.born_us), np.bool_)
    may[seen.accounts[0]] = False
    again = look(played, defence_of(), may=may)
    assert again.accounts.tolist() == seen.accounts.tolist()[1:]
    assert again.n_looked_at == seen.n_looked_at


def test_the_window_and_the_least_requests(played: Played) -> None:
    """Only accounts that came within the window and have sent enough are looked at."""
    log = played.log[played.log["day"] < 4]
    sent, last = log.groupby("number").size(), log.groupby("number")["at_us"].max()
    for days, least in ((7.0, 10), (0.5, 10), (7.0, 60)):
        expected = ((sent >= least) & (last >= (4 - days) * DAY_US)).sum()
        assert look(played, defence_of(window_days=days, least_requests=least)).n_looked_at == expected
    assert look(played, defence_of(least_requests=10_000)).accounts.tolist() == []


def test_the_truth_is_not_in_sight(played: Played) -> None:
    """What is recommended is the fleet, by its behaviour alone: names and truth are not among the columns."""
    watch = Watch(defence_of(), played.stage.names, 0, has_text=False)
    assert "is_extraction" not in watch.columns and "prompt" not in watch.columns
    assert set(look(played, defence_of()).accounts) <= set(played.accounts("fleet"))
