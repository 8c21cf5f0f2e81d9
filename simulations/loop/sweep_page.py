"""The report of a sweep: the trade-off between what gets through and who is hurt, drawn with its intervals.

Style sheet and drawing are those of `detector.reports`; every text goes through its `shown`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.reports import charts, drawing
from detector.reports.html import drawn, environment
from simulations.loop.figures import MEASURES, Measure

_TEMPLATE = Path(__file__).with_name("sweep.html.jinja")
_HEADINGS = {
    "leak_share": "Gets through, %",
    "revoked_share": "Wrongly revoked",
    "stopped_share": "Wrongly stopped",
    "cost_multiplier": "Attacker's cost, x",
    "reviewer_hours": "Reviewer hours",
}
#: Colours that the style sheet of reports exchanges for its own.
_FAINT, _STRONG = "#777777", "#cc5500"


def trade_off(points: list[Mapping[str, Any]], across: Measure, up: Measure, *, is_joined: bool = False) -> str:
    """Draw grid points by two measures, each with its interval where there is one, joined in their order if asked."""
    rows = _labelled([row for row in (_place(point, across, up) for point in points) if row])
    x = {"type": "quantitative", "title": across.title, "scale": {"zero": True, "nice": True}}
    y = {"type": "quantitative", "title": up.title, "scale": {"zero": True, "nice": True}}
    axis = {"ticks": False, "domain": False, "labelPadding": 6, "labelFontSize": 11, "titleFontWeight": "normal"}
    x["axis"], y["axis"] = axis | {"grid": False}, axis | {"tickCount": 5}
    at = {"x": {"field": "x", **x}, "y": {"field": "y", **y}}
    number = {"field": "number", "type": "quantitative"}
    rule = {"type": "rule", "color": _STRONG, "strokeWidth": 1.5, "opacity": 0.45}
    dot = {"type": "point", "shape": "circle", "filled": True, "color": _STRONG, "size": 60, "opacity": 1}
    label = {"type": "text", "align": "left", "dx": 5, "dy": -9, "fontSize": 12, "fontWeight": 600}
    line = {"type": "line", "color": _FAINT, "strokeWidth": 1, "opacity": 0.6}
    layers: list[dict[str, Any]] = [
        *([{"mark": line, "encoding": at | {"order": number}}] if is_joined else []),
        {"mark": rule, "encoding": {"x": {"field": "x_low", **x}, "x2": {"field": "x_high"}, "y": at["y"]}},
        {"mark": rule, "encoding": {"x": at["x"], "y": {"field": "y_low", **y}, "y2": {"field": "y_high"}}},
        {"mark": dot, "encoding": at},
        {"mark": label, "encoding": at | {"text": {"field": "label"}}},
    ]
    return drawing.draw_here({"width": charts.WIDTH - 60, "height": 300, "data": {"values": rows}, "layer": layers})


def _labelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Label points by their numbers; points in one place share the label of the first."""
    labels: dict[tuple[float, float], list[str]] = {}
    for row in rows:
        labels.setdefault((row["x"], row["y"]), []).append(f"{row['number']}")
    return [{**row, "label": ", ".join(labels.pop((row["x"], row["y"]), []))} for row in rows]


def _place(point: Mapping[str, Any], across: Measure, up: Measure) -> dict[str, Any] | None:
    row: dict[str, Any] = {"number": point["point"]}
    for side, measure in (("x", across), ("y", up)):
        found = point["measures"][measure.name]
        if found["mean"] is None:
            return None
        row[side] = found["mean"] * measure.times
        for bound in ("low", "high"):
            value = found["mean"] if found[bound] is None else found[bound]
            row[f"{side}_{bound}"] = max(0.0, value * measure.times)
    return row


def _is_one_number(axes: list[Mapping[str, Any]]) -> bool:
    """Tell whether grid points have an order: one axis, of numbers."""
    return len(axes) == 1 and {type(value) for value in axes[0]["values"]} <= {int, float}


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def write_page(summary: Mapping[str, Any], path: Path) -> None:
    """Write `report.html` of a sweep.

    Parameters
    ----------
    summary: as `sweep.summary_of` gives it.
    """
    made = environment()
    made.globals["setting"] = _setting
    leak, revoked, stopped, *_ = MEASURES
    is_joined = _is_one_number(summary["axes"])
    pictures = [
        (
            f"{leak.title[0].upper()}{leak.title[1:]}, against {up.title}",
            drawn(trade_off(summary["points"], leak, up, is_joined=is_joined)),
        )
        for up in (revoked, stopped)
    ]
    text = made.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        sweep=summary, measures=MEASURES, headings=_HEADINGS, charts=pictures
    )
    path.write_text(text, encoding="utf-8", newline="\n")
