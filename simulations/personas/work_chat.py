"""People who chat at work: office hours, drafts and pasted text, longer conversations."""

from pydantic import Field

from simulations.actors import Actor, Volume
from simulations.crowd import Asked, Crowd, Visits
from simulations.personas.hobby_chat import chat
from simulations.traffic import arrivals, identity


class WorkChatParameters(Volume):
    """What a cohort of professionals may set."""

    requests: float = Field(60.0, gt=0, le=1e6, description="median requests of an account over the log")


class WorkChat(Actor):
    """People who chat at work."""

    parameters = WorkChatParameters
    most = 6000
    pace = arrivals.Runs(
        length=3.6,
        hour=13.0,
        hour_spread=2.6,
        zone_spread=1.5,
        weekend=0.15,
        pace_sigma=0.35,
        pause_sigma=arrivals.PEOPLE_PAUSE_SIGMA,
    )
    kinds = ("work_first", "work_later")

    def identity(self, crowd: Crowd, parameters: WorkChatParameters) -> identity.Identity:
        """Give people a home and an office."""
        return identity.developer(crowd)

    def ask(self, crowd: Crowd, parameters: WorkChatParameters, visits: Visits) -> Asked:
        """Ask for drafts, then for changes."""
        return chat(crowd, visits, self.kinds)
