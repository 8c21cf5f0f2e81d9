"""Teams of agents that feed each other: very short pauses, long loops, any hour. Sub-Poisson and legitimate."""

from simulations.crowd import Crowd
from simulations.personas.coding_agent import CodingAgent, CodingAgentParameters
from simulations.traffic import arrivals, identity


class AgentTeam(CodingAgent):
    """Agents that work for each other. Calls 0.3 to 1.1 s apart (tau-bench, mini-SWE)."""

    pace = arrivals.Runs(length=33.0, pause_s=0.9, pause_sigma=0.44, pace_sigma=0.5, hour=None)

    def identity(self, crowd: Crowd, parameters: CodingAgentParameters) -> identity.Identity:
        """Give agents a few hosts."""
        return identity.server(crowd)
