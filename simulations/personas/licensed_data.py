"""Teams that make synthetic data under a licence: what a harvest does, by name, on one account, and allowed."""

from simulations.actors import Habits
from simulations.personas.labelling import Labelling
from simulations.traffic import arrivals


class LicensedData(Labelling):
    """Licensed makers of synthetic data; allowed, so honest."""

    pace = arrivals.Runs(most_runs=8, pause_s=2.0, pause_sigma=0.8, pace_sigma=0.8, hour=None)
    habits = Habits(model_weights=(0.5, 0.35, 0.15), p_choices=0.1, p_retries=0.9)
    kinds = ("licensed_data",)
    weights = (1.0,)
    p_two_jobs = 0.0
