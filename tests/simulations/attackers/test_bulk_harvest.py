"""A bulk harvest chains two stages and repeats prompts as often as it is told."""

import numpy as np
import pytest

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters
from simulations.crowd import Asked, Crowd, Horizon
from simulations.streams import Streams, key_of, member_keys
from simulations.traffic import kinds


def asked(**values: object) -> Asked:
    """What two accounts ask in 2,000 requests each."""
    group = np.array([key_of("group")], dtype=np.uint64)
    crowd = Crowd("bulk", member_keys("bulk", 2), group, Streams(4), Horizon(1.7724096e9, 14.0))
    parameters = BulkHarvestParameters.model_validate(values)
    return BulkHarvest().ask(crowd, parameters, BulkHarvest().visits(crowd, parameters, np.full(2, 2000)))


def test_prompts_are_repeated() -> None:
    """With four repeats, an account asks every prompt four times, each time of one kind."""
    found = asked(repeats=4)
    texts, times = np.unique(np.stack([found.owner, found.item, found.kind]), axis=1, return_counts=True)
    assert np.median(times) == 4
    assert texts.shape[1] == 1000


@pytest.mark.parametrize("generator_share", [0.0, 0.3, 1.0])
def test_generator_share_holds(generator_share: float) -> None:
    """The share of generator requests is the one asked for."""
    found = asked(generator_share=generator_share, generator="evol_instruct")
    assert np.mean(found.kind == kinds.number("evol_instruct")) == pytest.approx(generator_share, abs=0.04)


def test_answers_are_collected_in_equal_parts() -> None:
    """Several ways of collecting answers share the work."""
    found = asked(answers=("reasoning", "grading"), generator_share=0.0)
    assert np.mean(found.kind == kinds.number("grading")) == pytest.approx(0.5, abs=0.04)
