"""A check tells the declared from the found value by what chance allows."""

import numpy as np
import pytest

from simulations.effects.checks import Check, occupied, share


def test_tolerance_holds_its_ends() -> None:
    """Both ends of the tolerance are within it, and nothing beyond."""
    found = [Check("rows", 5, value, 4, 6).is_there for value in (3.99, 4, 6, 6.01)]
    assert found == [False, True, True, False]


def test_share_widens_with_few_draws() -> None:
    """The same distance is too far for many draws and not for few."""
    assert [share("cover", 0.5, 0.6, n=n).is_there for n in (100, 10_000)] == [True, False]


@pytest.mark.parametrize(("n_places", "n_draws"), [(1, 5), (2, 3), (4, 60), (40, 40), (4000, 61), (5, 0)])
def test_occupied_places_are_within_their_tolerance(n_places: int, n_draws: int) -> None:
    """Places taken by chance are never beyond the tolerance."""
    draws = np.random.default_rng(3)
    taken = [len(np.unique(draws.integers(0, n_places, n_draws))) for _ in range(300)]
    assert all(occupied("payments", n_places, n_draws, some).is_there for some in taken)


def test_row_names_everything() -> None:
    """A report says what was declared, found and tolerated."""
    row = share("cover share", 0.5, 0.52, n=1e4).row("fleet")
    expected = {"effect": "cover share", "declared": 0.5, "found": 0.52, "tolerance": [0.48, 0.52], "is_there": True}
    assert {"cohort": "fleet", **expected} == row
