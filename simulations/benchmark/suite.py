"""What a benchmark measures: detectors, scenarios with permanent ids, evidence levels and seeds, read from TOML."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field

from detector.errors import ConfigError, InputUnreadableError, nearest
from detector.settings import Settings, overlay, parse_assignments, read_toml
from simulations.benchmark.costs import COSTS
from simulations.benchmark.metrics import METRICS
from simulations.settings import ScenarioSettings, load_complete, scenario_of

#: A scenario's name and version; what an id stands for never changes, a change makes the next version.
ID = r"^[a-z][a-z0-9_]{0,39}@[1-9][0-9]{0,3}$"
#: What a detector is called in outputs: nothing that markup or a shell could take for more.
CALLED = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$"
#: The scope of figures over all scenarios.
ALL = "all"
#: Suites of our own: in a checkout, and beside this module where it is installed.
SHIPPED = (Path(__file__).parents[2] / "configs" / "benchmarks", Path(__file__).parent / "suites")


class DetectorSpec(Settings):
    """A detector that takes part: by name, as a class of the user's, or as a command."""

    id: str = Field(pattern=CALLED, description="what outputs call it; unique")
    name: str | None = Field(None, description="registered here, by entry point, or pyod:NAME")
    object: str | None = Field(None, description="module:Class, made with the parameters")
    command: tuple[str, ...] = Field((), description="program; {features} and {scores} become CSV files")
    model: Path | None = Field(None, description="model file of the combined detector")
    parameters: dict[str, float | int | str | bool] = Field(default_factory=dict)


class Exclusion(Settings):
    """What is not measured, and why; `*` stands for anything."""

    detector: str = "*"
    scenario: str = "*"
    levels: tuple[int, ...] = Field((), description="none is every level")
    reason: str = Field(min_length=10)


class Floor(Settings):
    """A figure that must be reached whatever the baseline says."""

    detector: str
    metric: str
    scenario: str = ALL
    level: int
    value: float = Field(description="the worst value that passes")


class GateSettings(Settings):
    """What fails the gate besides figures."""

    timings: bool = Field(False, description="costs, beside a baseline of the same machine")


class LibraryScenario(Settings):
    """A scenario of the library, or a labelled log; exactly one of `cohorts` and `log` says what it holds."""

    id: str = Field(pattern=ID)
    title: str
    crowd: str | None = Field(None, description="honest customers, a table of [crowds]")
    days: float = Field(14.0, gt=0, le=400)
    starts_at: AwareDatetime | None = None
    release_day: float | None = None
    cohorts: tuple[dict[str, Any], ...] = ()
    log: Path | None = Field(None, description="folder of events and truth")


class SuiteSettings(Settings):
    """A suite."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    version: int = Field(ge=1)
    library: Path | None = Field(None, description="file of scenarios, as seen from the suite's folder")
    replay: Path | None = Field(None, description="folder of labelled logs, each a folder of events and truth")
    scenarios: tuple[str, ...] = Field(("*",), description="ids; * is all of the library")
    seeds: tuple[int, ...] = Field((1,), min_length=1)
    levels: tuple[int, ...] = Field((3,), min_length=1, description="evidence levels, 1 to 4")
    looks_days: float | None = Field(None, gt=0, description="days between looks; none does not look as logs grow")
    looked_at: tuple[str, ...] = Field((), description="scenarios that are looked at as they grow")
    budget: float = Field(1e-3, gt=0, le=0.5)
    fdr: float = Field(0.05, gt=0, lt=1)
    capacity_per_10000: float = Field(50.0, gt=0, description="accounts of 10,000 that reviewers open (chosen)")
    timeout_s: float = Field(120.0, gt=0, description="that a detector may take for a log")
    detectors: tuple[DetectorSpec, ...] = Field(min_length=1)
    exclusions: tuple[Exclusion, ...] = ()
    floors: tuple[Floor, ...] = ()
    tolerances: dict[str, float] = Field(default_factory=dict, description="metric -> instead of its own")
    gate: GateSettings = GateSettings()
    notes: tuple[str, ...] = Field((), description="metrics that are told and never fail the gate")


class Suite(Settings):
    """A suite with its scenarios spelled out."""

    settings: SuiteSettings
    scenarios: dict[str, ScenarioSettings | Path]
    titles: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of what makes two runs comparable; detectors may differ, they are what is compared."""
        own = self.settings.model_dump(mode="json", include={"name", "version", "budget", "fdr", "capacity_per_10000"})
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()

    def excluded(self, detector: str, scenario: str, level: int) -> str:
        """Give the reason why something is not measured, or nothing."""
        for one in self.settings.exclusions:
            fits = fnmatchcase(detector, one.detector) and fnmatchcase(scenario, one.scenario)
            if fits and (not one.levels or level in one.levels):
                return one.reason
        return ""


def find_suite(given: Path) -> Path:
    """Find a suite by its file, or one of ours by its name.

    Raises
    ------
    ConfigError
        There is neither.
    """
    if given.suffix == ".toml":
        return given
    for folder in SHIPPED:
        if (found := folder / f"{given}.toml").is_file():
            return found
    names = {path.stem for folder in SHIPPED for path in folder.glob("*.toml") if path.stem != "scenarios"}
    raise ConfigError(f"{str(given)!r}: no suite of ours; {nearest(str(given), names)}, or give a file")


