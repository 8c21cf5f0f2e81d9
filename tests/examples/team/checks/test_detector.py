"""The team's detector, as a test."""

import pytest


@pytest.mark.stillwatch
def test_no_worse_than_the_baseline(stillwatch_benchmark) -> None:
    """Nothing got worse, and no floor broke."""
    assert stillwatch_benchmark.against == []


@pytest.mark.stillwatch
def test_it_finds_the_loud(stillwatch_benchmark) -> None:
    """What reviewers open first are harvests."""
    assert stillwatch_benchmark.figure("volume", "precision_at_capacity", scenario="loud@1") > 0.5
