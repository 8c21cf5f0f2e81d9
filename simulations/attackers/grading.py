"""A harvest of judgements: the model scores answers by a rubric and becomes a reward model."""

from pydantic import Field

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class GradingParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    generator_share: float = Field(0.0, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("grading",), min_length=1, description="what collects answers, in equal parts")


class Grading(BulkHarvest):
    """A harvest of judgements: the model scores answers by a rubric and becomes a reward model."""

    parameters = GradingParameters
