"""The contract of personas and attackers: who they are, when they come, what they ask.

An actor holds no state: all it knows is the crowd it plays and the parameters of the cohort.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from detector.settings import Settings
from simulations.crowd import Crowd, Requests, Visits
from simulations.streams import Flags
from simulations.traffic.identity import Identity


@dataclass(frozen=True)
class Plan:
    """Everything about a crowd that is settled before any text is written."""

    visits: Visits
    is_extraction: Flags
    """Shape (n_visits,): whether the request serves a harvest."""
    identity: Identity
    model_weights: tuple[float, float, float]
    """How often members prefer the large, the medium and the small model."""
    campaigns: tuple[str | None, ...]
    """Campaign of each member; None for honest accounts."""


class Actor(Protocol):
    """A persona or an attacker."""

    @property
    def parameters(self) -> type[Settings]:
        """Settings model of what a cohort may set."""

    def plan(self, crowd: Crowd, parameters: Any) -> Plan:
        """Decide who the members are and when they come."""

    def ask(self, crowd: Crowd, parameters: Any, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits; each depends on its own member and ordinal only."""


def honest(n: int) -> tuple[None, ...]:
    """Name no campaign for n members."""
    return (None,) * n
