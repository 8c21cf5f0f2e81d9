"""A fleet that follows the newest model: half of its traffic moves within a day of a release."""

from pydantic import Field

from simulations.actors import Habits
from simulations.attackers.bulk_harvest import Task
from simulations.attackers.fleet import TALK_WEIGHTS, Fleet, FleetParameters


class ModelPivotParameters(FleetParameters):
    """What a cohort of them may set; a cohort is one campaign."""

    per_day: float = Field(72.0, gt=0, le=1e6, description="mean requests of an account per day")
    answers: tuple[Task, ...] = Field(("tool_task", "collected"), min_length=1, description="what collects answers")


class ModelPivot(Fleet):
    """A fleet that follows the newest model: half of its traffic moves within a day of a release."""

    parameters = ModelPivotParameters
    habits = Habits(model_weights=(0.40, 0.38, 0.22), p_pivot=0.6, talk_weights=TALK_WEIGHTS)
