"""A sweep as lines of text."""

from collections.abc import Mapping
from typing import Any

from simulations.loop.figures import MEASURES, Measure

_TITLES = ("gets through, %", "revoked /10,000", "stopped /10,000", "attacker's cost x", "reviewer hours")
_WIDTH = 24


def lines(summary: Mapping[str, Any]) -> list[str]:
    """Lay a sweep out: a line per grid point, means with their intervals; then caveats and failed cells."""
    shown = [f"{'':>4} " + "".join(f"{title:>{_WIDTH}}" for title in _TITLES) + "   settings"]
    for point in summary["points"]:
        settings = ", ".join(f"{key}={value}" for key, value in point["settings"].items())
        figures = "".join(f"{_spread(point['measures'][m.name], m):>{_WIDTH}}" for m in MEASURES)
        shown.append(f"{point['point']:>4} {figures}   {settings}".rstrip())
    shown += ["", *summary["caveats"]] if summary["caveats"] else [""]
    for point in summary["points"]:
        shown += [f"point {point['point']}, seed {one['seed']} failed: {one['reason']}" for one in point["failed"]]
    return shown


def _spread(found: Mapping[str, Any], measure: Measure) -> str:
    if found["mean"] is None:
        return "-"
    mean = f"{found['mean'] * measure.times:.3g}"
    if found["low"] is None:
        return mean
    return f"{mean} [{found['low'] * measure.times:.3g}, {found['high'] * measure.times:.3g}]"
