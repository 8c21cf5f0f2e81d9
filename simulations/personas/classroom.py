"""Classes: pupils behind one address, at one timetable, with one template. Honest, and as much in step as a fleet."""

from dataclasses import replace

from pydantic import Field

from simulations.actors import Actor, Volume, shared_keys
from simulations.crowd import Asked, Crowd, Visits
from simulations.traffic import arrivals, identity, kinds


class ClassroomParameters(Volume):
    """What a cohort of classes may set."""

    requests: float = Field(40.0, gt=0, le=1e6, description="median requests of an account over the log")
    spread: float = Field(0.5, ge=0, le=3, description="sigma of the logarithm of requests")
    size: int = Field(24, ge=2, le=500, description="pupils of a class")


class Classroom(Actor):
    """Classes on one address and one template."""

    parameters = ClassroomParameters
    most = 3000
    pace = arrivals.Runs(
        length=6.0, pause_s=70.0, hour=10.5, hour_spread=1.5, zone_spread=0.5, weekend=0.01, is_common=True, late_s=90.0
    )
    kinds = ("lesson",)

    def cast(self, crowd: Crowd, parameters: ClassroomParameters) -> Crowd:
        """Give every class its timetable."""
        return replace(crowd, schedules=shared_keys(crowd, parameters.size, "class")[0])

    def identity(self, crowd: Crowd, parameters: ClassroomParameters) -> identity.Identity:
        """Put a class behind one address, paid by the school."""
        teams = shared_keys(crowd, parameters.size, "class")[1]
        return identity.in_teams(crowd, identity.person(crowd), teams, kind="office")

    def ask(self, crowd: Crowd, parameters: ClassroomParameters, visits: Visits) -> Asked:
        """Fill the class's template; every pupil asks something else."""
        owner = crowd.schedules[visits.member]
        item = crowd.positions[visits.member] * 2**32 + visits.ordinal
        return Asked(kinds.numbers(self.kinds * len(visits)), owner, item)
