"""What a sweep runs: the product of its axes over the same seeds, every rehearsal checked before the first begins."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import ConfigError, UsageError
from simulations.loop.axes import Axis, assignments_of, axes_of, grid, settable, settled
from simulations.loop.cells import Cell
from simulations.loop.rehearsal import Rehearsal, read_rehearsal
from simulations.loop.spread import FEW

#: More cells than this are refused. Chosen: at a second each they take three hours.
MOST_CELLS = 10_000


@dataclass(frozen=True)
class Plan:
    """What is to be run: axes, seeds, and a cell for each grid point and seed, in this order."""

    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]


def plan_sweep(
    scenario: Path,
    sweeps: Iterable[str],
    *,
    n_seeds: int = 1,
    defence: Path | None = None,
    attack: Path | None = None,
    seed: int | None = None,
    assignments: Iterable[str] = (),
) -> Plan:
    """Check every rehearsal of a sweep before any of them runs.

    Parameters
    ----------
    sweeps: as of ``--sweep``: ``KEY=VALUE,VALUE,...``; several make their product.
    n_seeds: worlds per grid point; seeds follow one another from `seed`, or from the scenario's, the same for all.

    Raises
    ------
    ConfigError
        A file, key or value is wrong, or two grid points are one.
    UsageError
        There is no seed, or there are more than `MOST_CELLS` cells.
    """
    if n_seeds < 1:
        raise UsageError(f"--seeds {n_seeds}: without a seed nothing is run; give at least 1, better {FEW} or more")
    assignments = list(assignments)
    base = read_rehearsal(scenario, defence=defence, attack=attack, seed=seed, assignments=assignments)
    axes = axes_of(sweeps, settable(base.scenario))
    _check_set_twice(axes, assignments)
    seeds = tuple(range(base.scenario.seed, base.scenario.seed + n_seeds))
    n_cells = math.prod(len(axis.values) for axis in axes) * n_seeds
    if n_cells > MOST_CELLS:
        raise UsageError(f"--sweep, --seeds: {n_cells} cells, and at most {MOST_CELLS} are run; sweep fewer values")

    def read(changes: Sequence[str], one: int) -> Rehearsal:
        try:
            return read_rehearsal(
                scenario, defence=defence, attack=attack, seed=one, assignments=[*assignments, *changes]
            )
        except ConfigError as error:
            raise ConfigError(f"--sweep {', '.join(changes)}: {error}" if changes else str(error)) from error

    return Plan(axes, seeds, _cells(grid(axes), seeds, read))


def _cells(
    points: list[dict[str, Any]], seeds: Sequence[int], read: Callable[[Sequence[str], int], Rehearsal]
) -> tuple[Cell, ...]:
    cells: dict[str, Cell] = {}
    for number, settings in enumerate(points, start=1):
        changes = assignments_of(settings)
        for seed in seeds:
            rehearsal = read(changes, seed)
            cell = Cell(number, settled(settings, rehearsal.record()), rehearsal)
            twin = cells.setdefault(rehearsal.digest, cell)
            if twin is not cell:
                raise ConfigError(
                    f"--sweep: grid points {twin.point} and {number} are the same rehearsal ({', '.join(changes)}); "
                    "give every value once"
                )
    return tuple(cells.values())


def _check_set_twice(axes: Iterable[Axis], assignments: Iterable[str]) -> None:
    given = {text.partition("=")[0].strip() for text in assignments}
    for axis in axes:
        if axis.key in given:
            raise ConfigError(f"--sweep {axis.key}: --set gives it, too; leave one of them out")
