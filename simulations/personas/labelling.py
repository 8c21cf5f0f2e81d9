"""Honest bulk work: one template over many items, in job runs, with one-word answers."""

import numpy as np
from pydantic import Field

from detector.settings import Settings
from simulations.actors import Plan, honest
from simulations.crowd import Crowd, Requests, Visits
from simulations.personas.product_backend import server
from simulations.streams import Flags
from simulations.traffic import arrivals, lengths, prompts
from simulations.traffic.pen import Pen

#: Median answer [tokens] of a labelling job (facts of auto-labelling corpora: 6).
ANSWER_MEDIAN = 6.0


class LabellingParameters(Settings):
    """What a cohort of labelling jobs may set."""

    requests: float = Field(490.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.9, ge=0, le=3, description="sigma of the logarithm of requests")


class Labelling:
    """Jobs that label items."""

    parameters = LabellingParameters

    def plan(self, crowd: Crowd, parameters: LabellingParameters) -> Plan:
        """Decide who the members are and when they come."""
        n_requests = arrivals.volumes(
            crowd, median=parameters.requests, sigma=parameters.spread, least=40, most=100_000
        )
        visits = arrivals.jobs(crowd, n_requests)
        return Plan(
            visits=visits,
            is_extraction=np.zeros(len(visits), dtype=np.bool_),
            identity=server(crowd),
            model_weights=(0.35, 0.30, 0.35),
            campaigns=honest(len(crowd)),
        )

    def ask(self, crowd: Crowd, parameters: LabellingParameters, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits."""
        keys = crowd.keys[visits.member]
        prompt = prompts.labelling(Pen(crowd.streams, keys, visits.ordinal))
        chars = prompts.n_chars(prompt)
        return Requests(
            prompt=prompt,
            system_prompt=prompts.nothing(len(visits)),
            answer_tokens=lengths.answers(crowd.streams, keys, visits.ordinal, median=ANSWER_MEDIAN, chars=chars),
            history_tokens=np.zeros(len(visits), dtype=np.int64),
        )
