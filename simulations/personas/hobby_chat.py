"""People who chat: sessions at human hours, messy text about a few subjects, some in teams behind one address."""

import numpy as np
from pydantic import Field

from detector.settings import Settings
from simulations.actors import Plan, honest
from simulations.crowd import Crowd, Requests, Visits
from simulations.streams import Counts, Flags
from simulations.traffic import arrivals, identity, lengths, prompts
from simulations.traffic.pen import Pen

#: Median answer to a chat turn [tokens] (ShareGPT: log-normal, mu 5.42).
ANSWER_MEDIAN = 226.0


class HobbyChatParameters(Settings):
    """What a cohort of chatting people may set."""

    requests: float = Field(18.0, gt=0, le=1e6, description="median requests of an account over the log")
    spread: float = Field(1.1, ge=0, le=3, description="sigma of the logarithm of requests")
    team_share: float = Field(0.15, ge=0, le=1, description="share of accounts that sit in teams")
    team_size: int = Field(8, ge=2, le=500, description="accounts behind one payment and office address")


class HobbyChat:
    """People who chat."""

    parameters = HobbyChatParameters

    def plan(self, crowd: Crowd, parameters: HobbyChatParameters) -> Plan:
        """Decide who the members are and when they come."""
        n_requests = arrivals.volumes(crowd, median=parameters.requests, sigma=parameters.spread, least=2, most=3000)
        visits = arrivals.sessions(crowd, n_requests)
        return Plan(
            visits=visits,
            is_extraction=np.zeros(len(visits), dtype=np.bool_),
            identity=identity.in_teams(crowd, person(crowd), _teams(crowd, parameters), kind="office"),
            model_weights=(0.25, 0.45, 0.30),
            campaigns=honest(len(crowd)),
        )

    def ask(self, crowd: Crowd, parameters: HobbyChatParameters, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits."""
        return talk(crowd, visits)


def person(crowd: Crowd) -> identity.Identity:
    """Give every account a home, a phone and, rarely, a rented server."""
    return identity.strangers(
        crowd,
        kinds=("home", "carrier", "carrier", "office", "cloud"),
        slot_weights=(0.70, 0.14, 0.08, 0.05, 0.03),
        clients=identity.CLIENTS_OF_PEOPLE,
        plans=(0.35, 0.50, 0.10, 0.05),
        is_sticky=True,
    )


def talk(crowd: Crowd, visits: Visits) -> Requests:
    """Write a person's turns; conversations carry their history along."""
    keys = crowd.keys[visits.member]
    prompt = prompts.chat(Pen(crowd.streams, keys, visits.ordinal), visits.turn)
    chars = prompts.n_chars(prompt)
    return Requests(
        prompt=prompt,
        system_prompt=prompts.nothing(len(visits)),
        answer_tokens=lengths.answers(crowd.streams, keys, visits.ordinal, median=ANSWER_MEDIAN, chars=chars),
        history_tokens=lengths.histories(crowd.streams, keys, visits),
    )


def _teams(crowd: Crowd, parameters: HobbyChatParameters) -> Counts:
    team = crowd.positions // parameters.team_size
    first = np.full(len(crowd), crowd.group[0])
    sits = crowd.streams.chance(first, "is a team", team, p=parameters.team_share)
    return np.where(sits, team, -1)
