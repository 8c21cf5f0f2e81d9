"""Suites: ours are whole and permanent, wrong ones are answered with the nearest name."""

import pkgutil
from pathlib import Path

import pytest

from detector.detectors.registry import DETECTORS
from detector.errors import ConfigError, InputUnreadableError
from simulations.benchmark.digests import digest
from simulations.benchmark.suite import Suite, find_suite, read_suite, seed_of
from simulations.benchmark.workloads import hidden_at
from simulations.roster import ATTACKERS
from simulations.settings import ScenarioSettings
from tests.simulations.benchmark.conftest import SUITE

#: What each id stands for. A changed scenario gets the next version and a line here; no line ever changes.
PERMANENT: dict[str, str] = {
    "lone_bulk@1": "a206690b21b8c0c3",
    "lone_small@1": "eaeb6f891dbf1352",
    "lone_sampling@1": "51224623a05f40f0",
    "fleet@1": "293bb76de45502b4",
    "lockstep@1": "840816492d36c881",
    "hidden@1": "930c2ce1de35654b",
    "hydra@1": "3a6ccb5923eb4ef6",
    "framing@1": "ceb88ab506673ab1",
    "honest_machines@1": "d291f4b5d35e920b",
    "honest_groups@1": "85ad487a00abba35",
}


def shipped(name: str) -> Suite:
    """One of our suites."""
    return read_suite(Path(name))


@pytest.mark.parametrize("name", ["smoke", "ci", "full"])
def test_ours_read(name: str) -> None:
    """Each is named as its file, has scenarios with and without a harvest, and the default detector."""
    suite = shipped(name)
    assert suite.settings.name == name == find_suite(Path(name)).stem
    harvests = {any(c.attacker for c in s.cohorts) for s in suite.scenarios.values() if isinstance(s, ScenarioSettings)}
    assert harvests == {True, False}
    assert "combined" in {spec.id for spec in suite.settings.detectors}


@pytest.mark.parametrize("name", ["ci", "full"])
def test_every_attacker_meets_every_detector(name: str) -> None:
    """Each pair is measured at some level; what is left out has its reason in the suite."""
    suite = shipped(name)
    met = {
        (cohort.attacker, spec.name)
        for scenario, made_of in suite.scenarios.items()
        if isinstance(made_of, ScenarioSettings)
        for cohort in made_of.cohorts
        for spec in suite.settings.detectors
        if any(not suite.excluded(spec.id, scenario, level) for level in suite.settings.levels)
    }
    assert {(attacker, detector) for attacker in ATTACKERS for detector in DETECTORS} <= met


def test_every_pyod_model_is_in_full_or_left_out_with_a_reason() -> None:
    """No model that is installed is forgotten; modules that are no detectors are."""
    import pyod.models

    no_detectors = {
        "base",
        "base_dl",
        "gaal_base",
        "sklearn_base",
        "combination",
        "thresholds",
        "embedding",
        "audio_ae",
    }
    modules = {module.name for module in pkgutil.iter_modules(pyod.models.__path__)}
    found = {name for name in modules if not name.startswith("_")}
    suite = shipped("full")
    measured = {spec.name for spec in suite.settings.detectors}
    models = {f"pyod:{name}" for name in found - no_detectors}
    assert models <= measured | {name for name in models if suite.excluded(name, "fleet@1", 3)}
    assert len(measured & models) >= 15


def test_what_an_id_stands_for_never_changes() -> None:
    """A scenario of the library is what it was when its id was given."""
    suite = shipped("full")
    found = {name: digest(made.model_dump(mode="json"))[:16] for name, made in suite.scenarios.items()}
    assert found == PERMANENT


def test_no_two_logs_share_their_accounts() -> None:
    """Seeds of logs differ between scenarios and between seeds of a suite."""
    suite = shipped("full")
    seeds = {seed_of(name, seed) for name in suite.scenarios for seed in suite.settings.seeds}
    assert len(seeds) == len(suite.scenarios) * len(suite.settings.seeds)


def test_a_level_hides_what_it_lacks() -> None:
    """Requests alone name no network, payment or text; level 4 hides nothing."""
    assert {"ip", "payment_id", "prompt", "completion"} <= hidden_at(1)
    assert hidden_at(2) >= {"prompt"} and "ip" not in hidden_at(2)
    assert hidden_at(3) == {"completion"} and not hidden_at(4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ('scenarios=["lood@1"]', r"scenario 'lood@1' is unknown; nearest: 'loud@1'"),
        ("tolerances.recall_flaged=0.1", "metric 'recall_flaged' is unknown; nearest: 'recall_flagged'"),
        ("sceanrios=[]", "unknown key 'sceanrios'; nearest: 'scenarios'"),
        ('floors=[{detector="mien", metric="pair_f1", level=3, value=0.5}]', "'mien' is unknown; nearest: 'mine'"),
        ('detectors=[{id="a", name="rules"}, {id="a", name="ecod"}]', "detector 'a' takes part twice"),
        ('detectors=[{id="a"}]', "give exactly one of name, object and command"),
        ("levels=[0]", "0 is no evidence level of requests"),
    ],
)
def test_wrong_suites_are_refused(suite_folder: Path, change: str, match: str) -> None:
    """Each error says where, what came and what is allowed."""
    with pytest.raises(ConfigError, match=match):
        read_suite(suite_folder / "suite.toml", assignments=[change])


def test_wrong_names_and_folders_are_refused(tmp_path: Path) -> None:
    """An unknown suite names the nearest; a replay without a log says what to give."""
    with pytest.raises(ConfigError, match="nearest: 'smoke'"):
        find_suite(Path("smok"))
    with pytest.raises(ConfigError, match="no scenario"):
        shipped("replay")
    with pytest.raises(InputUnreadableError, match="holds no folder with events and truth"):
        read_suite(Path("replay"), assignments=[f"replay={tmp_path}"])
    (tmp_path / "suite.toml").write_text(SUITE.replace("library.toml", "absent.toml"), encoding="utf-8")
    with pytest.raises(ConfigError, match="absent"):
        read_suite(tmp_path / "suite.toml")
