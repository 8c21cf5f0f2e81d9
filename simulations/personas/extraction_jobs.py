"""Jobs that turn documents into records: one template, middling answers."""

from simulations.personas.labelling import Labelling


class ExtractionJobs(Labelling):
    """Jobs that turn documents into records: one template, middling answers."""

    kinds = ("extraction", "extraction_bare")
