"""What a detector costs: figures that declare what `metrics` do, but differ from run to run; `timings` keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cost:
    """A figure of what one log cost at one evidence level.

    Attributes
    ----------
    tolerance: share of the baseline's by which it may be worse; machines that are shared differ by tens of percent.
    of: a row of `timings.json` to the figure.
    """

    name: str
    goal: Literal["low"]
    unit: str
    bounds: tuple[float, float | None]
    tolerance: float
    meaning: str
    of: Callable[[Row], float]


def _per_million(name: str) -> Callable[[Row], float]:
    return lambda row: float(row[name]) / max(float(row["n_rows"]), 1.0) * 1e6


#: Tolerances are chosen: half as much again is more than two runs of one state of the code differ by.
COSTS: Mapping[str, Cost] = {
    cost.name: cost
    for cost in (
        Cost("cpu_seconds_per_million_rows", "low", "s of processor time per million rows", (0.0, None), 0.5,
             "reading a log, linking and judging its accounts", _per_million("cpu_s")),
        Cost("peak_mib_per_million_rows", "low", "MiB per million rows", (0.0, None), 0.5,
             "the most that the process has held; what came before in it counts, too", _per_million("peak_mib")),
    )
}  # fmt: skip
