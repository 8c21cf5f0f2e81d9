"""Jobs that translate: a template with an example, answers as long as what is asked."""

from simulations.personas.labelling import Labelling


class Translation(Labelling):
    """Jobs that translate: a template with an example, answers as long as what is asked."""

    kinds = ("translation", "translation_bare")
