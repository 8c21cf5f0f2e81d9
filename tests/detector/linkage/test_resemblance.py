"""Who asks like its cluster: members do, framed strangers hardly ever do, and who is alone is told nothing of."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage.resemblance import resembles

N_TOWN, N_FLEET, DIMENSIONS = 2000, 40, 12


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
    """Members ask like their cluster, though a sixth of it be victims; of these one in two hundred would by chance."""
    cluster = framing(n_victims)
    alike = resembles(styles_of(seed), cluster, is_stranger=cluster != N_TOWN)
    assert alike[N_TOWN:].mean() >= 0.8
    assert alike[:n_victims].sum() <= 1
    assert not alike[n_victims:N_TOWN].any()


def test_strangers_tied_by_forgery_resemble_as_rarely_as_promised() -> None:
    """Of a thousand strangers tied to a fleet by 25 at a time, about one in two hundred asks like it."""
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
    """Below 400 strangers one in two hundred cannot be shown; no style, one style or no account tell nothing."""
    style, cluster = styles_of(9), framing(0)
    few = (cluster != N_TOWN) & (np.arange(len(cluster)) < 399)
    assert not resembles(style, cluster, is_stranger=few).any()
    assert not resembles(style[:, :0], cluster, is_stranger=cluster != N_TOWN).any()
    assert not resembles(np.zeros_like(style), cluster, is_stranger=cluster != N_TOWN).any()
    empty = resembles(np.zeros((0, 3), np.float32), np.empty(0, np.int64), is_stranger=np.empty(0, dtype=bool))
    assert len(empty) == 0
