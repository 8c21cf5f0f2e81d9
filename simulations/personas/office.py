"""An office: everybody behind one address, one payment and one organisation, at one company's hours."""

import numpy as np
from pydantic import Field

from simulations.crowd import Crowd
from simulations.personas.work_chat import WorkChat, WorkChatParameters
from simulations.traffic import identity


class OfficeParameters(WorkChatParameters):
    """What a cohort of offices may set."""

    size: int = Field(25, ge=2, le=5000, description="accounts of one office")


class Office(WorkChat):
    """Offices on one payment."""

    parameters = OfficeParameters

    def identity(self, crowd: Crowd, parameters: WorkChatParameters) -> identity.Identity:
        """Put everybody of an office behind one address and payment."""
        size = parameters.size if isinstance(parameters, OfficeParameters) else len(crowd)
        teams = np.asarray(crowd.positions // size)
        return identity.in_teams(crowd, identity.developer(crowd), teams, kind="office")
