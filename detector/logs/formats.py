"""Presets: which columns of a real log hold which canonical field. Data in TOML, never code or SQL."""

import re
from collections.abc import Collection, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from detector.errors import ConfigError, UnknownFormatError, nearest
from detector.logs.fields import TimeUnit
from detector.logs.readers import N_PATHS, READER_NAMES
from detector.settings import Settings, load, read_toml
from detector.tables import EVENTS

DEFAULT_FORMAT = "stillwatch"
_FOLDER = files("detector.logs") / "formats"


def check_zone(name: str) -> str:
    """Pass an IANA zone name through.

    Raises
    ------
    ValueError
        No zone has this name.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no time zone has the name {name!r}; give one such as UTC or Europe/Berlin") from error
    return name


def _check_reader(name: str) -> str:
    if name not in READER_NAMES:
        raise ValueError(f"no reader has the name {name!r}; {nearest(name, READER_NAMES)}")
    return name


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a pattern: {error}") from error
    return pattern


def _as_candidate(value: object) -> object:
    return {"path": [value]} if isinstance(value, str) else value


def _as_paths(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Candidate(Settings):
    """One place where a field may be found."""

    path: Annotated[list[str], BeforeValidator(_as_paths)] = Field(min_length=1)
    reader: Annotated[str, AfterValidator(_check_reader)] | None = None

    @model_validator(mode="after")
    def _check_paths(self) -> "Candidate":
        allowed = N_PATHS.get(self.reader or "", 1)
        if allowed is not None and len(self.path) != allowed:
            raise ValueError(f"takes {allowed} path(s), not {len(self.path)}")
        return self


class Trap(Settings):
    """A way this format misleads, shown by `stillwatch formats show`."""

    when: str
    says: str


class Format(Settings):
    """A preset.

    Attributes
    ----------
    detect: columns that must all be present for ``auto`` to pick this preset; none means never.
    nulls: spellings of a missing value, besides the empty one; text fields keep them.
    sampling_rate: share of the requests that the log holds.
    truncation: pattern of the mark that a gateway leaves where it cut a text.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    description: str = ""
    detect: list[str] = Field(default_factory=list)
    delimiter: str = Field(",", pattern=r"^[\t!#-~]$")
    timezone: Annotated[str, AfterValidator(check_zone)] | None = None
    time_unit: TimeUnit | None = None
    nulls: list[str] = Field(default_factory=list)
    sampling_rate: float = Field(1.0, gt=0, le=1)
    traps: list[Trap] = Field(default_factory=list)
    truncation: Annotated[str, AfterValidator(_check_pattern)] | None = None
    columns: dict[str, list[Annotated[Candidate, BeforeValidator(_as_candidate)]]]


def check_columns(columns: Iterable[str], *, where: str) -> None:
    """Refuse a name that no canonical column has.

    Raises
    ------
    ConfigError
        A name is unknown; the nearest is given.
    """
    for name in columns:
        if name not in EVENTS.names:
            raise ConfigError(f"{where}: no canonical column is called {name!r}; {nearest(name, EVENTS.names)}")


def list_formats() -> tuple[str, ...]:
    """Name the presets that come with the program, in alphabetical order."""
    stems = (item.name.removesuffix(".toml") for item in _FOLDER.iterdir() if item.name.endswith(".toml"))
    return tuple(sorted(stems))


def load_format(name_or_path: str) -> Format:
    """Load a preset by its name, or a user's own from a TOML file.

    Raises
    ------
    UnknownFormatError
        No preset has this name; the nearest is given.
    ConfigError
        The file is not a preset.
    """
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        return _checked(read_toml(Path(name_or_path)), name_or_path)
    if name_or_path not in list_formats():
        hint = nearest(name_or_path, list_formats())
        raise UnknownFormatError(f"--format {name_or_path!r}: no preset has this name; {hint}; or give a .toml file")
    with_path = Path(str(_FOLDER / f"{name_or_path}.toml"))
    return _checked(read_toml(with_path), name_or_path)


def choose_format(name: str, headers: Iterable[Collection[str]]) -> tuple[Format, str]:
    """Pick the preset for a log.

    Parameters
    ----------
    name: a preset, a TOML file, or ``auto``.
    headers: the columns of each file.

    Returns
    -------
    The preset, and a sentence that says why it was chosen.
    """
    if name != "auto":
        return load_format(name), "named by --format"
    present = [frozenset(header) for header in headers]
    found = [form for form in map(load_format, list_formats()) if _recognises(form, present)]
    if not found:
        return load_format(DEFAULT_FORMAT), "no preset recognised the columns, so canonical names are expected"
    best = max(found, key=lambda form: len(form.detect))
    return best, "the columns " + ", ".join(best.detect) + " are all present"


def _recognises(form: Format, headers: list[frozenset[str]]) -> bool:
    return bool(form.detect) and all(header.issuperset(form.detect) for header in headers)


def _checked(values: dict[str, Any], where: str) -> Format:
    form = load(Format, values, where=where)
    check_columns(form.columns, where=where)
    return form
