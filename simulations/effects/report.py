"""All manipulation checks of a log. A new effect costs a module and a line here."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol

import pyarrow as pa

from simulations.actors import Actor
from simulations.effects.checks import Check
from simulations.effects.cover import Cover
from simulations.effects.customers import Customers
from simulations.effects.exits import Exits
from simulations.effects.framing import Framing
from simulations.effects.gathered import Found, Gathering
from simulations.effects.habits import Habits
from simulations.effects.hydra import Hydra
from simulations.effects.joins import Joins
from simulations.effects.lockstep import Lockstep
from simulations.effects.model_pivot import ModelPivot
from simulations.effects.pace import Pace
from simulations.effects.payments import Payments
from simulations.effects.phases import Phases
from simulations.effects.resampling import Resampling
from simulations.effects.spread import Spread
from simulations.effects.stages import Stages
from simulations.effects.teams import Teams
from simulations.effects.volume import Volume
from simulations.effects.writers import Writers
from simulations.population import Cast
from simulations.spill import Records
from simulations.world import World


class Effect(Protocol):
    """Something that cohorts declare and a log shows."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of cohorts, or habits of actors, that the effect checks."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns of `Rows` that the checks read beside account and time; counts are there for every cohort."""
        ...

    @property
    def silence(self) -> str:
        """Why a cohort that has the parameters may have no check."""
        ...

    def applies(self, cast: Cast) -> bool:
        """Tell whether a cohort declares the effect."""
        ...

    def checks(self, found: Found) -> list[Check]:
        """Compare what was declared with what was found."""
        ...


EFFECTS: tuple[Effect, ...] = (
    Volume(), Spread(), Cover(), Stages(), Phases(), Payments(), Exits(), Joins(), Teams(), Customers(), Writers(),
    Pace(), Lockstep(), Resampling(), Hydra(), Framing(), ModelPivot(), Habits(),
)  # fmt: skip
#: What no check reads, and why.
UNCHECKED: Mapping[str, str] = {
    "model_weights": "accounts keep to the preferred model at rates of their own",
    "limit_weights": "a limit far below the answers of a kind is mostly left out",
    "talk_weights": "what is sent along is a part of the tokens asked, which differ by more",
    "p_retries": "a later try is known from the truth only, which it would be held against",
}


class Effects:
    """Collects what the checks need, chunk by chunk."""

    def __init__(self, world: World) -> None:
        """Begin the checks of a log."""
        self._world = world
        self._gathering = Gathering(world, tuple(map(_read, world.casts)))

    @property
    def n_extraction(self) -> int:
        """Count the requests that serve a harvest."""
        return self._gathering.n_extraction

    def add(self, records: Records, events: pa.Table) -> None:
        """Take in the next rows of the log."""
        self._gathering.add(records, events)

    def report(self, accounts: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Compare what was declared with what was found, cohort by cohort.

        Parameters
        ----------
        accounts: the accounts' table that goes with the log.

        Returns
        -------
        JSON-ready: the checks; and each parameter of a cohort that none of them is about, with the reason.
        """
        known, rows, unchecked = self._gathering.known(accounts), [], []
        for place, cast in enumerate(self._world.casts):
            found, checked = self._gathering.found(place, known), set[str]()
            for effect in EFFECTS:
                checks = effect.checks(found) if effect.applies(cast) else []
                rows += [check.row(cast.settings.name) for check in checks]
                checked.update(effect.parameters if checks else ())
            unchecked += [
                {"cohort": cast.settings.name, "parameter": name, "reason": "; ".join(reasons(name))}
                for name in declared_by(cast.actor)
                if name not in checked
            ]
        return rows, unchecked


def declared_by(actor: Actor) -> tuple[str, ...]:
    """Name the parameters that cohorts of an actor may set, then the habits that it has."""
    return (*actor.parameters.model_fields, *(field.name for field in fields(actor.habits)))


def reasons(parameter: str) -> list[str]:
    """Say why a parameter may have no check; empty where neither a check nor a reason is known."""
    known = [UNCHECKED[parameter]] if parameter in UNCHECKED else []
    return known + [effect.silence for effect in EFFECTS if parameter in effect.parameters]


def _read(cast: Cast) -> frozenset[str]:
    return frozenset(name for effect in EFFECTS if effect.applies(cast) for name in effect.reads)
