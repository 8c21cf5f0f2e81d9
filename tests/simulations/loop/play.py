"""Rehearsals for tests: a small world, a defender who is told what to recommend, and what came of it as tables."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.settings import load
from simulations.columns import whole
from simulations.loop.attack import AttackSettings
from simulations.loop.defence import DefenceSettings
from simulations.loop.engine import STEP_US, Looking, Loop, look_afresh
from simulations.loop.keys import DAY_US, REVOKE
from simulations.loop.outcome import outcome_of
from simulations.loop.stage import Stage, open_stage
from simulations.loop.watch import Look
from simulations.settings import ScenarioSettings, scenario_of

PEOPLE = {"name": "people", "persona": "hobby_chat", "accounts": 24, "parameters": {"requests": 24}}
PRODUCTS = {"name": "products", "persona": "product_backend", "accounts": 3, "parameters": {"requests": 120}}
BULK = {"name": "bulk", "attacker": "bulk_harvest", "accounts": 2, "parameters": {"requests": 200, "repeats": 2}}
FLEET = {
    "name": "fleet",
    "attacker": "fleet",
    "accounts": 8,
    "parameters": {"per_day": 40, "pace": "steady", "payments": 2, "exits": 2, "cover_share": 0.2},
}
COHORTS: tuple[dict[str, Any], ...] = (PEOPLE, PRODUCTS, BULK, FLEET)
#: Reviewers who never err and look at once.
SURE = {"p_misses": 0.0, "p_wrongs": 0.0, "delay_days": 0.0}
#: Nothing but the recommendations of a test changes a key.
QUIET: Mapping[str, Any] = {
    "indicators": {"revoked_before_verify": 0},
    "appeals": {"p_appeals": 0.0, "p_attacker_appeals": 0.0},
}
OBSERVE = {name: {"at_once": "observe", "confirmed": "observe"} for name in ("review", "throttle", "revoke")}


def world_of(cohorts: Sequence[Mapping[str, Any]] = COHORTS, **values: Any) -> ScenarioSettings:
    """A scenario of five days and some 2,500 requests."""
    base = {"name": "small", "seed": 5, "starts_at": "2026-03-02T00:00:00Z", "days": 5, "text": False}
    return scenario_of({**base, "cohorts": [dict(cohort) for cohort in cohorts], **values}, where="test")


def defence_of(**values: Any) -> DefenceSettings:
    """A defence, checked as one from a file is."""
    return load(DefenceSettings, {**QUIET, **values}, where="test")


def at_once(action: str, **values: Any) -> DefenceSettings:
    """Do something on every recommendation of a review, without reviewers."""
    measures = {**OBSERVE, "review": {"at_once": action, "confirmed": "observe"}}
    return defence_of(measures=measures, review={"delay_days": 60.0}, **values)


def attack_of(**values: Any) -> AttackSettings:
    """An attack, checked as one from a file is."""
    return load(AttackSettings, values, where="test")


#: Day of a look, and whom it recommends what; accounts by cohort, by number, or all that ever were.
Script = Mapping[float, tuple[Any, str]]


@dataclass(frozen=True)
class Played:
    """A rehearsal that has ended."""

    loop: Loop
    rows: pa.Table
    looks: dict[int, Look]
    """What each look found, by its time since the log began [us]."""

    @property
    def stage(self) -> Stage:
        """Everybody who acted."""
        return self.loop.stage

    @cached_property
    def names(self) -> np.ndarray:
        """Id of every account, by number."""
        return np.array(self.stage.names.to_pylist())

    @cached_property
    def log(self) -> pd.DataFrame:
        """The log, with account number, cohort's place, time in days, and day."""
        log = whole(self.rows).to_pandas()
        log["number"] = log["account_id"].map({name: n for n, name in enumerate(self.names)})
        log["cast"] = np.searchsorted(self.stage.world.population.firsts, log["number"], side="right") - 1
        log["at_us"] = log["occurred_at"].astype("int64") - self.loop.ledger.begins_us
        log["day"] = log["at_us"] // DAY_US
        return log

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """The ledger, with account number and time since the log began [us]."""
        ledger = self.loop.ledger.table().to_pandas()
        ledger["at_us"] = ledger["at"].astype("int64") - self.loop.ledger.begins_us
        ledger["number"] = ledger["account_id"].map({name: n for n, name in enumerate(self.names)})
        return ledger

    @cached_property
    def outcome(self) -> dict[str, Any]:
        """What `outcome.json` would hold; sums are checked."""
        return outcome_of(self.loop)

    def of(self, what: str) -> pd.DataFrame:
        """Rows of the ledger about one thing."""
        return self.ledger[self.ledger["what"] == what]

    def rows_of(self, *, without: Any = (), begin: float = 0.0, end: float = 1e3) -> pa.Table:
        """Rows of the log within some days, but those of some accounts."""
        kept = ~self.log["number"].isin(without) & self.log["at_us"].between(
            begin * DAY_US, end * DAY_US, inclusive="left"
        )
        return whole(self.rows).filter(pa.array(kept))

    def accounts(self, cohort: str) -> np.ndarray:
        """Numbers of a cohort's first accounts."""
        return numbers_of(self.stage, cohort)

    def sent(self, cohort: str, begin: float, end: float) -> int:
        """Requests of a cohort's first accounts within some days."""
        log = self.log[self.log["number"].isin(self.accounts(cohort))]
        return int(log["at_us"].between(begin * DAY_US, end * DAY_US, inclusive="left").sum())


