"""Products that move to a new model on its release day, as everybody does who follows the news."""

from simulations.actors import Habits
from simulations.personas.product_backend import ProductBackend


class ReleaseChaser(ProductBackend):
    """Products that pivot on release day; needs the scenario's `release_day`."""

    habits = Habits(p_pivot=0.55)
