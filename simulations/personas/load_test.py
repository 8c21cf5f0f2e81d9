"""Load tests: one short storm of the same request, as regular as a harvest and worth nothing."""

from simulations.personas.labelling import Labelling
from simulations.traffic import arrivals


class LoadTest(Labelling):
    """Storms of one request."""

    pace = arrivals.Runs(most_runs=2, pause_s=0.08, pause_sigma=0.3, pace_sigma=0.5, hour=None)
    kinds = ("ping",)
    weights = (1.0,)
    p_two_jobs = 0.0
