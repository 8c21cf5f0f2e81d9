"""What a preset may say: which columns of a real log hold which canonical field. Data in TOML, never code or SQL."""

import re
from collections.abc import Collection
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from detector.errors import nearest
from detector.logs.fields import TimeUnit
from detector.logs.readers import N_PATHS, READER_NAMES
from detector.settings import Rung, Settings
from detector.tables import NETWORK_COLUMNS

#: Where the place of a number is in the keys of numbered messages, as in ``gen_ai.prompt.#.role``.
NUMBER = "#"


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


def _check_line(pattern: str) -> str:
    groups = re.compile(_check_pattern(pattern))
    if not groups.groups or groups.groups != len(groups.groupindex):
        raise ValueError("every group needs a name, as in (?P<ip>[^ ]+); others are written (?:...)")
    return pattern


def _check_key(pattern: str) -> str:
    if pattern.count(NUMBER) != 1 or '"' in pattern or "\\" in pattern:
        raise ValueError(f"needs one {NUMBER}, where the number of the message stands")
    return pattern


def _as_candidate(value: object) -> object:
    return {"path": [value]} if isinstance(value, str) else value


def _as_paths(value: object) -> object:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[str], BeforeValidator(_as_paths), Field(min_length=1)]


class Candidate(Settings):
    """One place where a field may be found.

    Attributes
    ----------
    path: columns or dotted paths into documents; as many as the reader takes.
    values: what a value of the log stands for; one that is not named here is none.
    """

    path: Paths
    reader: Annotated[str, AfterValidator(_check_reader)] | None = None
    values: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_paths(self) -> "Candidate":
        allowed = N_PATHS.get(self.reader or "", 1)
        if allowed is not None and len(self.path) != allowed:
            raise ValueError(f"takes {allowed} path(s), not {len(self.path)}")
        return self


Candidates = list[Annotated[Candidate, BeforeValidator(_as_candidate)]]


class Part(Settings):
    """A named value inside the log, to which paths of later parts and of columns may refer.

    Attributes
    ----------
    path: where it is found; the first that holds something counts.
    kind: ``json`` a document that may be written as text; ``rows`` a list of which each element is a row;
        ``pairs`` a list of keys with typed values, as OpenTelemetry writes attributes; ``messages`` a chat whose
        messages are numbered keys of a document.
    keys: of the role and of the content of a message, `NUMBER` in place of its number; for ``messages`` only.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    path: Paths
    kind: Literal["json", "rows", "pairs", "messages"]
    keys: list[Annotated[str, AfterValidator(_check_key)]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_keys(self) -> "Part":
        wanted = 2 if self.kind == "messages" else 0
        if len(self.keys) != wanted:
            raise ValueError(f"kind = {self.kind!r} takes {wanted} keys, not {len(self.keys)}")
        return self


class Keep(Settings):
    """Which rows are requests; others are counted and passed over.

    Attributes
    ----------
    path: where to look; the first that holds something counts.
    values: of which it must hold one.
    """

    path: Paths
    values: list[str] = Field(min_length=1)


class Trap(Settings):
    """A way this format misleads.

    Attributes
    ----------
    if_empty, if_alike, if_repeated: canonical columns that hold nothing, one value only, a value twice; the trap is
        shown for a log only where one of them does. Without any, it is shown always.
    if_rows: shown where the log has a multiple of so many rows, which looks like a cap.
    """

    when: str
    says: str
    if_empty: list[str] = Field(default_factory=list)
    if_alike: list[str] = Field(default_factory=list)
    if_repeated: list[str] = Field(default_factory=list)
    if_rows: int | None = Field(None, gt=0)


class Format(Settings):
    """A preset.

    Attributes
    ----------
    detect: columns that must all be present for ``auto`` to pick this preset; none means never.
    lines: for a log of plain lines: pattern of one, in RE2 syntax; its named groups are the columns.
    refusal: for what is recognised and yet is no log of requests: why, and what to give instead.
    skip: files of a folder that are no part of the log, as patterns of their paths.
    parts: values inside the log that have a name of their own.
    keep: which rows are requests; none is all.
    nulls: spellings of a missing value, besides the empty one; text fields keep them.
    sampling_rate: share of the requests that the log holds.
    truncation: pattern of the mark that a gateway leaves where it cut a text.
    identity: where the key, user, team, organisation and payment stand; for those that are not named, see
        `identity.COLUMN_OF`.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    description: str = ""
    detect: list[str] = Field(default_factory=list)
    lines: Annotated[str, AfterValidator(_check_line)] | None = None
    refusal: str | None = None
    skip: list[str] = Field(default_factory=list)
    delimiter: str = Field(",", pattern=r"^[\t!#-~]$")
    timezone: Annotated[str, AfterValidator(check_zone)] | None = None
    time_unit: TimeUnit | None = None
    nulls: list[str] = Field(default_factory=list)
    sampling_rate: float = Field(1.0, gt=0, le=1)
    truncation: Annotated[str, AfterValidator(_check_pattern)] | None = None
    traps: list[Trap] = Field(default_factory=list)
    parts: list[Part] = Field(default_factory=list)
    keep: Keep | None = None
    columns: dict[str, Candidates] = Field(default_factory=dict)
    identity: dict[Rung, Candidates] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_part_names(self) -> "Format":
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise ValueError("two parts have one name")
        return self

    @property
    def line_columns(self) -> tuple[str, ...]:
        """Name the columns of a log of plain lines, in the order of its pattern."""
        return tuple(re.compile(self.lines or "").groupindex)

    @property
    def evidence_level(self) -> int:
        """How much a log in this format can tell at best, 0 to 4, by the columns that it has a place for."""
        can_count = "n_requests" in self.columns and "request_id" in self.columns
        return level_of(self.columns.keys() - {"n_requests"} if can_count else self.columns)


def level_of(columns: Collection[str]) -> int:
    """Tell the evidence level of a log by the canonical columns that hold something.

    Returns
    -------
    4 with completions, 3 with prompts, 2 with network identity, 1 with a row per request, 0 with counts only.
    """
    levels = ((0, {"n_requests"}), (4, {"completion"}), (3, {"prompt"}), (2, set(NETWORK_COLUMNS)))
    return next((level for level, some in levels if some & set(columns)), 1)
