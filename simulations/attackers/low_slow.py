"""Very many accounts, each with a person's volume: no rate of one account shows the campaign."""

from typing import Literal

from pydantic import Field

from simulations.attackers.bulk_harvest import Task
from simulations.attackers.fleet import Fleet, FleetParameters


class LowSlowParameters(FleetParameters):
    """What a cohort of them may set; a cohort is one campaign."""

    per_day: float = Field(25.6, gt=0, le=1e6, description="mean requests of an account per day")
    cover_share: float = Field(0.3, ge=0, le=1, description="share of requests that are ordinary chat")
    answers: tuple[Task, ...] = Field(("tool_task", "reasoning"), min_length=1, description="what collects answers")
    pace: Literal["sessions", "lockstep", "steady", "agents"] = Field("agents", description="agentic sessions")


class LowSlow(Fleet):
    """Very many accounts, each with a person's volume: no rate of one account shows the campaign."""

    parameters = LowSlowParameters
