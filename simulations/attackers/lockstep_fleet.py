"""A fleet on one scheduler: common rounds, seconds apart, few payments, no cover."""

from typing import Literal

from pydantic import Field

from simulations.attackers.bulk_harvest import Task
from simulations.attackers.fleet import Fleet, FleetParameters


class LockstepFleetParameters(FleetParameters):
    """What a cohort of them may set; a cohort is one campaign."""

    per_day: float = Field(143.0, gt=0, le=1e6, description="mean requests of an account per day")
    cover_share: float = Field(0.0, ge=0, le=1, description="share of requests that are ordinary chat")
    answers: tuple[Task, ...] = Field(("reasoning", "grading"), min_length=1, description="what collects answers")
    pace: Literal["sessions", "lockstep", "steady", "agents"] = Field("lockstep", description="all on one scheduler")


class LockstepFleet(Fleet):
    """A fleet on one scheduler: common rounds, seconds apart, few payments, no cover."""

    parameters = LockstepFleetParameters
