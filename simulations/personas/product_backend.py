"""Products: one system prompt, many end users, bursts by day; a few write at length; some split over several keys."""

import numpy as np
from pydantic import Field

from detector.settings import Settings
from simulations.actors import Plan, honest
from simulations.crowd import Crowd, Requests, Visits
from simulations.streams import Flags
from simulations.traffic import arrivals, identity, lengths, prompts
from simulations.traffic.pen import Pen

#: Median answers [tokens]: of a shop's assistant (customer intents: 80 to 90) and of a writing product (chosen).
SHORT_ANSWER, LONG_ANSWER = 85.0, 620.0


class ProductBackendParameters(Settings):
    """What a cohort of products may set."""

    requests: float = Field(735.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.9, ge=0, le=3, description="sigma of the logarithm of requests")
    writer_share: float = Field(0.3, ge=0, le=1, description="share of products that write at length")
    keys_per_customer: int = Field(2, ge=1, le=200, description="accounts with one payment and one site")


class ProductBackend:
    """Products that call from servers."""

    parameters = ProductBackendParameters

    def plan(self, crowd: Crowd, parameters: ProductBackendParameters) -> Plan:
        """Decide who the members are and when they come."""
        n_requests = arrivals.volumes(
            crowd, median=parameters.requests, sigma=parameters.spread, least=20, most=200_000
        )
        visits = arrivals.bursts(crowd, n_requests)
        customers = crowd.positions // parameters.keys_per_customer
        return Plan(
            visits=visits,
            is_extraction=np.zeros(len(visits), dtype=np.bool_),
            identity=identity.in_teams(crowd, server(crowd), customers, kind="cloud"),
            model_weights=(0.30, 0.40, 0.30),
            campaigns=honest(len(crowd)),
        )

    def ask(self, crowd: Crowd, parameters: ProductBackendParameters, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits."""
        draw, keys = crowd.streams, crowd.keys[visits.member]
        pen = Pen(draw, keys, visits.ordinal)
        writes = draw.chance(keys, "writes at length", p=parameters.writer_share)
        prompt = pen.by(writes.astype(np.int64), [prompts.customer, prompts.article])
        median = np.where(writes, LONG_ANSWER, SHORT_ANSWER)
        chars = prompts.n_chars(prompt)
        return Requests(
            prompt=prompt,
            system_prompt=prompts.shop_rules(pen),
            answer_tokens=lengths.answers(draw, keys, visits.ordinal, median=median, chars=chars),
            history_tokens=np.zeros(len(visits), dtype=np.int64),
        )


def server(crowd: Crowd) -> identity.Identity:
    """Give every account a few hosts, mostly rented, sometimes an office or the developer's home."""
    return identity.strangers(
        crowd,
        kinds=("cloud", "cloud", "cloud", "office", "home", "carrier"),
        slot_weights=(0.55, 0.22, 0.15, 0.04, 0.03, 0.01),
        clients=identity.CLIENTS_OF_MACHINES,
        plans=(0.08, 0.55, 0.25, 0.12),
        is_sticky=False,
    )
