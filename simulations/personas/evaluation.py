"""Evaluation harnesses: a benchmark swept question by question, some graded by log-probabilities, some with reasoning.

The same kind of text as a harvest of reasoning; what differs is that nobody hides.
"""

from simulations.actors import Habits
from simulations.personas.labelling import POOL_SIGMA, Labelling
from simulations.traffic import arrivals


class Evaluation(Labelling):
    """Harnesses; ten threads at once, as the tools in use have."""

    pace = arrivals.Runs(most_runs=6, pause_s=0.3, pause_sigma=POOL_SIGMA, pace_sigma=0.6, hour=None)
    habits = Habits(
        limit_weights=(0.25, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05), p_logprobs=0.4, p_choices=0.15, p_pivot=0.4, p_retries=0.9
    )
    kinds = ("exam", "exam_free")
    weights = (0.6, 0.4)
