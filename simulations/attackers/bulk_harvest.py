"""One account that harvests in bulk and does not hide: generator requests first, then answers to all of it."""

from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from detector.settings import Settings
from simulations.actors import Plan
from simulations.crowd import Crowd, Requests, Visits
from simulations.personas.product_backend import server
from simulations.streams import Counts, Flags, Keys, Reals, Streams
from simulations.traffic import arrivals, lengths, prompts
from simulations.traffic.pen import Pen

#: Median answers [tokens]: of a generator request (20 tasks, limit 3,072) and of a collected answer (stored answers
#: of distillation corpora: 46 to 398).
GENERATOR_ANSWER, COLLECTED_ANSWER = 1500.0, 280.0

PACES: dict[str, arrivals.Arrivals] = {"steady": arrivals.steady, "jobs": arrivals.jobs}


class BulkHarvestParameters(Settings):
    """What a cohort of single harvesting accounts may set."""

    requests: float = Field(1800.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.6, ge=0, le=3, description="sigma of the logarithm of requests")
    generator_share: float = Field(0.15, ge=0, le=1, description="share of requests that ask for new tasks")
    repeats: int = Field(1, ge=1, le=256, description="answers collected per prompt")
    pace: Literal["steady", "jobs"] = "steady"


class BulkHarvest:
    """Accounts that harvest alone."""

    parameters = BulkHarvestParameters

    def plan(self, crowd: Crowd, parameters: BulkHarvestParameters) -> Plan:
        """Decide who the members are and when they come."""
        n_requests = arrivals.volumes(
            crowd, median=parameters.requests, sigma=parameters.spread, least=50, most=1_000_000
        )
        visits = PACES[parameters.pace](crowd, n_requests)
        return Plan(
            visits=visits,
            is_extraction=np.ones(len(visits), dtype=np.bool_),
            identity=server(crowd),
            model_weights=(0.45, 0.35, 0.20),
            campaigns=tuple(f"{crowd.name}-{position:04d}" for position in crowd.positions),
        )

    def ask(self, crowd: Crowd, parameters: BulkHarvestParameters, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits."""
        keys, item = crowd.keys[visits.member], visits.ordinal // parameters.repeats
        prompt, median = harvest(crowd.streams, keys, item, generator_share=parameters.generator_share)
        chars = prompts.n_chars(prompt)
        return Requests(
            prompt=prompt,
            system_prompt=prompts.nothing(len(visits)),
            answer_tokens=lengths.answers(crowd.streams, keys, visits.ordinal, median=median, chars=chars),
            history_tokens=np.zeros(len(visits), dtype=np.int64),
        )


def harvest(streams: Streams, owner: Keys, item: Counts, *, generator_share: float) -> tuple[pa.Array, Reals]:
    """Write harvest prompts of both stages.

    Parameters
    ----------
    owner: key of the prompt set, one per row.
    item: number of the prompt in its set; equal items are equal prompts.

    Returns
    -------
    The prompts and the median length of their answers [tokens].
    """
    generates = streams.chance(owner, "generates", item, p=generator_share)
    pen = Pen(streams, owner, item)
    ways = [lambda p: prompts.answer_collection(p, p), lambda p: prompts.generator(p, p)]
    prompt = pen.by(generates.astype(np.int64), ways)
    return prompt, np.where(generates, GENERATOR_ANSWER, COLLECTED_ANSWER)
