"""A bulk harvest chains two stages and repeats prompts as often as it is told."""

import numpy as np
import pytest

from simulations.attackers.bulk_harvest import GENERATOR_ANSWER, BulkHarvest, BulkHarvestParameters, harvest
from simulations.crowd import Crowd, Horizon
from simulations.streams import Streams, key_of, member_keys


def test_prompts_are_repeated() -> None:
    """With four repeats, an account asks every prompt four times."""
    group = np.array([key_of("group")], dtype=np.uint64)
    crowd = Crowd("bulk", member_keys("bulk", 1), group, Streams(4), Horizon(1.7724096e9, 14.0))
    parameters = BulkHarvestParameters(requests=400, spread=0, repeats=4)
    plan = BulkHarvest().plan(crowd, parameters)
    asked = BulkHarvest().ask(crowd, parameters, plan.visits, plan.is_extraction).prompt.to_pylist()
    assert np.median([asked.count(prompt) for prompt in set(asked)]) == 4


@pytest.mark.parametrize("generator_share", [0.0, 0.3, 1.0])
def test_generator_share_holds(generator_share: float) -> None:
    """The share of generator requests is the one asked for; they want long answers."""
    keys, items = np.repeat(member_keys("bulk", 1), 2000), np.arange(2000)
    prompt, median = harvest(Streams(1), keys, items, generator_share=generator_share)
    is_generator = np.array(["List of 20 tasks:" in text for text in prompt.to_pylist()])
    assert is_generator.mean() == pytest.approx(generator_share, abs=0.04)
    assert np.array_equal(is_generator, median == GENERATOR_ANSWER)