def numbers_of(stage: Stage, cohort: str) -> np.ndarray:
    """Numbers of a cohort's first accounts."""
    names = [c.name for c in stage.world.scenario.cohorts if c.accounts]
    firsts = stage.world.population.firsts
    place = names.index(cohort)
    return np.arange(firsts[place], firsts[place + 1])


def scripted(loop: Loop, script: Script, *, families: str = "rate", case: str = "own") -> Looking:
    """Look as told: nobody is recommended anything but whom the script names, and may be looked at."""
    stage = loop.stage

    def looking(now_us: int, look: Callable[[], Look]) -> Look:
        who, action = script.get(now_us / DAY_US, ([], "review"))
        accounts = np.unique(numbers_of(stage, who) if isinstance(who, str) else np.asarray(who, np.int64))
        may = (loop.keys.left_alone_until_us <= now_us) & (loop.keys.state != REVOKE)
        accounts = accounts[may[accounts]]
        words = np.full(len(accounts), families, dtype=object)
        score = 5.0 - accounts / 1000.0
        cases = accounts if case == "own" else np.zeros(len(accounts), np.int64)
        return Look(len(stage.born_us), accounts, np.full(len(accounts), action), score, cases, words, words)

    return looking


def play(
    scenario: ScenarioSettings,
    defence: DefenceSettings | None = None,
    attack: AttackSettings | None = None,
    script: Script | None = None,
    **options: Any,
) -> Played:
    """Rehearse in memory; without a script the defender looks with its own eyes."""
    attack, defence = attack or attack_of(), defence or defence_of()
    stage, rows = open_stage(scenario, attack), []
    with closing(stage.world.spill):
        loop = Loop(stage, defence, attack, rows.append)
        looking = look_afresh if script is None else scripted(loop, script, **options)
        looks: dict[int, Look] = {}

        def noted(now_us: int, look: Callable[[], Look]) -> Look:
            looks[now_us] = looking(now_us, look)
            return looks[now_us]

        loop.looking = noted
        loop.run()
    return Played(loop, pa.concat_tables(rows).unify_dictionaries(), looks)


__all__ = ["STEP_US", "Played", "at_once", "attack_of", "defence_of", "numbers_of", "play", "scripted", "world_of"]
