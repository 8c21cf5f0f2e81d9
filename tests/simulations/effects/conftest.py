"""Worlds with every effect in them, and audits of their logs as they were made or broken."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest

from simulations.audit import Audit
from simulations.settings import scenario_of
from simulations.spill import Records
from simulations.world import World, build

Change = Callable[[Records, pa.Table], tuple[Records, pa.Table]]
COHORTS: tuple[dict[str, Any], ...] = (
    {"name": "people", "persona": "hobby_chat", "accounts": 40},
    {"name": "sampled", "attacker": "resampling", "accounts": 3, "parameters": {"requests": 300, "repeats": 8}},
    {"name": "in_step", "attacker": "lockstep_fleet", "accounts": 10, "parameters": {"per_day": 30}},
    {"name": "slow", "attacker": "low_slow", "accounts": 40, "parameters": {"per_day": 8}},
    {"name": "hydra", "attacker": "hydra", "accounts": 40, "parameters": {"per_day": 10, "life_days": 2.0}},
    {"name": "frame", "attacker": "framing", "accounts": 20, "parameters": {"victims": 3}},
)
MOVERS: tuple[dict[str, Any], ...] = (
    {"name": "chasers", "persona": "release_chaser", "accounts": 12, "parameters": {"requests": 900}},
    {"name": "movers", "attacker": "model_pivot", "accounts": 20, "parameters": {"per_day": 40}},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {"name": "talkers", "persona": "hobby_chat", "accounts": 320, "parameters": {"team_share": 0.4}},
    {"name": "office", "persona": "office", "accounts": 60, "parameters": {"size": 20, "requests": 20}},
    {"name": "pupils", "persona": "classroom", "accounts": 48, "parameters": {"requests": 10}},
    {"name": "products", "persona": "product_backend", "accounts": 80, "parameters": {"requests": 60}},
    {"name": "relays", "persona": "reseller", "accounts": 12, "parameters": {"requests": 300, "customers": 40}},
    {"name": "labels", "persona": "labelling", "accounts": 30, "parameters": {"requests": 200}},
    {"name": "incoming", "persona": "labelling", "accounts": 10, "parameters": {"requests": 80, "pace": "stream"}},
    {
        "name": "bulk", "attacker": "bulk_harvest", "accounts": 30,
        "parameters": {"requests": 150, "generator_share": 0.3, "answers": ["collected", "reasoning"]},
    },
    {
        "name": "narrowing", "attacker": "fleet", "accounts": 60,
        "parameters": {"per_day": 20, "exits": 3, "phase_two": "reasoning", "cover_share": 0.2},
    },
    {"name": "homes", "attacker": "residential_fleet", "accounts": 40, "parameters": {"per_day": 6}},
)  # fmt: skip


@dataclass(frozen=True)
class Audited:
    """Audits the log of a world, as it was made or broken."""

    world: World
    chunks: tuple[tuple[Records, pa.Table], ...]

    def cohort(self, records: Records, name: str) -> Any:
        """Tell which rows are of a cohort."""
        names = [cast.settings.name for cast in self.world.casts]
        first, end = self.world.population.firsts[names.index(name) : names.index(name) + 2]
        return (records["account"] >= first) & (records["account"] < end)

    def report(
        self, change: Change | None = None, *, accounts: Callable[[pa.Table], pa.Table] | None = None,
        **declared: dict[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        """Audit the log after a change, against what cohorts declare, changed too; and with other accounts."""
        casts = tuple(
            replace(cast, parameters=cast.parameters.model_copy(update=declared.get(cast.settings.name, {})))
            for cast in self.world.casts
        )
        audit = Audit(replace(self.world, casts=casts))
        for records, events in self.chunks:
            audit.add(*(change(records.copy(), events) if change else (records, events)))
        known = self.world.accounts()
        return audit.report(accounts(known) if accounts else known, self.world.truth())

    def broken(
        self, change: Change | None = None, *, accounts: Callable[[pa.Table], pa.Table] | None = None,
        **declared: dict[str, Any],
    ) -> set[tuple[str, str]]:  # fmt: skip
        """List the effects that are not there."""
        report = self.report(change, accounts=accounts, **declared)
        missing = {(check["cohort"], check["effect"]) for check in report["effects"] if not check["is_there"]}
        assert not missing or not report["is_clean"]
        return missing


def audit_of(cohorts: tuple[dict[str, Any], ...], **values: Any) -> Audited:
    """Make a week and its audit."""
    base = {"name": "effects", "seed": 5, "starts_at": "2026-03-02T00:00:00Z", "days": 7}
    world = build(scenario_of({**base, "cohorts": list(cohorts), **values}, where="test"))
    return Audited(world, tuple(world.rows()))


@pytest.fixture(scope="session")
def audited() -> Audited:
    """The audit of a week with every effect but those of a release."""
    return audit_of(COHORTS)


@pytest.fixture(scope="session")
def released() -> Audited:
    """The audit of a week with a release on its third day."""
    return audit_of(MOVERS, release_day=3)


@pytest.fixture(scope="session")
def others() -> Audited:
    """The audit of a week with teams, relays, jobs, stages, exits and a second phase."""
    return audit_of(OTHERS, text=False)
