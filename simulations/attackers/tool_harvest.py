"""A harvest of agents: whole trajectories of tool calls, task after task."""

from pydantic import Field

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class ToolHarvestParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    generator_share: float = Field(0.1, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("tool_task",), min_length=1, description="what collects answers, in equal parts")


class ToolHarvest(BulkHarvest):
    """A harvest of agents: whole trajectories of tool calls, task after task."""

    parameters = ToolHarvestParameters
