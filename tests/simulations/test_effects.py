"""A declared effect that is not in the log breaks the audit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulations.audit import Audit
from simulations.settings import ScenarioSettings
from simulations.world import World, build

Scenario = Callable[..., ScenarioSettings]


def audited(world: World, judged: World) -> dict[str, Any]:
    """Audit the log of one world against what another declares."""
    audit = Audit(judged)
    for records, events in world.rows():
        audit.add(records, events)
    return audit.report(world.accounts(), world.truth())


def broken(report: dict[str, Any]) -> set[tuple[str, str]]:
    """The effects that are not there."""
    return {(check["cohort"], check["effect"]) for check in report["effects"] if not check["is_there"]}


def test_declared_effects_are_there(small: ScenarioSettings) -> None:
    """A log as it was made has every effect."""
    world = build(small)
    assert broken(audited(world, world)) == set()


@pytest.mark.parametrize(
    ("change", "effect"),
    [({"cover_share": 0.9}, "cover share"), ({"payments": 2}, "payment instruments")],
)
def test_missing_effect_is_found(small: ScenarioSettings, change: dict[str, Any], effect: str) -> None:
    """A fleet that declares another share of cover or other payments than it has is found out."""
    world = build(small)
    casts = tuple(
        replace(cast, parameters=cast.parameters.model_copy(update=change)) if cast.settings.name == "fleet" else cast
        for cast in world.casts
    )
    report = audited(world, replace(world, casts=casts))
    assert broken(report) == {("fleet", effect)}
    assert not report["is_clean"]


def test_pivot_is_measured(make_scenario: Scenario) -> None:
    """After a release, the share that moved is found, and nobody has used the model before."""
    cohorts = [
        {"name": "chasers", "persona": "release_chaser", "accounts": 12, "parameters": {"requests": 900}},
        {"name": "movers", "attacker": "model_pivot", "accounts": 20},
    ]
    world = build(make_scenario(cohorts=cohorts, release_day=2, text=False))
    checks = audited(world, world)["effects"]
    moved = {check["cohort"]: check["found"] for check in checks if check["effect"] == "share on the new model"}
    assert moved == {"chasers": pytest.approx(0.55, abs=0.07), "movers": pytest.approx(0.6, abs=0.07)}
    assert [check["found"] for check in checks if check["effect"] == "new model before its release"] == [0, 0]


def test_counts_that_do_not_add_up_are_found(small: ScenarioSettings) -> None:
    """A truth that counts other requests than the log has breaks the audit."""
    world = build(small)
    report = audited(replace(world, n_events_of=np.maximum(world.n_events_of - 1, 1)), world)
    assert not report["counts"]["is_sound"] and not report["is_clean"]
