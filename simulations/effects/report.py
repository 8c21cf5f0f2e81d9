"""All manipulation checks of a log. A new effect costs a module and a line here."""

from typing import Any, Protocol

import pyarrow as pa

from simulations.effects.checks import Check
from simulations.effects.cover import Cover
from simulations.effects.framing import Framing
from simulations.effects.gathered import Found, Gathering
from simulations.effects.hydra import Hydra
from simulations.effects.lockstep import Lockstep
from simulations.effects.model_pivot import ModelPivot
from simulations.effects.payments import Payments
from simulations.effects.resampling import Resampling
from simulations.effects.volume import Volume
from simulations.population import Cast
from simulations.spill import Records
from simulations.world import World


class Effect(Protocol):
    """Something that cohorts declare and a log shows."""

    reads_rows: bool
    """Whether the checks read rows; counts are there for every cohort."""

    def applies(self, cast: Cast) -> bool:
        """Tell whether a cohort declares the effect."""
        ...

    def checks(self, found: Found) -> list[Check]:
        """Compare what was declared with what was found."""
        ...


EFFECTS: tuple[Effect, ...] = (
    Volume(), Cover(), Payments(), Lockstep(), Resampling(), Hydra(), Framing(), ModelPivot(),
)  # fmt: skip


class Effects:
    """Collects what the checks need, chunk by chunk."""

    def __init__(self, world: World) -> None:
        """Begin the checks of a log."""
        self._world = world
        watched = tuple(any(effect.reads_rows and effect.applies(cast) for effect in EFFECTS) for cast in world.casts)
        self._gathering = Gathering(world, watched)

    @property
    def n_extraction(self) -> int:
        """Count the requests that serve a harvest."""
        return self._gathering.n_extraction

    def add(self, records: Records, events: pa.Table) -> None:
        """Take in the next rows of the log."""
        self._gathering.add(records, events)

    def report(self) -> list[dict[str, Any]]:
        """Compare what was declared with what was found, cohort by cohort."""
        rows = []
        for place, cast in enumerate(self._world.casts):
            found = self._gathering.found(place)
            for effect in EFFECTS:
                if effect.applies(cast):
                    rows += [check.row(cast.settings.name) for check in effect.checks(found)]
        return rows
