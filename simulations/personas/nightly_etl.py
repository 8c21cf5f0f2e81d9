"""Nightly jobs: the same digest at the same hour every night."""

from simulations.personas.labelling import Labelling
from simulations.traffic import arrivals


class NightlyEtl(Labelling):
    """Jobs at a fixed hour of the night."""

    pace = arrivals.Runs(
        length=60.0,
        pause_s=0.8,
        pause_sigma=0.5,
        pace_sigma=0.7,
        hour=2.5,
        hour_spread=0.05,
        zone_spread=2.0,
        weekend=1.0,
    )
    kinds = ("digest",)
    weights = (1.0,)
    p_two_jobs = 0.0
