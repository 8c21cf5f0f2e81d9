"""One side of a comparison: the rehearsals of one defence, read from a folder of `simulate`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from detector.errors import NotComparableError, NotRehearsedError
from simulations.loop.figures import MEASURES, figures_of

#: What a side keeps of each rehearsal.
FIGURES = (*(measure.name for measure in MEASURES), "n_honest", "n_revoked", "n_stopped")
_ADVICE = "give a folder that `stillwatch simulate` has written"


@dataclass(frozen=True)
class World:
    """One rehearsal: all that it depends on but the defence, and its figures."""

    settings: Mapping[str, Any]
    """Scenario without its seed, and attack, by full key."""
    seed: int
    figures: Mapping[str, float | None]

    @property
    def key(self) -> tuple[str, int]:
        """What two rehearsals must share to be compared."""
        return json.dumps(self.settings, sort_keys=True), self.seed


@dataclass(frozen=True)
class Side:
    """All rehearsals of one defence that have not failed."""

    label: str
    defence: Mapping[str, Any]
    """By full key."""
    worlds: tuple[World, ...]
    n_failed: int = 0

    @property
    def seeds(self) -> list[int]:
        """Seeds, sorted."""
        return sorted({world.seed for world in self.worlds})


def read_side(place: str) -> Side:
    """Read a side.

    Parameters
    ----------
    place: folder of a rehearsal or of a sweep; with `@N` behind it, grid point N of a sweep.

    Raises
    ------
    NotRehearsedError
        The folder is no output of ``stillwatch simulate``, or has no such grid point.
    NotComparableError
        The sweep holds several defences and no grid point is given, or all its cells have failed.
    """
    folder, number = _folder_and_point(place)
    if (folder / "sweep.json").is_file():
        return _of_sweep(place, folder, number)
    if number is not None:
        raise NotRehearsedError(f"{folder}: is no sweep, so it has no grid point {number}; {_ADVICE} with --sweep")
    return _of_rehearsal(place, folder)


def sides_of(place: str) -> tuple[Side, Side]:
    """Read the two grid points of a sweep that has two.

    Raises
    ------
    NotComparableError
        It has another number of grid points.
    NotRehearsedError
        See `read_side`.
    """
    record = _read_json(Path(place) / "sweep.json")
    n = len(_checked(place, lambda: list(record["points"])))
    if n != 2:
        raise NotComparableError(
            f"{place}: has {n} grid points, and two are compared; give them as {place}@1 {place}@2"
        )
    return read_side(f"{place}@1"), read_side(f"{place}@2")


def _folder_and_point(place: str) -> tuple[Path, int | None]:
    folder, separator, number = place.rpartition("@")
    if Path(place).exists() or not separator or not (number.isascii() and number.isdigit()):
        return Path(place), None
    return Path(folder), int(number)


def _of_rehearsal(place: str, folder: Path) -> Side:
    record, outcome = (_read_json(folder / name) for name in ("rehearsal.json", "outcome.json"))

    def made() -> Side:
        world, defence = _split(record)
        return Side(place, defence, (_world(world, int(record["scenario"]["seed"]), figures_of(outcome)),))

    return _checked(place, made)


def _of_sweep(place: str, folder: Path, number: int | None) -> Side:
    record, cells = _read_json(folder / "sweep.json"), _read_cells(folder / "sweep.parquet")

    def made() -> list[tuple[Mapping[str, Any], list[World], int]]:
        points = [point for point in record["points"] if number in (None, point["point"])]
        return [_point(point, cells[cells["point"] == point["point"]]) for point in points]

    points = _checked(place, made)
    if not points:
        raise NotRehearsedError(f"{folder}: has no grid point {number}, but 1 to {len(record['points'])}")
    if any(defence != points[0][0] for defence, _, _ in points):
        raise NotComparableError(
            f"{place}: holds several defences; name one by its grid point, as {folder}@1 to {folder}@{len(points)}"
        )
    worlds = tuple(world for _, some, _ in points for world in some)
    if not worlds:
        raise NotComparableError(f"{place}: every cell has failed; sweep.parquet says why")
    return Side(place, points[0][0], worlds, sum(n for _, _, n in points))


def _point(point: Mapping[str, Any], cells: pd.DataFrame) -> tuple[Mapping[str, Any], list[World], int]:
    world, defence = _split(point["rehearsal"])
    fine = cells[~cells["is_failed"].astype(bool)]
    worlds = [_world(world, int(row["seed"]), row) for row in fine.to_dict("records")]
    return defence, worlds, len(cells) - len(fine)


def _world(settings: Mapping[str, Any], seed: int, row: Mapping[Any, Any]) -> World:
    figures = {name: None if pd.isna(row[name]) else float(row[name]) for name in FIGURES}
    return World(settings, seed, figures)


def _split(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    world = {"scenario": {k: v for k, v in record["scenario"].items() if k != "seed"}, "attack": record["attack"]}
    return dict(_flat(world)), dict(_flat({"defence": record["defence"]}))


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Spell nested settings out; cohorts and other named tables go by their name."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
        for one in value:
            yield from _flat(one, f"{prefix}.{one['name']}")
    else:
        yield prefix, value


def _checked(place: str, made: Any) -> Any:
    try:
        return made()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NotRehearsedError(f"{place}: its files are damaged or of another version; {_ADVICE}") from error


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise NotRehearsedError(f"{path}: cannot be read ({reason}); {_ADVICE}") from error


def _read_cells(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise NotRehearsedError(f"{path}: cannot be read (it is no Parquet file, or not there); {_ADVICE}") from error
