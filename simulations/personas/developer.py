"""Developers who tinker: code and errors by day and night, and the same request again when it fails."""

from typing import Literal

from pydantic import Field

from simulations.actors import Actor, Habits, Volume, asked_again
from simulations.crowd import Asked, Crowd, Visits
from simulations.traffic import arrivals, identity, kinds

#: Share of later requests that are sent again as they were, as a script is run again: mean over accounts, which spread
#: evenly from none to twice that. Assumed.
P_RETRY = 0.25
#: What a script sends by itself: at any hour, as machines do.
SCRIPT = arrivals.Bursts(daily=1.5)


class DeveloperParameters(Volume):
    """What a cohort of developers may set."""

    requests: float = Field(90.0, gt=0, le=1e6, description="median requests of an account over the log")
    spread: float = Field(1.3, ge=0, le=3, description="sigma of the logarithm of requests")
    pace: Literal["sessions", "script"] = Field(
        "sessions", description="at the desk, or by a script that runs by itself"
    )


class Developer(Actor):
    """Developers who tinker."""

    parameters = DeveloperParameters
    most = 20_000
    pace = arrivals.Runs(length=8.0, pause_s=45.0, pause_sigma=1.3, hour=16.0, hour_spread=4.5, weekend=0.6)
    habits = Habits(
        model_weights=(0.4, 0.4, 0.2),
        p_logprobs=0.08,
        p_choices=0.08,
        p_retries=0.9,
        talk_weights=(0.5, 0.5, 0.0),
    )
    kinds = ("code_first", "code_later")

    def identity(self, crowd: Crowd, parameters: DeveloperParameters) -> identity.Identity:
        """Give developers a home and an office."""
        return identity.developer(crowd)

    def pace_of(self, parameters: DeveloperParameters) -> arrivals.Pace:
        """Sit at the desk, or let a script run."""
        return SCRIPT if parameters.pace == "script" else self.pace

    def ask(self, crowd: Crowd, parameters: DeveloperParameters, visits: Visits) -> Asked:
        """Ask, and run the script again."""
        often = crowd.streams.uniform(crowd.keys, "runs again", low=0.0, high=2.0 * P_RETRY)
        item = asked_again(crowd, visits, often[visits.member])
        opens = visits.turn <= visits.ordinal - item
        first, later = kinds.numbers(self.kinds)
        return Asked(later + (first - later) * opens, crowd.keys[visits.member], item)
