"""Peers: the narrowest circle that holds enough, percentiles inside it, and nothing from outside."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.peers import CIRCLES, LEAST_PEERS, circles_of, stand


def accounts(*kinds: tuple[int, float, float]) -> pd.DataFrame:
    """Give accounts by number, requests a day (log10) and spread of gaps (octaves)."""
    rows = [(volume, spread) for n, volume, spread in kinds for _ in range(n)]
    return pd.DataFrame(rows, columns=["requests_per_day", "gap_spread"])


def test_people_are_not_laid_beside_programs() -> None:
    """Of one volume, people and programs have their own percentiles."""
    own = accounts((30, 1.1, 5.0), (25, 1.2, 2.0))
    standing = stand(pd.DataFrame({"age": np.arange(55.0)}), circles_of(own))
    assert standing.n_peers[:, 0].tolist() == [30] * 30 + [25] * 25
    assert (standing.circle == CIRCLES.index("volume and client")).all()
    np.testing.assert_allclose(standing.percentile[[0, 29, 30, 54], 0], [0.5 / 30, 29.5 / 30, 0.5 / 25, 24.5 / 25])


def test_too_few_peers_widen_the_circle() -> None:
    """Five programs are laid beside all of their volume, and a lone giant beside everyone; the others stay."""
    own = accounts((30, 1.1, 5.0), (5, 1.2, 2.0), (1, 5.0, 2.0))
    standing = stand(pd.DataFrame({"age": np.arange(36.0)}), circles_of(own))
    circle = [CIRCLES[c] for c in standing.circle[:, 0]]
    assert circle == ["volume and client"] * 30 + ["volume"] * 5 + ["nothing"]
    assert standing.n_peers[:, 0].tolist() == [30] * 30 + [35] * 5 + [36]
    assert standing.percentile[-1, 0] == pytest.approx(35.5 / 36)


def test_a_log_of_counts_knows_volume_only() -> None:
    """Without times between requests volume decides; without volume everyone is compared with everyone."""
    own = accounts((30, 1.1, np.nan), (30, 2.1, np.nan))
    values = pd.DataFrame({"age": np.arange(60.0)})
    assert {CIRCLES[c] for c in stand(values, circles_of(own)).circle[:, 0]} == {"volume"}
    assert {CIRCLES[c] for c in stand(values, circles_of(values)).circle[:, 0]} == {"nothing"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120))
def test_every_value_stands_somewhere(seed: int, n: int) -> None:
    """A present value has a percentile strictly inside 0 to 1 and enough peers or all; an absent one has none.

    Within its circle it is the share below plus half of the ties, counted one by one.
    """
    rng = np.random.default_rng(seed)
    own = pd.DataFrame({"requests_per_day": rng.normal(1, 0.5, n), "gap_spread": rng.normal(4, 1, n)})
    own = own.mask(rng.random(own.shape) < 0.1)
    values = pd.DataFrame(rng.integers(0, 9, (n, 3)).astype(float)).mask(rng.random((n, 3)) < 0.4)
    circles = circles_of(own)
    standing = stand(values, circles)
    present = values.notna().to_numpy()
    assert np.isnan(standing.percentile[~present]).all()
    for i, j in np.argwhere(present):
        level = standing.circle[i, j]
        peers = values.iloc[:, j][circles[level] == circles[level][i]].dropna()
        below, ties = (peers < values.iat[i, j]).sum(), (peers == values.iat[i, j]).sum()
        assert standing.percentile[i, j] == pytest.approx((below + ties / 2) / len(peers))
        assert standing.n_peers[i, j] == len(peers)
        assert len(peers) >= LEAST_PEERS or CIRCLES[level] == "nothing"


def test_the_order_of_accounts_does_not_matter() -> None:
    """Rows shuffled, standings shuffled."""
    rng = np.random.default_rng(5)
    own = pd.DataFrame({"requests_per_day": rng.normal(1, 0.5, 300), "gap_spread": rng.normal(4, 1, 300)})
    values = pd.DataFrame(rng.normal(size=(300, 2)))
    order = rng.permutation(300)
    one = stand(values, circles_of(own))
    other = stand(values.iloc[order], circles_of(own.iloc[order]))
    np.testing.assert_allclose(other.percentile, one.percentile[order])
    assert (other.n_peers == one.n_peers[order]).all()
