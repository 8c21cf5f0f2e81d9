"""Bots: a group's questions, or a person's, sent by a program from a home or a rented host. Single and messy."""

from pydantic import Field

from simulations.actors import Actor, Habits, Volume
from simulations.crowd import Asked, Crowd, Visits
from simulations.personas.reseller import relayed
from simulations.traffic import arrivals, identity


class ChatBotParameters(Volume):
    """What a cohort of bots may set."""

    requests: float = Field(70.0, gt=0, le=1e6, description="median requests of an account over the log")
    spread: float = Field(1.2, ge=0, le=3, description="sigma of the logarithm of requests")
    people: int = Field(12, ge=1, le=100_000, description="people who ask the bot")


class ChatBot(Actor):
    """Programs that pass on what people ask, as machines come and without a conversation."""

    parameters = ChatBotParameters
    least = 5
    most = 20_000
    pace = arrivals.Bursts(daily=1.5)
    habits = Habits(p_retries=0.8, talk_weights=(1.0, 0.0, 0.0))

    def identity(self, crowd: Crowd, parameters: ChatBotParameters) -> identity.Identity:
        """Give bots their maker's places and clients."""
        return identity.developer(crowd)

    def ask(self, crowd: Crowd, parameters: ChatBotParameters, visits: Visits) -> Asked:
        """Let one of the people ask."""
        return relayed(crowd, visits, parameters.people, self.kinds)
