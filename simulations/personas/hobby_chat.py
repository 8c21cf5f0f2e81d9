"""People who chat: sessions at human hours, messy text about a few subjects, some in teams behind one address."""

import numpy as np
from pydantic import Field

from simulations.actors import Actor, Habits, Volume, asked_again
from simulations.crowd import Asked, Crowd, Visits
from simulations.streams import Counts
from simulations.traffic import arrivals, identity, kinds

#: Share of later turns that ask the one before again (real chats: 7 % of turns, follow-ups included).
P_REPEAT = 0.06


class HobbyChatParameters(Volume):
    """What a cohort of chatting people may set."""

    requests: float = Field(18.0, gt=0, le=1e6, description="median requests of an account over the log")
    spread: float = Field(1.1, ge=0, le=3, description="sigma of the logarithm of requests")
    team_share: float = Field(0.15, ge=0, le=1, description="share of accounts that sit in teams")
    team_size: int = Field(8, ge=2, le=500, description="accounts behind one payment and office address")


class HobbyChat(Actor):
    """People who chat."""

    parameters = HobbyChatParameters
    most = 3000
    pace = arrivals.PEOPLE
    habits = Habits(model_weights=(0.25, 0.45, 0.30))

    def identity(self, crowd: Crowd, parameters: HobbyChatParameters) -> identity.Identity:
        """Give people a home; let some sit in teams."""
        return identity.in_teams(crowd, identity.person(crowd), _teams(crowd, parameters), kind="office")

    def ask(self, crowd: Crowd, parameters: HobbyChatParameters, visits: Visits) -> Asked:
        """Chat, and ask some things again."""
        return chat(crowd, visits, self.kinds)


def chat(crowd: Crowd, visits: Visits, pair: tuple[str, ...]) -> Asked:
    """Let people talk: an opening, later turns, and now and then the same again."""
    item = asked_again(crowd, visits, P_REPEAT)
    opens = visits.turn == 0
    before_opens = visits.turn - (visits.ordinal - item) == 0
    first, later = kinds.numbers(pair)
    kind = np.where(opens | before_opens, first, later)
    return Asked(kind, crowd.keys[visits.member], item)


def _teams(crowd: Crowd, parameters: HobbyChatParameters) -> Counts:
    team = crowd.positions // parameters.team_size
    first = np.full(len(crowd), crowd.group[0])
    sits = crowd.streams.chance(first, "is a team", team, p=parameters.team_share)
    return np.where(sits, team, -1)