def detector_named(text: str) -> DetectorSpec:
    """Turn what ``--detector`` gives into a spec: module:Class, or a name.

    Examples
    --------
    >>> detector_named("mine.rules:Fast").object, detector_named("pyod:hbos").name
    ('mine.rules:Fast', 'pyod:hbos')
    """
    is_object = ":" in text and not text.startswith("pyod:")
    key = "object" if is_object else "name"
    return load_complete(DetectorSpec, {"id": text, key: text}, where=f"--detector {text!r}")


def read_suite(given: Path, *, assignments: Iterable[str] = (), detectors: Iterable[str] = ()) -> Suite:
    """Read a suite and its scenarios.

    Parameters
    ----------
    given: file, or the name of one of ours.
    assignments: ``key=value`` laid over the file.
    detectors: that take part besides.

    Raises
    ------
    ConfigError
        A key is unknown, a scenario or metric has no such name, an id is used twice, or nothing is left to measure.
    InputUnreadableError
        The folder of a replay holds no labelled log.
    """
    path = find_suite(given)
    values = overlay(read_toml(path), parse_assignments(assignments))
    settings = load_complete(SuiteSettings, values, where=str(path))
    settings = settings.model_copy(update={"detectors": (*settings.detectors, *map(detector_named, detectors))})
    _check(settings, str(path))
    known = _library(path.parent / settings.library) if settings.library else {}
    if settings.replay is not None:
        known |= _replays(settings.replay)
    wanted = list(known) if settings.scenarios == ("*",) else list(settings.scenarios)
    for name in (*wanted, *settings.looked_at, *(f.scenario for f in settings.floors if f.scenario != ALL)):
        if name not in known:
            raise ConfigError(f"{path}: scenario {name!r} is unknown; {nearest(name, known)}")
    if not wanted:
        raise ConfigError(f"{path}: no scenario; give a library, or --set replay=DIR with labelled logs")
    made = {name: one.log or _made(one, crowds) for name, (one, crowds) in known.items() if name in wanted}
    return Suite(settings=settings, scenarios=made, titles={name: known[name][0].title for name in wanted})


def _check(settings: SuiteSettings, where: str) -> None:
    ids = [one.id for one in settings.detectors]
    for one in settings.detectors:
        if ids.count(one.id) > 1:
            raise ConfigError(f"{where}: detector {one.id!r} takes part twice; give each its own id")
        if sum((one.name is not None, one.object is not None, bool(one.command))) != 1:
            raise ConfigError(f"{where}: detector {one.id!r}: give exactly one of name, object and command")
    floored = [floor.metric for floor in settings.floors]
    for metric in (*settings.tolerances, *settings.notes, *floored):
        known = METRICS if metric in floored else {*METRICS, *COSTS}
        if metric not in known:
            raise ConfigError(f"{where}: metric {metric!r} is unknown; {nearest(metric, known)}")
    for floor in settings.floors:
        if floor.detector not in ids:
            hint = nearest(floor.detector, ids)
            raise ConfigError(f"{where}: floors: detector {floor.detector!r} is unknown; {hint}")
    for level in settings.levels:
        if level not in (1, 2, 3, 4):
            raise ConfigError(f"{where}: levels: {level!r} is no evidence level of requests; allowed: 1 to 4")


Known = dict[str, tuple[LibraryScenario, Mapping[str, Any]]]


def _library(path: Path) -> Known:
    values = read_toml(path)
    for key in values:
        if key not in ("crowds", "scenarios"):
            raise ConfigError(f"{path}: unknown key {key!r}; {nearest(key, ('crowds', 'scenarios'))}")
    known: Known = {}
    for number, table in enumerate(values.get("scenarios", [])):
        one = load_complete(LibraryScenario, table, where=f"{path}: scenarios[{number}]")
        if one.id in known:
            raise ConfigError(f"{path}: scenario {one.id!r} is there twice; give the second a version of its own")
        crowds = values.get("crowds", {})
        if one.crowd is not None and one.crowd not in crowds:
            raise ConfigError(f"{path}: {one.id}: crowd {one.crowd!r} is unknown; {nearest(one.crowd, crowds)}")
        known[one.id] = (one, crowds)
    return known


def _made(one: LibraryScenario, crowds: Mapping[str, Any]) -> ScenarioSettings:
    honest = crowds[one.crowd]["cohorts"] if one.crowd else []
    name, _, version = one.id.partition("@")
    values: dict[str, Any] = {"name": f"{name}_v{version}", "starts_at": one.starts_at or "2026-03-02T00:00:00Z"}
    values |= {"days": one.days, "release_day": one.release_day, "cohorts": [*one.cohorts, *honest]}
    return scenario_of(values, where=one.id)


def seed_of(scenario: str, seed: int) -> int:
    """Derive the seed of a log, so that no two scenarios share their honest accounts."""
    return int.from_bytes(hashlib.sha256(f"{scenario}/{seed}".encode()).digest()[:7])


def _replays(folder: Path) -> Known:
    from simulations.benchmark.transfer import found_in

    if not folder.is_dir():
        raise InputUnreadableError(f"{folder}: is no folder; give one that holds a folder for each labelled log")
    logs = [one for one in sorted(folder.iterdir()) if found_in(one, "events") and found_in(one, "truth")]
    if not logs:
        raise InputUnreadableError(f"{folder}: holds no folder with events and truth; give labelled logs")
    values = [{"id": f"{one.name}@1", "title": "A labelled log.", "log": one} for one in logs]
    return {str(v["id"]): (load_complete(LibraryScenario, v, where=str(v["log"])), {}) for v in values}
