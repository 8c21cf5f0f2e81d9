"""The world of a rehearsal: the scenario's accounts, and behind them those that campaigns may still open."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from detector.errors import ConfigError, nearest
from detector.progress import Tell, silent
from simulations.actors import MOST_REQUESTS
from simulations.loop.attack import AttackSettings, PathwaySettings
from simulations.population import Cast, account_table
from simulations.roster import actor_of
from simulations.settings import CohortSettings, ScenarioSettings
from simulations.streams import Counts
from simulations.traffic.names import account_ids
from simulations.world import WORKERS, World, build, crowd_of

#: When accounts were opened that no campaign has opened during the log.
BEFORE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Stage:
    """Everybody who acts or may act."""

    world: World
    volumes: tuple[Counts, ...]
    """Of each cast, requests that its accounts would send in the whole log."""
    campaign_of_cast: tuple[str | None, ...]
    """Of each cast, the campaign that it belongs to; None for honest ones."""
    reserves: Mapping[str, tuple[int, ...]]
    """Of each campaign, the casts of accounts that it may open, in the order of the pathways."""
    born_us: Counts
    """Shape (n_accounts,): when accounts are opened, since the log began [us]; those there before it have `BEFORE`."""

    @property
    def n_first_casts(self) -> int:
        """Count the casts of the scenario itself."""
        return len(self.campaign_of_cast) - sum(len(places) for places in self.reserves.values())

    @property
    def names(self) -> pa.Array:
        """Ids of all accounts, by number."""
        return account_ids(self.world.population.keys, self.world.scenario.seed)

    def accounts(self) -> pa.Table:
        """Give what is known of all accounts besides their requests, by number."""
        tables = [account_table(cast, np.ones(len(cast.crowd), np.bool_)) for cast in self.world.casts]
        return pa.concat_tables(tables).combine_chunks()


def open_stage(
    scenario: ScenarioSettings,
    attack: AttackSettings,
    *,
    folder: Path | None = None,
    workers: int = WORKERS,
    tell: Tell = silent,
) -> Stage:
    """Build the world of a scenario with the accounts that its campaigns may still open behind it.

    Raises
    ------
    ConfigError
        A pathway changes a parameter that no attacker of the scenario has, or to a value that one does not take.
    ImpossibleRequestError
        See `world.build`.
    """
    cohorts = [cohort for cohort in scenario.cohorts if cohort.accounts]
    campaigns = [cohort for cohort in cohorts if cohort.attacker is not None]
    _check_parameters(campaigns, attack)
    asked = [(c, p) for c in campaigns for p in attack.pathways] if attack.is_adaptive else []
    drawn = [
        _reserve(scenario, cohort, pathway, _first(scenario, cohort, attack, pathway)) for cohort, pathway in asked
    ]
    world = build(scenario, folder=folder, workers=workers, tell=tell, reserves=tuple(cast for cast, _ in drawn))
    first = len(cohorts)
    reserves: dict[str, tuple[int, ...]] = {cohort.name: () for cohort in campaigns}
    for place, (cohort, _) in enumerate(asked, start=first):
        reserves[cohort.name] += (place,)
    volumes = [_whole_log(cast) for cast in world.casts[:first]] + [volume for _, volume in drawn]
    of_cast = [cohort.name if cohort.attacker else None for cohort in cohorts] + [cohort.name for cohort, _ in asked]
    return Stage(world, tuple(volumes), tuple(of_cast), reserves, np.full(len(world.population), BEFORE, np.int64))


def _check_parameters(campaigns: list[CohortSettings], attack: AttackSettings) -> None:
    """Refuse a parameter that no attacker of the scenario has."""
    actors = [actor_of(persona=cohort.persona, attacker=cohort.attacker) for cohort in campaigns]
    known = sorted({name for actor in actors for name in actor.parameters.model_fields})
    for pathway in attack.pathways if campaigns else ():
        for name in pathway.parameters:
            if name not in known:
                raise ConfigError(
                    f"attack: pathway {pathway.name!r}: no attacker of the scenario has a parameter {name!r}; "
                    f"{nearest(name, known)}"
                )


def _whole_log(cast: Cast) -> Counts:
    lives = np.maximum(cast.crowd.ends_s - cast.crowd.begins_s, 1.0)
    whole: Counts = np.ceil(cast.n_requests * (cast.crowd.horizon.length_s / lives)).astype(np.int64)
    return np.minimum(whole, MOST_REQUESTS)


def _n_reserve(scenario: ScenarioSettings, cohort: CohortSettings, pathway: PathwaySettings) -> int:
    return int(np.ceil(scenario.n_accounts(cohort) * pathway.pool))


def _first(scenario: ScenarioSettings, cohort: CohortSettings, attack: AttackSettings, pathway: PathwaySettings) -> int:
    """Give the place of a pathway's first account: places follow one another, so no two members share a prompt."""
    before = attack.pathways[: attack.pathways.index(pathway)]
    return scenario.n_accounts(cohort) + sum(_n_reserve(scenario, cohort, earlier) for earlier in before)


def _reserve(
    scenario: ScenarioSettings, cohort: CohortSettings, pathway: PathwaySettings, first: int
) -> tuple[Cast, Counts]:
    """Cast accounts that send nothing yet, and say how much they would send in the whole log."""
    actor = actor_of(persona=cohort.persona, attacker=cohort.attacker)
    known = {name: value for name, value in pathway.parameters.items() if name in actor.parameters.model_fields}
    try:
        parameters = actor.parameters.model_validate({**cohort.parameters, **known})
    except ValueError as error:
        raise ConfigError(f"attack: pathway {pathway.name!r}: {cohort.kind} does not take {known!r}") from error
    n = _n_reserve(scenario, cohort, pathway)
    crowd = crowd_of(scenario, cohort, first, n, name=f"{cohort.name}/way/{pathway.name}" if known else None)
    idle = np.zeros(n, np.int64)
    cast = Cast(
        cohort, actor, parameters, crowd, actor.identity(crowd, parameters), idle, actor.members(crowd, parameters)
    )
    volumes = np.minimum(actor.count(crowd, parameters), MOST_REQUESTS)
    return replace(cast, crowd=replace(crowd, name=cohort.name)), volumes
