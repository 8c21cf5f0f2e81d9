"""Frozen settings of the detector. TOML in; an unknown key is an error that names the nearest key.

Precedence, lowest first: defaults here, the preset, the configuration file, ``--set``, options of the command.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from detector.errors import ConfigError, nearest

#: Share of honest accounts flagged where nothing else is asked for (chosen).
BUDGET = 1e-3
#: Keys of `PolicySettings` of which one sets the threshold.
WAYS = ("budget", "fdr", "capacity")
#: What an account can be, from the narrowest to the widest.
Rung = Literal["key", "user", "team", "organisation", "payment"]
RUNGS: tuple[str, ...] = get_args(Rung)


class Settings(BaseModel):
    """Base of all settings: frozen, strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSettings(Settings):
    """How a log is read."""

    format: str = Field("auto", description="preset name, preset file, or 'auto'")
    map: dict[str, str] = Field(
        default_factory=dict, description="canonical column, or what an account can be -> column of the log"
    )
    account_by: list[Rung] = Field(
        default_factory=list, description="what an account is, the next where one is empty; none is the preset's choice"
    )
    timezone: str | None = Field(None, description="IANA zone of timestamps that carry none")
    max_rejects: float = Field(0.01, ge=0, le=1, description="share of malformed rows above which reading stops")
    text: bool = Field(True, description="read prompt and completion text")
    batch_rows: int = Field(49_152, ge=2048, le=1_048_576, description="rows handed to the kernels at once")
    threads: int = Field(0, ge=0, le=256, description="reading, folding and linking threads; 0 is one per processor")
    memory: str = Field(
        "512MB", pattern=r"^\d+(\.\d+)?\s?(MB|GB)$", description="what the reader may hold before it spills"
    )
    process_memory: str | None = Field(
        None,
        pattern=r"^\d+(\.\d+)?\s?(MB|GB)$",
        description="what the process may hold: reader and batches shrink to fit, and a log that cannot is refused; "
        "none is no limit",
    )
    temp: str | None = Field(None, description="folder for what is spilled to disk; none is the system's place")
    keep_s: float = Field(
        30.0,
        ge=0,
        description="seconds of reading after which what was read is kept beside the output, so that a run that is cut "
        "off goes on there; 0 is as often as can be (chosen: a short run keeps nothing)",
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "InputSettings":
        if self.account_by and "account_id" in self.map:
            raise ValueError("account_by and a mapped account_id both say what an account is; give one of them")
        if len(set(self.account_by)) < len(self.account_by):
            raise ValueError("account_by names something twice; name each once")
        return self

    @property
    def n_threads(self) -> int:
        """Give how many threads work."""
        return self.threads or os.cpu_count() or 1


class LinkageSettings(Settings):
    """What ties accounts together, and what is too popular to tie anyone."""

    enabled: bool = True
    max_accounts: int = Field(
        250,
        ge=2,
        description="a thing shared by more accounts than this ties nobody (chosen: above any office)",
    )
    resolution: float = Field(1.0, gt=0, description="of the community search; higher makes smaller clusters")


class DetectorSettings(Settings):
    """Which detector scores."""

    name: str = Field("combined", description="a registered detector, or pyod:NAME")
    model: Path | None = Field(None, description="model file of the combined detector; none is the shipped one")
    parameters: dict[str, float | int | str | bool] = Field(default_factory=dict)


class PolicySettings(Settings):
    """When a score becomes an action. The threshold follows from one of `budget`, `fdr` and `capacity`."""

    budget: float | None = Field(
        BUDGET, gt=0, le=0.5, description="expected share of honest accounts flagged; the default of the three"
    )
    fdr: float | None = Field(None, gt=0, lt=1, description="expected share of honest accounts among the flagged")
    capacity: float | None = Field(None, gt=0, description="cases per day that reviewers can open")
    base_rate: float = Field(5e-3, gt=0, lt=1, description="share of accounts that extract, before any evidence")
    least_odds: float = Field(
        0.05, ge=0, description="odds below which a case is hopeless, at best (chosen: 1 in 20 opened cases)"
    )
    history_budget: float = Field(
        0.01, gt=0, lt=1, description="expected share of honest accounts that ever raise an alarm over all looks"
    )
    looks: int = Field(30, ge=1, description="looks that a history is planned for (chosen: a month of days)")
    family_support: float = Field(
        1.0, gt=0, description="log-odds a family must add on its own to count as evidence (chosen: odds x e)"
    )
    hiding_support: float = Field(
        2.0, ge=0, description="log-odds that network and economy must add together before anyone is revoked"
    )
    revoke_families: int = Field(2, ge=2, le=4, description="independent evidence families that a revocation needs")
    revoke_events: int = Field(50, ge=1, description="requests below which nobody is revoked automatically")
    revoke_odds: float = Field(3.0, description="log-odds above the flagging threshold that a revocation needs")
    crowd_accounts: int = Field(
        10, ge=2, description="accounts under several owners that ask alike, from which on they are a crowd (chosen)"
    )
    crowd_odds: float = Field(
        1.0,
        description="log-odds above the flagging threshold that a revocation in a crowd needs (chosen: as throttling)",
    )
    crowd_hiding: float = Field(
        1.0,
        ge=0,
        description="log-odds of network and economy that a revocation in a crowd needs (chosen: one family's)",
    )
    throttle_odds: float = Field(1.0, description="log-odds above the flagging threshold that throttling needs")

    @model_validator(mode="before")
    @classmethod
    def _one_way(cls, values: Any) -> Any:
        """Take the one way that is given; without any, the default budget."""
        if not isinstance(values, Mapping):
            return values
        given = [way for way in WAYS if values.get(way) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} each set the threshold; give one of them")
        return {**values, "budget": values.get("budget") if given else BUDGET}


class ReportSettings(Settings):
    """What the outputs show."""

    accounts: int = Field(25, ge=0, description="accounts shown in full in report.html")
    include_excerpts: bool = Field(False, description="show redacted prompt excerpts")


class SparkSettings(Settings):
    """How Spark is started, where no session is there already. Anything else is Spark's own configuration."""

    master: str | None = Field(
        None, description="spark://HOST:PORT, local[N], ...; none is what Spark was configured with, else local[*]"
    )
    driver_memory: str = Field("1g", pattern=r"^\d+[mg]$", description="heap of the driver, beside this process")
    executor_memory: str = Field("1g", pattern=r"^\d+[mg]$", description="heap of each executor, beside its readers")
    python: str | None = Field(None, description="interpreter of the readers; none is that of this process")


class LimitSettings(Settings):
    """What a run may take before the system ends it. What the reader holds is bounded by `input.memory` already."""

    memory: str | None = Field(
        None,
        pattern=r"^\d+(\.\d+)?\s?(MB|GB)$",
        description="memory that can be written to, some times what is held; none is what the system allows",
    )
    cpu_s: int | None = Field(None, ge=1, description="processor seconds of all threads; none is without end")

    @property
    def memory_bytes(self) -> int | None:
        """Give the memory in bytes."""
        return int(float(self.memory[:-2]) * {"MB": 10**6, "GB": 10**9}[self.memory[-2:]]) if self.memory else None


class ScoreSettings(Settings):
    """All settings of `stillwatch score`."""

    input: InputSettings = InputSettings()
    linkage: LinkageSettings = LinkageSettings()
    detector: DetectorSettings = DetectorSettings()
    policy: PolicySettings = PolicySettings()
    report: ReportSettings = ReportSettings()
    spark: SparkSettings = SparkSettings()
    limits: LimitSettings = LimitSettings()
    engine: str = Field("embedded", description="where rows live, see `detector.engines.registry`")


class WatchSettings(Settings):
    """How a log is followed while it grows."""

    every_s: float = Field(60.0, ge=0, description="between two looks [s]; 0 is a look after each piece of the log")
    idle_days: float | None = Field(
        30.0, gt=0, description="of event time without a request, after which an account is forgotten; none is never"
    )
    late_s: float = Field(
        3600.0,
        ge=0,
        description="event time by which requests may come out of order and still be told apart exactly [s] "
        "(chosen: gateways hand over a file an hour)",
    )
    held_rows: int = Field(
        4_000_000, ge=1, description="requests at most whose instants wait for earlier ones (chosen: 80 MB)"
    )
    piece_bytes: int = Field(
        32 << 20, ge=1 << 12, description="text read at once (chosen: some times the longest record)"
    )


class FollowSettings(ScoreSettings):
    """All settings of `stillwatch watch`."""

    watch: WatchSettings = WatchSettings()


S = TypeVar("S", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        The file is missing, unreadable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read ({reason}); give a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deep to be settings; give a TOML file of ours") from None


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Turn ``section.key=value`` texts of the command line into nested settings.

    A value is read as TOML where it is TOML and as plain text otherwise.

    Raises
    ------
    ConfigError
        An assignment has no ``=`` or no key.

    Examples
    --------
    >>> parse_assignments(["policy.budget=0.01", "detector.name=rules"])
    {'policy': {'budget': 0.01}, 'detector': {'name': 'rules'}}
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"--set {assignment!r}: give it as section.key=value, such as policy.budget=0.01")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            value = text
        *sections, last = key.strip().split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
            if not isinstance(branch, dict):
                raise ConfigError(f"--set {assignment!r}: {section!r} is a value already, not a section")
        branch[last] = value
    return tree


def overlay(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; where both have a table, the tables are overlaid in turn."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def overlay_ways(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Lay settings over one another; a way to set the threshold replaces every way below it.

    Examples
    --------
    >>> overlay_ways({"policy": {"budget": 0.01, "looks": 7}}, {"policy": {"fdr": 0.05}})
    {'policy': {'looks': 7, 'fdr': 0.05}}
    """
    below, above = lower.get("policy"), upper.get("policy")
    if isinstance(below, Mapping) and isinstance(above, Mapping) and set(WAYS) & set(above):
        lower = {**lower, "policy": {key: value for key, value in below.items() if key not in WAYS}}
    return overlay(lower, upper)


def _allowed_keys(model: type[BaseModel], place: tuple[Any, ...]) -> Iterable[str]:
    for step in place:
        if step not in model.model_fields:
            continue
        inner = _model_in(model.model_fields[step].annotation)
        if inner is None:
            return ()
        model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the settings in a type such as a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def load(model: type[S], values: Mapping[str, Any], *, where: str) -> S:
    """Check values against a settings model.

    Parameters
    ----------
    values: nested settings, as TOML gives them.
    where: file or option that the values came from, for the error.

    Raises
    ------
    ConfigError
        A key is unknown (the nearest is named) or a value is out of range.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        place = tuple(first["loc"])
        key = ".".join(str(step) for step in place)
        if first["type"] == "extra_forbidden":
            hint = nearest(str(place[-1]), _allowed_keys(model, place[:-1]))
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}") from error
        raise ConfigError(f"{where}: {key} = {first.get('input')!r}: {first['msg']}") from error
