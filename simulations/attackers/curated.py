"""About a thousand hard questions with long answers: missed by design, and shown to be missed."""

from pydantic import Field

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class CuratedParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    requests: float = Field(1000.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.2, ge=0, le=3, description="sigma of the logarithm of requests")
    generator_share: float = Field(0.0, ge=0, le=1, description="share of requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("curated",), min_length=1, description="what collects answers, in equal parts")


class Curated(BulkHarvest):
    """About a thousand hard questions with long answers: missed by design, and shown to be missed."""

    parameters = CuratedParameters
    least = 20
