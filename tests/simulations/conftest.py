"""Small scenarios for the tests."""

from collections.abc import Callable
from typing import Any

import pytest

from simulations.settings import ScenarioSettings, scenario_of

COHORTS: tuple[dict[str, Any], ...] = (
    {"name": "people", "persona": "hobby_chat", "accounts": 40},
    {"name": "products", "persona": "product_backend", "accounts": 6, "parameters": {"requests": 120}},
    {"name": "labels", "persona": "labelling", "accounts": 4, "parameters": {"requests": 90}},
    {"name": "bulk", "attacker": "bulk_harvest", "accounts": 3, "parameters": {"requests": 200, "repeats": 2}},
    {"name": "fleet", "attacker": "fleet", "accounts": 12, "parameters": {"per_day": 10, "pace": "lockstep"}},
)


Scenario = Callable[..., ScenarioSettings]


@pytest.fixture(scope="session")
def make_scenario() -> Scenario:
    """Makes scenarios of a few thousand requests; `without` leaves a cohort out."""

    def make(*, without: str = "", **values: Any) -> ScenarioSettings:
        base = {"name": "small", "seed": 5, "starts_at": "2026-03-02T00:00:00Z", "days": 7}
        cohorts = [cohort for cohort in COHORTS if cohort["name"] != without]
        return scenario_of({**base, "cohorts": cohorts, **values}, where="test")

    return make


@pytest.fixture(scope="session")
def small(make_scenario: Scenario) -> ScenarioSettings:
    """Every persona and attacker, some 3,000 requests."""
    return make_scenario()
