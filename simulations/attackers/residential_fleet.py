"""A fleet at home addresses with payments of its own each: nothing is shared but the work."""

from pydantic import Field

from simulations.attackers.fleet import Fleet, FleetParameters


class ResidentialFleetParameters(FleetParameters):
    """What a cohort of them may set; a cohort is one campaign."""

    payments: int = Field(0, ge=0, le=1_000_000, description="payment instruments that the accounts divide; 0: own")
    exits: int = Field(0, ge=0, le=1_000_000, description="networks that the traffic leaves by; 0: nothing shared")
    residential_share: float = Field(1.0, ge=0, le=1, description="share of accounts that mostly use a home address")
    joins_days: float = Field(60.0, gt=0, le=1000, description="mean spread of the sign-ups [days]")


class ResidentialFleet(Fleet):
    """A fleet at home addresses with payments of its own each: nothing is shared but the work."""

    parameters = ResidentialFleetParameters
