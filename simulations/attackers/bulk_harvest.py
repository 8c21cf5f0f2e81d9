"""One account that harvests in bulk and does not hide: generator requests first, then answers to all of it."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.crowd import Asked, Crowd, Visits
from simulations.personas.labelling import POOL_SIGMA
from simulations.streams import Counts, Flags, Keys
from simulations.traffic import arrivals, identity, kinds

#: Kinds of requests that serve a harvest.
Task = Literal[
    "self_instruct", "evol_instruct", "collected", "curated", "reasoning", "reasoning_abroad", "grading", "replayed",
    "probe", "tool_task",
]  # fmt: skip
#: How often attackers buy each plan: as honest people and machines together do. Assumed.
PLANS = (0.24, 0.48, 0.18, 0.10)
#: Share of prompt sets that go with a system prompt. Assumed.
P_GUIDED = 0.2
PACES: dict[str, arrivals.Pace] = {
    "steady": arrivals.Harvest(),
    "jobs": arrivals.Runs(most_runs=4, pause_s=0.5, pause_sigma=POOL_SIGMA, pace_sigma=0.9, hour=None),
    "sessions": arrivals.PEOPLE,
}


class BulkHarvestParameters(Volume):
    """What a cohort of single harvesting accounts may set."""

    requests: float = Field(1800.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.6, ge=0, le=3, description="sigma of the logarithm of requests")
    generator: Task = Field("self_instruct", description="what asks for new tasks")
    generator_share: float = Field(0.15, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("collected",), min_length=1, description="what collects answers, in equal parts")
    repeats: int = Field(1, ge=1, le=256, description="answers collected per prompt")
    pace: Literal["steady", "jobs", "sessions"] = Field("steady", description="for days, in runs, or like a person")


class BulkHarvest(Actor):
    """Accounts that harvest alone."""

    parameters: ClassVar[type[Volume]] = BulkHarvestParameters
    least = 50
    most = 2_000_000
    habits = Habits(model_weights=(0.45, 0.35, 0.20), p_retries=0.9)

    def identity(self, crowd: Crowd, parameters: Volume) -> identity.Identity:
        """Call from servers, with clients and plans that honest people and machines have too."""
        return replace(
            identity.server(crowd),
            plan=crowd.streams.choice(crowd.keys, "plan", weights=PLANS),
            client=crowd.streams.choice(crowd.keys, "client", weights=identity.CLIENTS_OF_BOTH),
        )

    def pace_of(self, parameters: BulkHarvestParameters) -> arrivals.Pace:
        """Run for days, in jobs, or by hand."""
        return PACES[parameters.pace]

    def ask(self, crowd: Crowd, parameters: BulkHarvestParameters, visits: Visits) -> Asked:
        """Ask every prompt as often as told."""
        owner, item = crowd.keys[visits.member], visits.ordinal // parameters.repeats
        return Asked(harvested(crowd, parameters, owner, item), owner, item)

    def members(self, crowd: Crowd, parameters: BulkHarvestParameters) -> Flags:
        """Count every account as a campaign's."""
        return np.ones(len(crowd), dtype=np.bool_)

    def campaigns(self, crowd: Crowd, parameters: BulkHarvestParameters) -> tuple[str, ...]:
        """Give every account a campaign of its own."""
        return tuple(f"{crowd.name}-{position:04d}" for position in crowd.positions)


def harvested(crowd: Crowd, parameters: BulkHarvestParameters, owner: Keys, item: Counts) -> Counts:
    """Choose the stage and task of harvest requests: equal owners and items are equal requests."""
    draw = crowd.streams
    answers = kinds.numbers(parameters.answers)
    kind = answers[draw.integers(owner, "task", item, below=len(answers))]
    generates = draw.chance(owner, "generates", item, p=parameters.generator_share)
    stated = np.where(generates, kinds.number(parameters.generator), kind)
    guided: Counts = np.where(draw.chance(owner, "is guided", p=P_GUIDED), kinds.GUIDED_OF[stated], stated)
    return guided
