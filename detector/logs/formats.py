"""The presets that there are, and which of them a log is in. Nothing here reads a log."""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from detector.errors import ConfigError, InputUnreadableError, UnknownFormatError, nearest
from detector.logs.presets import Format
from detector.settings import RUNGS, load, read_toml
from detector.tables import EVENTS

DEFAULT_FORMAT = "stillwatch"
AUTO = "auto"
#: Share of a preset's columns from which on a log that lacks the others is told of it. Chosen.
_NEAR = 0.5
_FOLDER = files("detector.logs") / "formats"


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


def check_mapped(names: Iterable[str], *, where: str) -> None:
    """Refuse a name that neither a canonical column nor anything that an account can be has.

    Raises
    ------
    ConfigError
        A name is unknown; the nearest is given.
    """
    check_columns((name for name in names if name not in RUNGS), where=where)


@cache
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
    return _shipped(name_or_path)


@cache
def _shipped(name: str) -> Format:
    return _checked(read_toml(Path(str(_FOLDER / f"{name}.toml"))), name)


def all_skipped() -> tuple[str, ...]:
    """List the patterns of files that some preset passes over in a folder."""
    return tuple(dict.fromkeys(pattern for name in list_formats() for pattern in load_format(name).skip))


def choose_format(name: str, headers: Sequence[Collection[str]]) -> tuple[Format, str]:
    """Pick the preset for a log.

    Parameters
    ----------
    name: a preset, a TOML file, or ``auto``.
    headers: the columns of each file.

    Returns
    -------
    The preset, and a sentence that says why it was chosen.

    Raises
    ------
    UnknownFormatError
        Several presets recognise the log, and none of them knows more of it than all others.
    InputUnreadableError
        It is recognised as something that is no log of requests.
    """
    if name != AUTO:
        return _suitable(load_format(name)), "named by --format"
    present = [frozenset(header) for header in headers]
    forms = [load_format(each) for each in list_formats()]
    found = [form for form in forms if form.detect and all(header.issuperset(form.detect) for header in present)]
    if not found:
        return load_format(DEFAULT_FORMAT), f"no preset recognised the columns{_near_miss(forms, present)}"
    best = max(found, key=lambda form: len(form.detect))
    _check_alone(best.name, [form.name for form in found if not set(form.detect) <= set(best.detect)], "columns")
    return _suitable(best), "the columns " + ", ".join(best.detect) + " are all present"


def choose_line_format(name: str, first_lines: Sequence[str]) -> tuple[Format, str] | None:
    """Pick the preset for a log of plain lines, or none if it is no such log.

    Parameters
    ----------
    name: a preset, a TOML file, or ``auto``.
    first_lines: the first line of each text file of the log.

    Raises
    ------
    UnknownFormatError
        Lines fit several presets.
    """
    if name != AUTO:
        form = load_format(name)
        return (_suitable(form), "named by --format") if form.lines else None
    forms = [load_format(each) for each in list_formats()]
    found = [f for f in forms if f.lines and first_lines and all(re.search(f.lines, line) for line in first_lines)]
    if not found:
        return None
    _check_alone(found[0].name, [form.name for form in found[1:]], "lines")
    return _suitable(found[0]), "the first line reads as " + ", ".join(found[0].line_columns)


def _suitable(form: Format) -> Format:
    if form.refusal is not None:
        raise InputUnreadableError(f"recognised as {form.name} ({form.title}): {form.refusal}")
    return form


def _check_alone(best: str, others: Sequence[str], what: str) -> None:
    if others:
        names = ", ".join([best, *others])
        raise UnknownFormatError(
            f"--format 'auto': the {what} fit several presets ({names}); say which it is, as in --format {best}"
        )


def _near_miss(forms: Sequence[Format], headers: Sequence[frozenset[str]]) -> str:
    """Name the preset of which the log has most columns, if it has half of them."""
    shared = frozenset.intersection(*headers) if headers else frozenset()
    others = [form for form in forms if form.detect and form.name != DEFAULT_FORMAT]
    share = {form.name: len(shared & set(form.detect)) / len(form.detect) for form in others}
    best = max(share, key=lambda name: share[name], default="")
    expected = ", so canonical names are expected"
    if not best or share[best] < _NEAR:
        return expected
    lacking = ", ".join(column for column in load_format(best).detect if column not in shared)
    return f" (nearest: {best}, which also has {lacking}){expected}"


def _checked(values: dict[str, Any], where: str) -> Format:
    form = load(Format, values, where=where)
    check_columns(form.columns, where=where)
    for trap in form.traps:
        check_columns([*trap.if_empty, *trap.if_alike, *trap.if_repeated], where=f"{where}: traps")
    return form
