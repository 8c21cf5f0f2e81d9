"""Frozen settings of a scenario. TOML in; an unknown key, persona or attacker is an error naming the nearest one.

Precedence, lowest first: defaults here, the scenario file, ``--set``, options of the command.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field

from detector.errors import ConfigError, nearest
from detector.settings import Settings, load, overlay, parse_assignments, read_toml
from simulations.giveaways import JUDGED
from simulations.roster import actor_of

NAME = r"^[a-z][a-z0-9_]{0,63}$"

S = TypeVar("S", bound=BaseModel)


class PromptSettings(Settings):
    """Where the texts of a cohort come from."""

    corpus: Path = Field(description="Parquet file with a text column `prompt`; its path is as seen from the shell")


class CohortSettings(Settings):
    """A number of accounts that behave alike. Exactly one of `persona` and `attacker` names how."""

    name: str = Field(pattern=NAME, description="unique; the accounts' draws are keyed by it")
    persona: str | None = Field(None, description="a registered honest persona")
    attacker: str | None = Field(None, description="a registered attacker")
    accounts: int = Field(ge=0, le=10_000_000, description="accounts at scale 1")
    prompts: PromptSettings | None = Field(None, description="texts of your own; none is ours")
    parameters: dict[str, Any] = Field(default_factory=dict, description="of that persona or attacker")

    @property
    def kind(self) -> str:
        """Name of the persona or attacker."""
        return self.persona or self.attacker or ""


class ScenarioSettings(Settings):
    """What a simulated log holds."""

    name: str = Field(pattern=NAME)
    seed: int = Field(0, ge=0, lt=2**63, description="equal seeds give equal bytes")
    starts_at: AwareDatetime = Field(description="first instant of the log")
    days: float = Field(gt=0, le=3660)
    scale: float = Field(1.0, gt=0, le=1e6, description="multiplies the accounts of every cohort, rounded up")
    text: bool = Field(True, description="write prompts; without, the log is the same but for the text columns")
    release_day: float | None = Field(None, ge=0, description="day on which a new model comes out; none is none")
    max_tree_auc: float = Field(0.9, ge=0.5, le=1, description="what a depth-2 tree on raw columns may reach")
    declares: tuple[str, ...] = Field((), description="columns that a campaign shows by what it does; audited apart")
    cohorts: tuple[CohortSettings, ...] = ()

    def n_accounts(self, cohort: CohortSettings) -> int:
        """Accounts of a cohort at this scale."""
        return math.ceil(cohort.accounts * self.scale)


def load_complete(model: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """Check values against a settings model, missing keys first.

    Raises
    ------
    ConfigError
        A key is missing or unknown, or a value is out of range.
    """
    for key, field in model.model_fields.items():
        if field.is_required() and key not in values:
            raise ConfigError(f"{where}: {key!r} is missing; give {key} = ...")
    return load(model, values, where=where)


def scenario_of(values: Mapping[str, Any], *, where: str) -> ScenarioSettings:
    """Check nested values, cohort by cohort, against the registered personas and attackers.

    Parameters
    ----------
    values: nested settings, as TOML gives them.
    where: file that the values came from, for the error.

    Returns
    -------
    The scenario, with every parameter of every cohort spelled out.

    Raises
    ------
    ConfigError
        A key, persona, attacker or declared column is unknown, a value is out of range, or nobody is left to simulate.
    """
    listed = values.get("cohorts", [])
    if not isinstance(listed, list) or not all(isinstance(cohort, Mapping) for cohort in listed):
        raise ConfigError(f"{where}: cohorts = {listed!r}: give each cohort as a [[cohorts]] table")
    cohorts = tuple(_cohort_of(cohort, f"{where}: cohorts[{i}]") for i, cohort in enumerate(listed))
    twice = [name for name, n in Counter(cohort.name for cohort in cohorts).items() if n > 1]
    if twice:
        raise ConfigError(f"{where}: cohorts: name = {twice[0]!r} is used twice; give every cohort its own name")
    if not any(cohort.accounts for cohort in cohorts):
        raise ConfigError(f"{where}: cohorts: no cohort has accounts; give at least one with accounts >= 1")
    rest = {key: value for key, value in values.items() if key != "cohorts"}
    scenario = load_complete(ScenarioSettings, rest, where=where)
    for column in scenario.declares:
        if column not in JUDGED:
            raise ConfigError(f"{where}: declares: {column!r} is no column that is audited; {nearest(column, JUDGED)}")
    return scenario.model_copy(update={"cohorts": cohorts})


def _cohort_of(values: Mapping[str, Any], where: str) -> CohortSettings:
    cohort = load_complete(CohortSettings, values, where=where)
    actor = actor_of(persona=cohort.persona, attacker=cohort.attacker, where=where)
    parameters = load_complete(actor.parameters, cohort.parameters, where=f"{where}.parameters")
    return cohort.model_copy(update={"parameters": parameters.model_dump(mode="json")})


def read_scenario(path: Path, *, seed: int | None = None, assignments: Iterable[str] = ()) -> ScenarioSettings:
    """Read a scenario file and lay ``--set`` and ``--seed`` over it.

    ``cohorts.NAME.key=value`` changes the cohort of that name.

    Raises
    ------
    ConfigError
        The file cannot be read, or `scenario_of` refuses its values.
    """
    values = read_toml(path)
    changes = parse_assignments(assignments)
    cohort_changes = changes.pop("cohorts", {})
    values = overlay(values, changes)
    if cohort_changes:
        values["cohorts"] = _change_cohorts(values.get("cohorts", []), cohort_changes)
    if seed is not None:
        values["seed"] = seed
    return scenario_of(values, where=str(path))


def _change_cohorts(cohorts: Any, changes: Any) -> list[Any]:
    names = [cohort.get("name", "") for cohort in cohorts if isinstance(cohort, Mapping)]
    if not isinstance(changes, Mapping):
        raise ConfigError(f"--set cohorts={changes!r}: give it as cohorts.NAME.key=value; {nearest('', names)}")
    for name in changes:
        if name not in names:
            raise ConfigError(f"--set cohorts.{name}: no cohort has this name; {nearest(name, names)}")
        if not isinstance(changes[name], Mapping):
            raise ConfigError(f"--set cohorts.{name}={changes[name]!r}: give it as cohorts.{name}.key=value")
    return [overlay(cohort, changes.get(cohort.get("name"), {})) for cohort in cohorts]
