"""Coding agents: closed loops of calls as fast as the model answers. Smoother than chance, and legitimate."""

from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.crowd import Crowd
from simulations.traffic import arrivals, identity


class CodingAgentParameters(Volume):
    """What a cohort of agents may set."""

    requests: float = Field(400.0, gt=0, le=1e7, description="median requests of an account over the log")
    spread: float = Field(1.2, ge=0, le=3, description="sigma of the logarithm of requests")


class CodingAgent(Actor):
    """Agents that work for one developer. 20 to 33 calls a session, 5.6 s apart with tools (Magentic-One)."""

    parameters = CodingAgentParameters
    least = 15
    pace = arrivals.Runs(length=26.0, pause_s=4.0, pause_sigma=0.42, pace_sigma=0.8, hour=15.0, weekend=0.5)
    habits = Habits(model_weights=(0.6, 0.3, 0.1), p_pivot=0.3, p_retries=0.95)
    kinds = ("agent_step",)

    def identity(self, crowd: Crowd, parameters: CodingAgentParameters) -> identity.Identity:
        """Give agents their developer's place."""
        return identity.developer(crowd)
