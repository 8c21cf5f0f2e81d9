"""Repeated sampling: each question again and again, and the best answer is kept."""

from pydantic import Field

from simulations.actors import Habits
from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class ResamplingParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    generator_share: float = Field(0.05, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(
        ("reasoning", "collected"), min_length=1, description="what collects answers, in equal parts"
    )
    repeats: int = Field(8, ge=1, le=256, description="answers collected per prompt")


class Resampling(BulkHarvest):
    """Repeated sampling: each question again and again, and the best answer is kept."""

    parameters = ResamplingParameters
    habits = Habits(model_weights=(0.45, 0.35, 0.20), p_choices=0.3)
