"""Honest bulk work: one template over many items, in job runs, with one-word answers."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.crowd import Asked, Crowd, Visits
from simulations.traffic import arrivals, kinds

#: Spread of the logarithm of gaps where many workers take turns: nearly that of chance, 1.28, as their sum nears it.
POOL_SIGMA = 1.1
#: Work as it comes in: nearly by chance (ServeGen: coefficient of variation 1.2), most of it at any hour (a quarter of
#: ServeGen's clients have above .17 of their requests in their quietest six hours).
STREAM = arrivals.Bursts(variation=1.2, variation_sigma=0.3, always_share=0.6, daily=1.0)


class JobParameters(Volume):
    """What a cohort of batch jobs may set."""

    requests: float = Field(490.0, gt=0, le=1e7, description="median requests of an account over the log")
    pace: Literal["jobs", "stream"] = Field("jobs", description="in runs, or as work comes in, like a product's")


class Labelling(Actor):
    """Jobs that label items, in one to four runs, as fast as a pool of workers is served."""

    parameters = JobParameters
    least = 40
    pace = arrivals.Runs(most_runs=4, pause_s=0.5, pause_sigma=POOL_SIGMA, pace_sigma=0.9, hour=None)
    habits = Habits(
        model_weights=(0.35, 0.30, 0.35),
        limit_weights=(0.25, 0.1, 0.25, 0.12, 0.12, 0.1, 0.06),
        p_logprobs=0.15,
        p_retries=0.9,
    )
    kinds: ClassVar[tuple[str, ...]] = ("labelling", "labelling_bare")
    weights: ClassVar[tuple[float, ...]] = (0.7, 0.3)
    """How often a job is of each kind. Assumed: prompt libraries put the task in the request or before it."""
    p_two_jobs: ClassVar[float] = 0.4
    """Share of accounts with two jobs. Assumed."""

    def pace_of(self, parameters: JobParameters) -> arrivals.Pace:
        """Work in runs, or on what comes in."""
        return STREAM if parameters.pace == "stream" else self.pace

    def ask(self, crowd: Crowd, parameters: JobParameters, visits: Visits) -> Asked:
        """Work on one job, or on two in turn, each with its own kind and template."""
        several = crowd.streams.chance(crowd.keys, "has two jobs", p=self.p_two_jobs)[visits.member]
        job = (several & (visits.session % 2 == 1)).astype(np.uint64)
        owner = crowd.keys[visits.member] ^ job
        kind = kinds.numbers(self.kinds)[crowd.streams.choice(owner, "kind of job", weights=self.weights)]
        return Asked(kind, owner, visits.ordinal)
