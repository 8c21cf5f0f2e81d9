"""Who asks like its cluster: members do, framed strangers do not, and who is alone is like itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage.resemblance import resembles

N_TOWN, N_FLEET, DIMENSIONS = 600, 20, 12


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20))
def test_members_resemble_and_victims_do_not(seed: int, n_victims: int) -> None:
    """Members of one style resemble their cluster, however many strangers it frames; of these few do, by chance."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(N_TOWN, DIMENSIONS))
    fleet = rng.normal(size=DIMENSIONS) + 0.3 * rng.normal(size=(N_FLEET, DIMENSIONS))
    cluster = np.concatenate([np.arange(N_TOWN), np.full(N_FLEET, N_TOWN)])
    cluster[:n_victims] = N_TOWN
    alike = resembles(np.concatenate([people, fleet]).astype(np.float32), cluster)
    assert alike[N_TOWN:].mean() >= 0.9
    assert alike[:n_victims].sum() <= 2 + 0.2 * n_victims
    assert alike[n_victims:N_TOWN].all()


def test_pairs_of_strangers_resemble_by_chance_alone() -> None:
    """Of a thousand strangers that one account each shares a card with, about a tenth asks like it."""
    rng = np.random.default_rng(2)
    alike = resembles(rng.normal(size=(2000, DIMENSIONS)).astype(np.float32), np.arange(2000) // 2)
    assert 0.05 < alike.mean() < 0.15


def test_without_a_style_all_are_alike() -> None:
    """A log that tells nothing of what is asked denies nobody a resemblance; nor does an empty one fail."""
    assert resembles(np.zeros((4, 0), np.float32), np.array([0, 0, 1, 1])).all()
    assert len(resembles(np.zeros((0, 3), np.float32), np.empty(0, np.int64))) == 0
