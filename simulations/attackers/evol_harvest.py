"""A harvest that makes its prompts harder before it asks them: as many rewrites as answers."""

from pydantic import Field

from simulations.attackers.bulk_harvest import BulkHarvest, BulkHarvestParameters, Task


class EvolHarvestParameters(BulkHarvestParameters):
    """What a cohort of them may set."""

    generator: Task = Field("evol_instruct", description="what asks for new tasks")
    generator_share: float = Field(0.5, ge=0, le=1, description="share of requests that ask for new tasks")


class EvolHarvest(BulkHarvest):
    """A harvest that makes its prompts harder before it asks them: as many rewrites as answers."""

    parameters = EvolHarvestParameters
