"""Products: one system prompt, many end users, bursts by day; a few write at length; some split over several keys."""

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Volume, by_account
from simulations.crowd import Asked, Crowd, Visits
from simulations.streams import Counts
from simulations.traffic import arrivals, identity

#: Median end users of a product and the spread of its logarithm. Assumed.
END_USERS, END_USERS_SIGMA = 60.0, 1.5
#: Share of products that send no system prompt: a fine-tuned model, or all said in the request. Assumed.
P_BARE = 0.2


class ProductBackendParameters(Volume):
    """What a cohort of products may set."""

    requests: float = Field(735.0, gt=0, le=1e7, description="median requests of an account over the log")
    writer_share: float = Field(0.3, ge=0, le=1, description="share of products that write at length")
    keys_per_customer: int = Field(2, ge=1, le=200, description="accounts with one payment and one site")


class ProductBackend(Actor):
    """Products that call from servers."""

    parameters = ProductBackendParameters
    least = 20
    most = 2_000_000
    pace = arrivals.Bursts()
    kinds = ("customer", "customer_bare", "article", "article_bare")

    def identity(self, crowd: Crowd, parameters: ProductBackendParameters) -> identity.Identity:
        """Give products hosts, and a customer several of them."""
        customers = crowd.positions // parameters.keys_per_customer
        return identity.in_teams(crowd, identity.server(crowd), customers, kind="cloud")

    def ask(self, crowd: Crowd, parameters: ProductBackendParameters, visits: Visits) -> Asked:
        """Ask what end users ask, or write at length."""
        share = parameters.writer_share
        weights = np.outer((1.0 - share, share), (1.0 - P_BARE, P_BARE)).ravel()
        kind = by_account(crowd, visits, self.kinds, tuple(weights))
        return Asked(kind, crowd.keys[visits.member], visits.ordinal)

    def end_users(self, crowd: Crowd, parameters: ProductBackendParameters) -> Counts:
        """Serve few people or many."""
        drawn = crowd.streams.lognormal(crowd.keys, "end users", median=END_USERS, sigma=END_USERS_SIGMA)
        return np.ceil(drawn).astype(np.int64)
