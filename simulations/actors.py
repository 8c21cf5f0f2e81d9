"""What a persona or an attacker is: a volume, a pace, an identity, habits, and kinds of requests.

An actor holds no state: all it knows is the crowd it plays and the parameters of the cohort. The defaults here are
those of an honest account on its own; a module of its own says only what differs.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from detector.settings import Settings
from simulations.crowd import Asked, Crowd, Visits
from simulations.streams import Counts, Flags, Keys, Reals, member_keys
from simulations.traffic import arrivals, identity, kinds

#: Most requests of one account: what one account's arrivals may take in memory. A larger client is several accounts.
MOST_REQUESTS = 2_000_000


class Volume(Settings):
    """How many requests an account sends over the log."""

    requests: float = Field(100.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(0.9, ge=0, le=3, description="sigma of the logarithm of requests")


@dataclass(frozen=True)
class Habits:
    """What accounts set in their requests, and how they choose models."""

    model_weights: tuple[float, float, float] = (0.30, 0.40, 0.30)
    """How often accounts prefer the large, the medium and the small model."""
    limit_weights: tuple[float, ...] = (0.34, 0.03, 0.07, 0.16, 0.17, 0.15, 0.08)
    """How often accounts set each of `columns.LIMITS`; no limit marks distillation (real pipelines: 3 to 16,384)."""
    p_logprobs: float = 0.03
    """Share of accounts that ask for log-probabilities."""
    p_choices: float = 0.04
    """Share of accounts that ask for several answers at once."""
    p_retries: float = 0.6
    """Share of accounts that send a request again that a limit refused. Assumed, like those of actors with their own:
    common clients do it by themselves, whoever uses them."""
    p_sessions: float = 0.5
    """Share of accounts whose client names its conversations, or its requests where they stand alone. Assumed, and the
    same for all actors: products fill most logs, so ids of people's conversations only would tell fleets of them."""
    p_end_users: float = 0.2
    """Share of accounts whose client names the end user of each request by a hash, as providers ask for. Assumed, and
    the same for all actors, lest it tell who they are."""
    talk_weights: tuple[float, float, float] = (0.06, 0.94, 0.0)
    """How often clients send the conversation so far along never, with what people say, and with everything. Assumed:
    both kinds of logs are public (ShareGPT asks 20 tokens a turn without it, 822 with it)."""
    p_pivot: float = 0.08
    """Share of requests that go to a new model from a day after its release on."""


class Actor:
    """A persona or an attacker; the base is an honest account on its own."""

    parameters: ClassVar[type[Settings]] = Volume
    least: ClassVar[int] = 2
    most: ClassVar[int] = 200_000
    pace: ClassVar[arrivals.Pace] = arrivals.Runs()
    habits: ClassVar[Habits] = Habits()
    kinds: ClassVar[tuple[str, ...]] = ("chat_first", "chat_later")
    """What is asked; with two, the second in later turns of a conversation."""

    def cast(self, crowd: Crowd, parameters: Any) -> Crowd:
        """Settle lives and timetables."""
        return crowd

    def identity(self, crowd: Crowd, parameters: Any) -> identity.Identity:
        """Decide who the accounts are."""
        return identity.server(crowd)

    def count(self, crowd: Crowd, parameters: Any) -> Counts:
        """Decide how many requests each account sends."""
        return arrivals.volumes(
            crowd, median=parameters.requests, sigma=parameters.spread, least=self.least, most=self.most
        )

    def volume(self, crowd: Crowd, parameters: Any) -> tuple[float, float]:
        """Declare the mean and the variance of the requests of all accounts together, by law and not by draw."""
        mean, variance = arrivals.volume_moments(
            median=parameters.requests, sigma=parameters.spread, least=self.least, most=self.most
        )
        return len(crowd) * mean, len(crowd) * variance

    def pace_of(self, parameters: Any) -> arrivals.Pace:
        """Choose the pace."""
        return self.pace

    def visits(self, crowd: Crowd, parameters: Any, n_requests: Counts) -> Visits:
        """Decide when they come; each account depends on itself only."""
        return self.pace_of(parameters).visits(crowd, n_requests)

    def ask(self, crowd: Crowd, parameters: Any, visits: Visits) -> Asked:
        """Say what is asked in some visits; each depends on its own member, ordinal and time only."""
        places = kinds.numbers(self.kinds)
        later = (visits.turn > 0) & (len(places) > 1)
        return Asked(places[later.astype(np.int64)], crowd.keys[visits.member], visits.ordinal)

    def members(self, crowd: Crowd, parameters: Any) -> Flags:
        """Say which accounts take part in a campaign."""
        return np.zeros(len(crowd), dtype=np.bool_)

    def end_users(self, crowd: Crowd, parameters: Any) -> Counts:
        """Say for how many people each account asks; one asks for itself."""
        return np.ones(len(crowd), dtype=np.int64)

    def campaigns(self, crowd: Crowd, parameters: Any) -> tuple[str, ...]:
        """Name the campaign of each account, were it a member."""
        return (crowd.name,) * len(crowd)


def by_account(crowd: Crowd, visits: Visits, chosen: tuple[str, ...], p: tuple[float, ...]) -> Counts:
    """Give every account one of several kinds to keep to."""
    kept = crowd.streams.choice(crowd.keys, "kind kept", weights=p)
    places: Counts = kinds.numbers(chosen)[kept][visits.member]
    return places


def asked_again(crowd: Crowd, visits: Visits, p: Reals | float) -> Counts:
    """Number the texts so that a share of later turns, or of requests that stand alone, asks the one before again."""
    again = crowd.streams.chance(crowd.keys[visits.member], "asks again", visits.ordinal, p=p)
    follows = (visits.turn > 0) | ((visits.session == visits.ordinal) & (visits.ordinal > 0))
    return visits.ordinal - (again & follows)


def shared_keys(crowd: Crowd, size: int, what: str) -> tuple[Keys, Counts]:
    """Divide a crowd into groups of neighbours; gives each account's group key and group number."""
    group = crowd.positions // size
    return member_keys(f"{crowd.name}/{what}", int(group.max(initial=0)) + 1)[group], group
