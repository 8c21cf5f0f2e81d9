"""Who stands in a crowd: many that ask alike and that no one customer pays for. Nobody else, in whatever order."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage import resemblance
from detector.linkage.crowds import find_crowds
from detector.profiles.store import Profiles
from tests.detector.features.small_logs import folded, log_of

N_TOWN, N_FLEET, DIMENSIONS = 600, 12, 10
Numbers = npt.NDArray[np.int64]


def town_and_fleet(n_ways: int = 1) -> npt.NDArray[np.float32]:
    """Give the styles of a town and of a fleet that asks in one way, or whose halves ask in two."""
    rng = np.random.default_rng(2)
    style = rng.normal(size=(N_TOWN + N_FLEET, DIMENSIONS))
    for way in range(n_ways):
        style[N_TOWN + way * N_FLEET // n_ways :] *= 0.3
        style[N_TOWN + way * N_FLEET // n_ways :, way] = 9.0
    return style.astype(np.float32)


def paid_by(cards: list[str] | None) -> Profiles:
    """Give profiles of a town, and of a fleet whose accounts hold these cards; none says nothing of cards."""
    n = N_TOWN + N_FLEET
    columns = {} if cards is None else {"payment_id": [*(f"own {i}" for i in range(N_TOWN)), *cards]}
    return folded(log_of(list(range(n)), account_id=[f"a{i:04d}" for i in range(n)], **columns))


def in_crowd(
    profiles: Profiles,
    style: npt.NDArray[np.float32],
    pieces: list[int],
    *,
    days: list[float] | None = None,
    asks_alike: npt.NDArray[np.bool_] | None = None,
    least: int = 10,
) -> npt.NDArray[np.bool_]:
    """Tell who of the fleet stands in a crowd, and see that nobody of the town does.

    The fleet's accounts are in clusters by these numbers.
    """
    cluster = np.concatenate([np.arange(N_TOWN), N_TOWN + np.array(pieces)])
    is_stranger = np.arange(len(cluster)) < N_TOWN
    opened = np.concatenate([np.full(N_TOWN, 5.0), np.full(N_FLEET, 5.0) if days is None else np.array(days)])
    yardstick = resemblance.measure(style, cluster, is_stranger=is_stranger, speaks=~is_stranger)
    alike = resemblance.resembles(yardstick, style, cluster, is_stranger=is_stranger, speaks=~is_stranger)
    told = alike if asks_alike is None else alike & np.concatenate([is_stranger[:N_TOWN], asks_alike])
    found = find_crowds(yardstick, profiles, style, cluster, opened, asks_alike=told, least=least)
    assert not found[:N_TOWN].any()
    return found[N_TOWN:]


ONE, QUARTERS = [0] * N_FLEET, [i % 4 for i in range(N_FLEET)]
FOUR_CARDS = [f"card {i % 4}" for i in range(N_FLEET)]


def test_many_under_several_owners_are_a_crowd() -> None:
    """Twelve accounts of one cluster with four cards are one."""
    assert in_crowd(paid_by(FOUR_CARDS), town_and_fleet(), ONE).all()


@pytest.mark.parametrize(
    "cards", [["card"] * N_FLEET, ["card"] * (N_FLEET // 2) + [f"c{i}" for i in range(N_FLEET // 2)], None]
)
def test_an_open_customer_is_no_crowd(cards: list[str] | None) -> None:
    """However many keys, one card for half of them is one customer's; and of unknown cards nothing is told."""
    assert not in_crowd(paid_by(cards), town_and_fleet(), ONE).any()


def test_clusters_that_ask_alike_and_signed_up_together_are_one_crowd() -> None:
    """By card four clusters of three; together they are twelve. A month apart they are four customers."""
    profiles, style = paid_by(FOUR_CARDS), town_and_fleet()
    assert in_crowd(profiles, style, QUARTERS).all()
    assert not in_crowd(profiles, style, QUARTERS, days=[30.0 * piece for piece in QUARTERS]).any()
    assert not in_crowd(profiles, style, QUARTERS, days=[np.nan] * N_FLEET).any()


def test_clusters_that_ask_otherwise_stay_apart() -> None:
    """Two halves that each ask in their own way are two, each too small."""
    halves = [i // (N_FLEET // 2) for i in range(N_FLEET)]
    profiles, style = paid_by(FOUR_CARDS), town_and_fleet(2)
    assert not in_crowd(profiles, style, halves).any()
    assert in_crowd(profiles, style, halves, least=6).all()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.booleans(), min_size=N_FLEET, max_size=N_FLEET))
def test_only_who_asks_alike_stands_in_a_crowd_or_makes_one(asks_alike: list[bool]) -> None:
    """A card and an address forged onto a stranger put it in no crowd, and strangers make none of nine others."""
    told = np.array(asks_alike)
    found = in_crowd(paid_by([f"c{i}" for i in range(N_FLEET)]), town_and_fleet(), ONE, asks_alike=told)
    np.testing.assert_array_equal(found, told & (told.sum() >= 10))


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(4)), st.permutations(range(N_FLEET)))
def test_numbers_and_order_do_not_matter(names: list[int], order: list[int]) -> None:
    """Clusters by other numbers and members in another order stand in the same crowds."""
    pieces = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    days = [{0: 0.0, 1: 3.0, 2: 60.0}[piece] for piece in pieces]
    cards = [f"c{i}" for i in range(N_FLEET)]
    style = town_and_fleet()
    found = in_crowd(paid_by(cards), style, pieces, days=days, least=7)
    assert found.tolist() == [True] * 7 + [False] * 5
    moved = style.copy()
    moved[N_TOWN:] = style[N_TOWN:][order]
    again = in_crowd(
        paid_by([cards[i] for i in order]),
        moved,
        [names[pieces[i]] for i in order],
        days=[days[i] for i in order],
        least=7,
    )
    np.testing.assert_array_equal(again, found[order])


def test_without_strangers_or_likeness_there_is_no_crowd() -> None:
    """No yardstick and nobody alike tell nothing."""
    profiles, n = paid_by(FOUR_CARDS), N_TOWN + N_FLEET
    nobody = np.zeros(n, dtype=bool)
    found = find_crowds(None, profiles, town_and_fleet(), np.arange(n), np.zeros(n), asks_alike=~nobody, least=2)
    assert not found.any()
    assert not in_crowd(profiles, town_and_fleet(), ONE, asks_alike=nobody[N_TOWN:]).any()
