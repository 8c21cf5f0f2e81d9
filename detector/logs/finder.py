"""How the header of one file is searched: which candidate of a preset is there, and so the plan that reads the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.errors import MissingColumnError, NaiveTimestampError, WrongTypeError, nearest
from detector.logs.fields import TWICE, Clock, Raw, is_naive_type
from detector.logs.headers import Header, quotable
from detector.logs.identity import COLUMN_OF, account_sql, rung_sql
from detector.logs.kinds import kind_of
from detector.logs.mapping import Place, Plan
from detector.logs.parts import part_step
from detector.logs.presets import Candidate, Format, Part
from detector.logs.quoting import json_path, quote_text
from detector.logs.readers import JSON_READERS, read_step
from detector.logs.sources import LogFile
from detector.logs.steps import Step, Steps
from detector.tables import EVENTS, REQUIRED, TEXT_COLUMNS

_STEP = re.compile(r'"([^"]+)"|([^.\[\]"]+)|\[(\d+)\]')
_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_NESTED = ("STRUCT", "MAP", "UNION")
_TEXTLESS = ("BLOB", "BIT", "INTERVAL")


@dataclass(frozen=True)
class Mapper:
    """Finds the canonical columns in the files of one log.

    Attributes
    ----------
    form: the preset.
    map: canonical column to column or path, laid over the preset.
    clock: how instants are understood.
    reads_text: whether prompts and completions are wanted.
    is_guess: no preset recognised the log, so that this one is a guess.
    account_by: what an account is, best first; nothing leaves it to the preset.
    """

    form: Format
    map: Mapping[str, str]
    clock: Clock
    reads_text: bool
    is_guess: bool = False
    account_by: tuple[str, ...] = ()

    def plan(self, file: LogFile, header: Header, physical: Sequence[str]) -> Plan:
        """Make the plan for one file.

        Parameters
        ----------
        file: the file, for errors.
        header: its columns.
        physical: what the columns are called in the query, in the order of the header.

        Raises
        ------
        MissingColumnError
            No column can be a required field, or a mapped column is absent.
        WrongTypeError
            A typed column cannot be the field it is mapped to.
        NaiveTimestampError
            Instants are typed without a zone and none was given.
        """
        finder = _Finder(self, file, header, physical)
        places = {column: place for column in EVENTS.names if (place := finder.find(column)) is not None}
        rung, rungs = finder.rung()
        return Plan(places, finder.steps, self.clock, self.form.truncation, finder.keep(), rung, rungs)

    def candidates(self, column: str) -> list[Candidate]:
        """List where a canonical column may be, best first."""
        if column in TEXT_COLUMNS and not self.reads_text:
            return []
        if column in self.map:
            return [Candidate(path=[self.map[column]])]
        return self.form.columns.get(column, [])

    def rung_candidates(self, rung: str) -> list[Candidate]:
        """List where the key, user, team, organisation or payment of a request may be, best first."""
        if rung in self.map:
            return [Candidate(path=[self.map[rung]])]
        named = {str(name): places for name, places in self.form.identity.items()}
        return named[rung] if rung in named else self.candidates(COLUMN_OF[rung]) if rung in COLUMN_OF else []


class _Finder:
    """Looks for candidates in one header."""

    def __init__(self, mapper: Mapper, file: LogFile, header: Header, physical: Sequence[str]) -> None:
        self._mapper = mapper
        self._file = file
        self._names = dict(zip(header.names, physical, strict=True))
        self._types = dict(zip(header.names, header.types, strict=True))
        self.steps = Steps()
        self._parts: dict[str, tuple[Step, tuple[str, ...]]] = {}
        for part in mapper.form.parts:
            self._add(part)

    def keep(self) -> Place | None:
        """Find what tells requests from other rows; none where all are kept or the file has nothing that tells."""
        keep = self._mapper.form.keep
        paths = [path for path in keep.path if self._root(path)] if keep else []
        if keep is None or not paths:
            return None
        found = ", ".join(f"nullif({self._plain(path)}, '')" for path in paths)
        allowed = ", ".join(map(quote_text, keep.values))
        sql = f"coalesce(coalesce({found}) IN ({allowed}), false)"
        return Place(Raw(sql, "BOOLEAN"), self._sources(paths), False)

    def _add(self, part: Part) -> None:
        """Name a part, if the file has a column that it may come from."""
        paths = [path for path in part.path if self._root(path)]
        if paths:
            step = part_step(part, [self._json(path) for path in paths], self.steps)
            self._parts[part.name] = step, self._sources(paths)

    def find(self, column: str) -> Place | None:
        if column == "account_id" and self._mapper.account_by:
            return self._account()
        place = self._place(column, self._mapper.candidates(column))
        if place is None:
            self._check_optional(column)
        return place

    def rung(self) -> tuple[Place | None, dict[str, tuple[str, ...]]]:
        """Find what tells by which rung an account is named, and the columns of each; none if nothing was asked."""
        if not self._mapper.account_by:
            return None, {}
        found = self._rungs()
        sql = rung_sql({rung: place.raw.sql for rung, place in found.items()}, self._mapper.account_by)
        return Place(Raw(sql, "TINYINT"), (), False), {rung: place.sources for rung, place in found.items()}

    def _account(self) -> Place:
        found = self._rungs()
        if not found:
            asked = ", ".join(self._mapper.account_by)
            looked = [c.path[0] for rung in self._mapper.account_by for c in self._mapper.rung_candidates(rung)]
            where = (
                f"looked for {', '.join(map(repr, looked))}" if looked else f"{self._mapper.form.name} names no place"
            )
            named = quotable(list(self._names))
            hint = nearest(self._mapper.account_by[0], named) if named else "the header names no such column"
            raise MissingColumnError(
                f"{self._file.name}: no column for an account by {asked} ({where}); {hint}; "
                f"say which with --map {self._mapper.account_by[0]}=<column>, or ask for another with --account-by"
            )
        sources = tuple(dict.fromkeys(source for place in found.values() for source in place.sources))
        sql = account_sql({rung: place.raw.sql for rung, place in found.items()})
        return Place(Raw(sql), sources, False)

    def _rungs(self) -> dict[str, Place]:
        """Find the rungs asked for that the file has, each as text."""
        found = {}
        for rung in self._mapper.account_by:
            place = self._place("account_id", self._mapper.rung_candidates(rung))
            if place is not None:
                raw = place.raw if place.raw.is_text else Raw(f"CAST({place.raw.sql} AS VARCHAR)")
                found[rung] = replace(place, raw=raw)
            elif rung in self._mapper.map:
                raise MissingColumnError(f"{self._file.name}: {self._complaint(rung, self._mapper.map[rung])}")
        return found

    def _place(self, column: str, candidates: Sequence[Candidate]) -> Place | None:
        present = [candidate for candidate in candidates if all(map(self._root, candidate.path))]
        if not present:
            return None
        sources = self._sources([path for candidate in present for path in candidate.path])
        is_direct = all(c.reader is None and not c.values and self._is_column(c.path[0]) for c in present)
        if is_direct and len(present) == 1:
            return Place(self._typed(column, present[0].path[0]), sources, is_direct)
        is_identity = column == "account_id"
        steps = (self._unique(c, self._candidate(c)) if is_identity else self._candidate(c) for c in present)
        found = [self._nulled(column, step.sql) for step in steps]
        return Place(Raw(f"coalesce({', '.join(found)})" if len(found) > 1 else found[0]), sources, is_direct)

    def _root(self, path: str) -> str | None:
        """The part or the column that a path starts at, if the file has it."""
        first = path.split(".", 1)[0].split("[", 1)[0]
        if first in self._parts or path not in self._names:
            return first if first in self._parts or first in self._names else None
        return path

    def _is_column(self, path: str) -> bool:
        return self._root(path) == path and path not in self._parts

    def _sources(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The columns of the file that some paths need, each once."""
        roots = (self._root(path) or "" for path in paths)
        names = (name for root in roots for name in (self._parts[root][1] if root in self._parts else (root,)))
        return tuple(dict.fromkeys(names))

    def _check_optional(self, column: str) -> None:
        if column not in REQUIRED and column not in self._mapper.map:
            return
        first = next((candidate.path[0] for candidate in self._mapper.form.columns.get(column, [])), column)
        wanted = self._mapper.map.get(column, first)
        raise MissingColumnError(f"{self._file.name}: {self._complaint(column, wanted)}")

    def _complaint(self, column: str, wanted: str) -> str:
        names = list(self._names)
        if len(names) == 1:
            for mark, words in _DELIMITERS.items():
                if mark in names[0] and self._mapper.form.delimiter != mark:
                    return f"the delimiter looks like {words}; a preset with delimiter = {mark!r} reads it as such"
        named = quotable(names)
        hint = nearest(wanted, named) if named else "the first line does not look like a header"
        other = ", or name a preset with --format" if self._mapper.is_guess else ""
        return f"no column for {column} (looked for {wanted!r}); {hint}; say which with --map {column}=<column>{other}"

    def _typed(self, column: str, name: str) -> Raw:
        """A column that is the field as it stands, with its own type."""
        type_name = self._types[name]
        self._check_type(column, name, type_name)
        raw = Raw(self._names[name], type_name)
        if not raw.is_text:
            return Raw(f"CAST({raw.sql} AS VARCHAR)") if _is_texty(type_name) else raw
        return Raw(self._nulled(column, raw.sql))

    def _check_type(self, column: str, name: str, type_name: str) -> None:
        kind = kind_of(column)
        is_instant = type_name == "DATE" or type_name.startswith("TIME")
        is_wrong = (
            type_name.endswith("]")
            or type_name.startswith((*_NESTED, *_TEXTLESS))
            or (type_name == "TIME")
            or (is_instant and kind in ("count", "number", "flag"))
            or (type_name == "BOOLEAN" and kind in ("count", "number", "instant"))
        )
        if is_wrong:
            raise WrongTypeError(
                f"{self._file.name}: column {name!r} has type {type_name}, which {column} ({kind}) cannot take; "
                f"convert it, or name another with --map {column}=<column>"
            )
        if kind == "instant" and is_naive_type(type_name) and self._mapper.clock.zone is None:
            raise NaiveTimestampError(
                f"{self._file.name}: column {name!r} has type {type_name}, which carries no zone; "
                "say which it is with --timezone UTC"
            )

    def _candidate(self, candidate: Candidate) -> Step:
        if candidate.reader is None:
            return self._translated(candidate, self._plain(candidate.path[0]))
        values = [
            self._json(path) if candidate.reader in JSON_READERS else self._plain(path) for path in candidate.path
        ]
        return self._translated(candidate, read_step(candidate.reader, values, self.steps, self._mapper.clock))

    def _unique(self, candidate: Candidate, value: Step) -> Step:
        """The value, or a mark where a key on the way to it stands twice: nobody knows which one counts."""
        inside = [path for path in candidate.path if self._root(path) != path]
        twice = [found for path in inside for found in self._repeats(path)]
        if not twice:
            return value
        return self.steps.let(f"CASE WHEN {' OR '.join(map(str, twice))} THEN {TWICE} ELSE {value} END", value, *twice)

    def _repeats(self, path: str) -> Iterator[Step]:
        """For each key of a path, whether it stands twice in its object."""
        document = self._document(self._root(path) or "")
        keys = self._keys(path)
        for depth, key in enumerate(keys):
            if isinstance(key, str):
                parent = self.steps.part(document, json_path(keys[:depth])) if depth else document
                same = f"list_filter(json_keys({parent}), lambda key: key = {quote_text(key)})"
                yield self.steps.let(f"coalesce(len({same}), 0) > 1", parent)

    def _translated(self, candidate: Candidate, step: Step) -> Step:
        if not candidate.values:
            return step
        cases = " ".join(f"WHEN {quote_text(old)} THEN {quote_text(new)}" for old, new in candidate.values.items())
        return self.steps.let(f"CASE {step} {cases} END", step)

    def _plain(self, path: str) -> Step:
        if not self._is_column(path):
            part = self._part(path)
            return self.steps.let(f"json_extract_string({part}, '$')", part)
        if self._types[path].endswith("]") or self._types[path].startswith(_NESTED):
            document = self._document(path)
            return Step(f"CAST({document} AS VARCHAR)", document.depth)
        return Step(f"CAST({self._names[path]} AS VARCHAR)")

    def _json(self, path: str) -> Step:
        return self._document(path) if self._root(path) == path else self._part(path)

    def _part(self, path: str) -> Step:
        return self.steps.part(self._document(self._root(path) or ""), json_path(self._keys(path)))

    def _keys(self, path: str) -> list[str | int]:
        """The keys and positions of a path below its root."""
        found = _STEP.findall(path[len(self._root(path) or "") :])
        return [quoted or plain or int(position) for quoted, plain, position in found]

    def _document(self, name: str) -> Step:
        """The value of a part or a column as JSON; a bare text that is no JSON is a JSON text."""
        if name in self._parts:
            return self._parts[name][0]
        sql = self._names[name]
        is_text = self._types[name] == "VARCHAR"
        return self.steps.let(f"coalesce(TRY_CAST({sql} AS JSON), to_json({sql}))" if is_text else f"to_json({sql})")

    def _nulled(self, column: str, sql: str) -> str:
        spellings = [""] if column in TEXT_COLUMNS else ["", *self._mapper.form.nulls]
        if len(spellings) == 1:
            return f"nullif({sql}, '')"
        return f"CASE WHEN {sql} NOT IN ({', '.join(map(quote_text, spellings))}) THEN {sql} END"


def _is_texty(type_name: str) -> bool:
    """Whether values of a type are best taken as text: enumerations, identifiers, JSON."""
    return type_name.startswith("ENUM") or type_name in ("UUID", "JSON")
