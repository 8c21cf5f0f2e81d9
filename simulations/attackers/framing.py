"""A fleet that makes strangers look like members: it pays with their instruments and leaves by their addresses."""

from dataclasses import replace

import numpy as np
from pydantic import Field

from simulations.attackers.fleet import Fleet, FleetParameters
from simulations.crowd import Asked, Crowd, Visits
from simulations.personas.hobby_chat import chat
from simulations.streams import Flags
from simulations.traffic import identity

#: Place of the address that a member borrows among its own.
BORROWED_SLOT = 3


class FramingParameters(FleetParameters):
    """What a framing fleet may set; a cohort is one campaign with its victims."""

    victims: int = Field(2, ge=1, le=1000, description="honest accounts, first of the cohort, that are framed")


class Framing(Fleet):
    """Members that frame honest accounts."""

    parameters = FramingParameters

    def identity(self, crowd: Crowd, parameters: FleetParameters) -> identity.Identity:
        """Let every member borrow one victim's payment and first address."""
        shared, own = super().identity(crowd, parameters), identity.person(crowd)
        member, n_victims = self.members(crowd, parameters), int((~self.members(crowd, parameters)).sum())
        whose = crowd.streams.integers(crowd.keys, "whose", below=max(n_victims, 1))
        networks, addresses = shared.networks.copy(), shared.addresses.copy()
        networks[:, BORROWED_SLOT], addresses[:, BORROWED_SLOT] = own.networks[whose, 0], own.addresses[whose, 0]
        networks[~member], addresses[~member] = own.networks[~member], own.addresses[~member]
        return replace(
            shared,
            payment=own.payment[np.where(member, whose, crowd.positions)],
            created_s=np.where(member, shared.created_s, own.created_s),
            client=np.where(member, shared.client, own.client),
            networks=networks,
            addresses=addresses,
        )

    def ask(self, crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Asked:
        """Harvest as a member, chat as a victim."""
        member = self.members(crowd, parameters)[visits.member]
        works, talks = super().ask(crowd, parameters, visits), chat(crowd, visits, self.kinds)
        return Asked(
            np.where(member, works.kind, talks.kind),
            np.where(member, works.owner, talks.owner),
            np.where(member, works.item, talks.item),
        )

    def members(self, crowd: Crowd, parameters: FleetParameters) -> Flags:
        """Count all but the victims as the campaign's."""
        victims = parameters.victims if isinstance(parameters, FramingParameters) else 0
        is_member: Flags = crowd.positions >= victims
        return is_member
