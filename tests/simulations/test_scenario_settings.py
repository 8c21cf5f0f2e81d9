"""A wrong scenario is refused with file, key, value and what is allowed."""

from pathlib import Path
from typing import Any

import pytest

from detector.errors import ConfigError
from simulations.settings import read_scenario, scenario_of
from simulations.toml_text import toml_text

PEOPLE: dict[str, Any] = {"name": "people", "persona": "hobby_chat", "accounts": 2}
BASE: dict[str, Any] = {"name": "tiny", "starts_at": "2026-03-02T00:00:00Z", "days": 7, "cohorts": [PEOPLE]}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({**BASE, "dayz": 3}, r"s\.toml: unknown key 'dayz'; nearest: 'days'"),
    "no days": ({**BASE, "days": 0}, r"s\.toml: days = 0: .*greater than 0"),
    "missing key": ({"name": "x"}, r"s\.toml: cohorts: no cohort has accounts; give at least one"),
    "missing days": ({k: v for k, v in BASE.items() if k != "days"}, r"s\.toml: 'days' is missing"),
    "naive time": ({**BASE, "starts_at": "2026-03-02T00:00:00"}, r"starts_at = .*timezone"),
    "name": ({**BASE, "name": "Über"}, r"s\.toml: name = 'Über': .*pattern"),
    "cohorts": ({**BASE, "cohorts": 3}, r"cohorts = 3: give each cohort as a \[\[cohorts\]\] table"),
    "twice": ({**BASE, "cohorts": [PEOPLE, PEOPLE]}, r"cohorts: name = 'people' is used twice"),
    "nobody": ({**BASE, "cohorts": [{**PEOPLE, "accounts": 0}]}, r"no cohort has accounts"),
    "negative": ({**BASE, "cohorts": [{**PEOPLE, "accounts": -1}]}, r"cohorts\[0\]: accounts = -1: .*or equal to 0"),
    "cohort key": (
        {**BASE, "cohorts": [{**PEOPLE, "acounts": 1}]},
        r"cohorts\[0\]: unknown key 'acounts'; nearest: 'accounts'",
    ),
    "persona": (
        {**BASE, "cohorts": [{**PEOPLE, "persona": "hoby_chat"}]},
        r"cohorts\[0\]: persona = 'hoby_chat' is unknown; nearest: 'hobby_chat'",
    ),
    "attacker": (
        {**BASE, "cohorts": [{"name": "x", "attacker": "fleets", "accounts": 1}]},
        r"attacker = 'fleets' is unknown; nearest: 'fleet'",
    ),
    "both": ({**BASE, "cohorts": [{**PEOPLE, "attacker": "fleet"}]}, r"exactly one of 'persona' and 'attacker'"),
    "parameter": (
        {**BASE, "cohorts": [{**PEOPLE, "parameters": {"team_shar": 0.1}}]},
        r"cohorts\[0\]\.parameters: unknown key 'team_shar'; nearest: 'team_share'",
    ),
    "declared": ({**BASE, "declares": ["ansn"]}, r"declares: 'ansn' is no column that is audited; nearest: 'asn'"),
    "share": (
        {**BASE, "cohorts": [{**PEOPLE, "parameters": {"team_share": 1.5}}]},
        r"cohorts\[0\]\.parameters: team_share = 1\.5: .*less than or equal to 1",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_scenario_is_refused(name: str) -> None:
    """Each mistake is one ConfigError that names the place, the value and what would be right."""
    values, text = WRONG[name]
    with pytest.raises(ConfigError, match=text):
        scenario_of(values, where="s.toml")


def test_parameters_are_spelled_out() -> None:
    """A checked scenario names every parameter, so that the resolved file needs no defaults."""
    assert scenario_of(BASE, where="s.toml").cohorts[0].parameters["team_size"] == 8


def test_resolved_scenario_reads_back(tmp_path: Path) -> None:
    """What is written as resolved is the same scenario again."""
    scenario = scenario_of(BASE, where="s.toml")
    file = tmp_path / "resolved.toml"
    file.write_text(toml_text(scenario.model_dump()), encoding="utf-8")
    assert scenario == read_scenario(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A scenario file."""
    path = tmp_path / "s.toml"
    path.write_text(toml_text(scenario_of(BASE, where="s.toml").model_dump()), encoding="utf-8")
    return path


def test_assignments_reach_a_cohort_by_name(file: Path) -> None:
    """``--set`` and ``--seed`` win over the file."""
    changed = read_scenario(file, seed=9, assignments=["cohorts.people.parameters.team_size=3", "days=2"])
    assert (changed.seed, changed.days, changed.cohorts[0].parameters["team_size"]) == (9, 2.0, 3)


@pytest.mark.parametrize(
    ("assignment", "text"),
    [
        ("cohorts.peple.accounts=3", r"cohorts\.peple: no cohort has this name; nearest: 'people'"),
        ("cohorts=3", r"cohorts=3: give it as cohorts\.NAME\.key=value"),
        ("cohorts.people=3", r"cohorts\.people=3: give it as cohorts\.people\.key=value"),
    ],
)
def test_wrong_assignment_is_refused(file: Path, assignment: str, text: str) -> None:
    """An assignment to no cohort names the nearest."""
    with pytest.raises(ConfigError, match=text):
        read_scenario(file, assignments=[assignment])


def test_scale_rounds_up() -> None:
    """A small scale leaves no cohort empty."""
    scenario = scenario_of({**BASE, "scale": 0.1}, where="s.toml")
    assert scenario.n_accounts(scenario.cohorts[0]) == 1
