"""Honest bulk work: one template over many items, in job runs, with one-word answers."""

from typing import ClassVar

from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.traffic import arrivals


class JobParameters(Volume):
    """What a cohort of batch jobs may set."""

    requests: float = Field(490.0, gt=0, le=1e7, description="median requests of an account over the log")


class Labelling(Actor):
    """Jobs that label items, in one to four runs, as fast as a pool of workers is served."""

    parameters = JobParameters
    least = 40
    pace = arrivals.Runs(most_runs=4, pause_s=0.5, pause_sigma=0.8, pace_sigma=0.9, hour=None)
    habits = Habits(
        model_weights=(0.35, 0.30, 0.35),
        limit_weights=(0.25, 0.1, 0.25, 0.12, 0.12, 0.1, 0.06),
        p_logprobs=0.15,
        p_retries=0.9,
    )
    kinds: ClassVar[tuple[str, ...]] = ("labelling",)
