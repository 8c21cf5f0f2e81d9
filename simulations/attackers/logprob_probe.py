"""Probing of log-probabilities: very many tiny requests for one token each."""

from pydantic import Field

from simulations.actors import Habits
from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class LogprobProbeParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    requests: float = Field(20_000.0, gt=0, le=1e7, description="median requests of an account over the log")
    generator_share: float = Field(0.0, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("probe",), min_length=1, description="what collects answers, in equal parts")


class LogprobProbe(BulkHarvest):
    """Probing of log-probabilities: very many tiny requests for one token each."""

    parameters = LogprobProbeParameters
    habits = Habits(limit_weights=(0.05, 0.8, 0.15, 0.0, 0.0, 0.0, 0.0), p_logprobs=0.9)
