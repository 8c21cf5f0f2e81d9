"""Options that commands share, and how what the user gave becomes settings. Nothing heavy is imported at the top."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from detector.errors import UsageError

if TYPE_CHECKING:
    from detector.pseudonyms import Pseudonyms
    from detector.settings import ScoreSettings

S = TypeVar("S", bound="ScoreSettings")

Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeat.")]
Logs = Annotated[list[str], typer.Argument(metavar="LOG...", help="Files, globs, folders, or - for standard input.")]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE.toml", help="Settings.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]

AccountBy = Annotated[
    str | None,
    typer.Option(
        "--account-by",
        metavar="WHAT,...",
        help="key, user, team, organisation or payment; the next where one is empty.",
        show_default="the preset's choice",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--pseudonymize", metavar="KEYFILE", help="Pseudonyms for names, under the key in this file."),
]


def pseudonyms_of(key_file: Path | None) -> "Pseudonyms | None":
    """Make pseudonyms from a key file; none without one.

    Raises
    ------
    KeyFileError
        See `pseudonyms.read_key`.
    """
    if key_file is None:
        return None
    from detector.pseudonyms import Pseudonyms, read_key

    return Pseudonyms(read_key(key_file))


def rungs_of(account_by: str | None) -> list[str] | None:
    """Read `--account-by`, such as ``team,user``; settings check the names."""
    return [rung.strip() for rung in account_by.split(",")] if account_by else None


def mapped_columns(pairs: list[str] | None) -> dict[str, str]:
    """Read `--map` options, canonical=column each.

    Raises
    ------
    UsageError
        One is not of this form.
    """
    mapping = {}
    for pair in pairs or ():
        canonical, separator, column = pair.partition("=")
        if not separator or not canonical or not column:
            raise UsageError(f"--map {pair!r}: give it as canonical=column, such as account_id=user")
        mapping[canonical.strip()] = column.strip()
    return mapping


def resolve(config: Path | None, assignments: list[str] | None, options: dict[str, Any]) -> "ScoreSettings":
    """Lay defaults, file, ``--set`` and options over one another, in this order.

    Raises
    ------
    ConfigError
        See `resolve_as`.
    """
    from detector.settings import ScoreSettings

    return resolve_as(ScoreSettings, config, assignments, options)


def resolve_as(kind: type[S], config: Path | None, assignments: list[str] | None, options: dict[str, Any]) -> S:
    """Do what `resolve` does, for settings of a kind.

    Raises
    ------
    ConfigError
        See `settings.load`; the text says where the key or value came from.
    """
    from detector.settings import load, overlay_ways, parse_assignments, read_toml

    values: dict[str, Any] = {}
    if config is not None:
        values = read_toml(config)
        load(kind, values, where=str(config))
    values = overlay_ways(values, parse_assignments(assignments or ()))
    load(kind, values, where="--set")
    return load(kind, overlay_ways(values, _given(options)), where="options")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Keep the options that the user gave."""
    kept = {key: _given(value) if isinstance(value, dict) else value for key, value in options.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}
