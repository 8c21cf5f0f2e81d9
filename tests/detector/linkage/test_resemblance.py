"""Who asks like its cluster: members do, framed strangers hardly ever do, and who is alone is told nothing of."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage import resemblance

N_TOWN, N_FLEET, DIMENSIONS = 2000, 40, 12


def resembles(
    style: npt.NDArray[np.float32],
    cluster: npt.NDArray[np.int64],
    *,
    is_stranger: npt.NDArray[np.bool_],
    speaks: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Measure and tell; everyone speaks for the cluster unless told otherwise."""
    heard = np.ones(len(cluster), dtype=bool) if speaks is None else speaks
    yardstick = resemblance.measure(style, cluster, is_stranger=is_stranger, speaks=heard)
    return resemblance.resembles(yardstick, style, cluster, is_stranger=is_stranger, speaks=heard)


def styles_of(seed: int, n_fleet: int = N_FLEET) -> npt.NDArray[np.float32]:
    """Give a town, whose first accounts may be framed, and a fleet, less various, six spreads away."""
    rng = np.random.default_rng(seed)
    style = rng.normal(size=(N_TOWN + n_fleet, DIMENSIONS))
    direction = rng.normal(size=DIMENSIONS)
    style[N_TOWN:] = 0.3 * style[N_TOWN:] + 6 * direction / np.linalg.norm(direction)
    return style.astype(np.float32)


def framing(n_victims: int, n_fleet: int = N_FLEET) -> npt.NDArray[np.int64]:
    """Number clusters: the fleet and its victims are one, everyone else is alone."""
    cluster = np.arange(N_TOWN + n_fleet)
    cluster[:n_victims] = cluster[N_TOWN:] = N_TOWN
    return cluster


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_members_resemble_and_victims_do_not(seed: int, n_victims: int) -> None:
    """Members ask like their cluster, though a sixth of it be victims; of these one in a hundred would by chance."""
    cluster = framing(n_victims)
    alike = resembles(styles_of(seed), cluster, is_stranger=cluster != N_TOWN)
    assert alike[N_TOWN:].mean() >= 0.8
    assert alike[:n_victims].sum() <= 1
    assert not alike[n_victims:N_TOWN].any()


def test_strangers_tied_by_forgery_resemble_as_rarely_as_promised() -> None:
    """Of a thousand strangers tied to a fleet by 25 at a time, hardly one in a hundred asks like it."""
    style, n_alike = styles_of(3), 0
    for first in range(0, 1000, 25):
        cluster = framing(0)
        cluster[first : first + 25] = N_TOWN
        n_alike += resembles(style, cluster, is_stranger=cluster != N_TOWN)[first : first + 25].sum()
    assert n_alike <= 15


def test_two_are_a_cluster() -> None:
    """A fleet of two is told from strangers as well: one mate gives the direction."""
    cluster = framing(0, 2)
    alike = resembles(styles_of(5, 2), cluster, is_stranger=cluster != N_TOWN)
    assert alike[N_TOWN:].all()


def test_who_is_not_suspected_is_told_nothing_of() -> None:
    """A stranger never resembles, though it sits among members."""
    cluster = framing(0)
    assert not resembles(styles_of(7), cluster, is_stranger=np.ones(len(cluster), dtype=bool)).any()


def test_a_log_too_small_or_without_style_tells_nothing() -> None:
    """Below 400 strangers nobody is told from them; no style, one style or no account tell nothing."""
    style, cluster = styles_of(9), framing(0)
    few = (cluster != N_TOWN) & (np.arange(len(cluster)) < 399)
    assert not resembles(style, cluster, is_stranger=few).any()
    assert not resembles(style[:, :0], cluster, is_stranger=cluster != N_TOWN).any()
    assert not resembles(np.zeros_like(style), cluster, is_stranger=cluster != N_TOWN).any()
    empty = resembles(np.zeros((0, 3), np.float32), np.empty(0, np.int64), is_stranger=np.empty(0, dtype=bool))
    assert len(empty) == 0


def a_customer_framed(seed: int, n_keys: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], slice]:
    """Give a town, a fleet, and the keys of one framed customer, who ask alike in a way of their own."""
    style, cluster = styles_of(seed), framing(n_keys)
    rng = np.random.default_rng(seed + 1)
    direction, fleet = rng.normal(size=DIMENSIONS), style[N_TOWN:].mean(axis=0)
    direction -= (direction @ fleet) / (fleet @ fleet) * fleet
    style[:n_keys] = 0.3 * style[:n_keys] + 6 * direction / np.linalg.norm(direction)
    return style, cluster, slice(0, n_keys)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_victims_that_ask_like_each_other_do_not_speak_for_the_cluster(seed: int, n_keys: int) -> None:
    """However many keys of one customer are framed, they are held to what the fleet's own behaviour speaks for."""
    style, cluster, keys = a_customer_framed(seed, n_keys)
    speaks = np.ones(len(cluster), dtype=bool)
    speaks[keys] = False
    alike = resembles(style, cluster, is_stranger=cluster != N_TOWN, speaks=speaks)
    assert alike[N_TOWN:].mean() >= 0.8
    assert not alike[keys].any()


def test_heard_victims_would_have_been_what_a_part_of_the_cluster_asks() -> None:
    """The promise above is not idle: were they heard, as many keys as members would pass for members."""
    style, cluster, keys = a_customer_framed(3, N_FLEET)
    assert resembles(style, cluster, is_stranger=cluster != N_TOWN)[keys].mean() >= 0.8


def test_where_nobody_speaks_nobody_resembles() -> None:
    """One voice alone has no mate that speaks; it is told nothing of, those it speaks to are."""
    style, cluster = styles_of(4), framing(0)
    one = np.arange(len(cluster)) == N_TOWN
    two = one | (np.arange(len(cluster)) == N_TOWN + 1)
    for speaks in (np.zeros_like(one), one):
        assert not resembles(style, cluster, is_stranger=cluster != N_TOWN, speaks=speaks).any()
    assert resembles(style, cluster, is_stranger=cluster != N_TOWN, speaks=two)[N_TOWN:].mean() >= 0.8


def test_order_and_numbers_of_clusters_do_not_matter() -> None:
    """Rows in another order and clusters by other numbers are told the same."""
    style, cluster = styles_of(6), framing(5)
    alike = resembles(style, cluster, is_stranger=cluster != N_TOWN)
    within = np.random.default_rng(1).permutation(N_FLEET) + N_TOWN
    order = np.concatenate([np.arange(N_TOWN), within])
    renamed = cluster.max() - cluster[order]
    again = resembles(style[order], renamed, is_stranger=cluster[order] != N_TOWN)
    np.testing.assert_array_equal(again, alike[order])
