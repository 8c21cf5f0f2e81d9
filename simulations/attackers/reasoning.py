"""A harvest of reasoning: every question asks for the steps, here or in another language."""

from pydantic import Field

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class ReasoningParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    generator_share: float = Field(0.05, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(
        ("reasoning", "reasoning_abroad", "replayed"), min_length=1, description="what collects answers, in equal parts"
    )


class Reasoning(BulkHarvest):
    """A harvest of reasoning: every question asks for the steps, here or in another language."""

    parameters = ReasoningParameters
