"""Instants that wait for earlier ones: gaps come out as if nothing had come late."""

import numpy as np
import pyarrow as pa

from detector.profiles.store import Profiles
from detector.watching.folding import Folded
from tests.detector.worlds import COLUMNS, draw_events

_HOUR_US = 3_600_000_000


def _rhythm(profiles: Profiles) -> list[list[float]]:
    ordered = profiles.take(np.argsort(profiles.account_ids))
    return [array.tolist() for array in ordered.trimmed()["rhythm"]]


def test_rows_that_come_late_within_what_is_waited_for_change_nothing() -> None:
    """Each up to six hours late, released along the way: rhythm is that of the log in order, to the last bit."""
    events, rng = draw_events(1, n=2000, accounts=12), np.random.default_rng(2)
    whole = Profiles(COLUMNS)
    whole.fold(events)
    at = events.column("occurred_at").cast(pa.int64()).to_numpy()
    arrival = events.take(pa.array(np.argsort(at + rng.integers(0, 6 * _HOUR_US, len(at)))))
    folded = Folded(Profiles(COLUMNS))
    n_held = []
    for begin in range(0, 2000, 100):
        folded.fold([arrival.slice(begin, 100)])
        folded.advance(2**62)
        assert folded.seen().n_late == 0
        folded.release(12 * _HOUR_US, 10**6)
        n_held.append(len(folded.held))
    assert max(n_held) < 700
    assert _rhythm(folded.seen()) == _rhythm(whole)


def test_of_too_many_the_oldest_go_first() -> None:
    """No more wait than may; what comes later than that is counted as late."""
    events = draw_events(3, n=1000, accounts=5)
    folded = Folded(Profiles(COLUMNS))
    folded.fold([events.slice(500)])
    folded.release(None, 100)
    assert len(folded.held) == 100
    folded.fold([events.slice(0, 500)])
    assert folded.seen().n_late > 0


def test_a_look_changes_nothing() -> None:
    """It sees a copy."""
    folded = Folded(Profiles(COLUMNS))
    folded.fold([draw_events(4)])
    before = _rhythm(folded.profiles)
    assert _rhythm(folded.seen()) != before
    assert _rhythm(folded.profiles) == before
    assert len(folded.held) == 400
