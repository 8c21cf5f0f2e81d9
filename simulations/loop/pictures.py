"""Charts of a rehearsal over the days of the log, drawn by the detector's machinery; colours are the style sheet's."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from detector.reports.charts import AXIS
from detector.reports.drawing import draw_here

#: Widths and heights, in px of a page that shows a chart as it is.
WIDE, NARROW, HIGH, LOW = 860, 480, 210, 150
#: Colours that `page.html.jinja` gives a meaning of its own in light and dark.
WITH, WITHOUT, MARK, BETWEEN = "#cc5500", "#777777", "#1a6aa5", "#e2eff9"
_LINE_PX = 15

Points = list[dict[str, float]]


def points(values: Sequence[float], days: float, *, first: float) -> Points:
    """Place what holds at the end of each day; the last day may be short.

    Examples
    --------
    >>> points([3, 4], 1.5, first=0)
    [{'day': 0.0, 'n': 0.0}, {'day': 1.0, 'n': 3.0}, {'day': 1.5, 'n': 4.0}]
    """
    ends = [min(place + 1.0, days) for place in range(len(values))]
    return [{"day": day, "n": float(n)} for day, n in zip([0.0, *ends], [first, *values], strict=True)]


def marks_of(row: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Give the days of decisions with their words, those of one instant together."""
    decisions = (("found", "flags"), ("first limit", "limit"), ("first stop", "stop"))
    named = [(text, row[f"days_to_first_{what}"]) for text, what in decisions]
    told: dict[float, list[str]] = {row["begins_on_day"]: ["first request"]}
    for text, days in named:
        if days is not None:
            told.setdefault(row["begins_on_day"] + days, []).append(text)
    return [(day, f"{', '.join(texts)}: day {day:g}") for day, texts in sorted(told.items())]


def leak(row: Mapping[str, Any], days: float) -> str:
    """Draw what was taken so far, with the defence and without."""
    daily = row["daily"]
    now, alone = ([*accumulate(daily[name])] for name in ("taken", "taken_without"))
    between = [{**p, "other": q["n"]} for p, q in zip(*(points(v, days, first=0) for v in (now, alone)), strict=True)]
    layers = [_area(between), _line(alone, days, WITHOUT), _line(now, days, WITH), *_marks(marks_of(row), days)]
    return _drawn(layers, days, WIDE, HIGH, money=False)


def alive(row: Mapping[str, Any], days: float) -> str:
    """Draw the accounts in use."""
    line = _line(row["daily"]["alive"], days, WITH, first=row["n_first_accounts"])
    return _drawn([line, *_marks(marks_of(row), days, is_told=False)], days, NARROW, LOW, money=False)


def spending(row: Mapping[str, Any], days: float) -> str:
    """Draw what was spent so far, with the defence and without."""
    daily, first = row["daily"], row["first_usd"]
    lines = [
        _line(daily["spent_usd_without"], days, WITHOUT, first=first),
        _line(daily["spent_usd"], days, WITH, first=first),
    ]
    return _drawn([*lines, *_marks(marks_of(row), days, is_told=False)], days, NARROW, LOW, money=True)


def _drawn(layers: list[dict[str, Any]], days: float, width: int, height: int, *, money: bool) -> str:
    scale = {"domain": [0, days], "nice": False}
    x = {"type": "quantitative", "scale": scale, "axis": AXIS | {"grid": False, "tickCount": 10, "format": "~f"}}
    y = {"type": "quantitative", "axis": AXIS | {"tickCount": 4, "format": "$,~f" if money else ",~f"}}
    for layer in layers:
        encoding = layer["encoding"]
        encoding["x"] = encoding["x"] | x
        if "field" in encoding.get("y", {}):
            encoding["y"] = encoding["y"] | y
    return draw_here({"width": width, "height": height, "layer": layers})


def _line(values: Sequence[float], days: float, color: str, *, first: float = 0.0) -> dict[str, Any]:
    return {
        "data": {"values": points(values, days, first=first)},
        "mark": {"type": "line", "color": color, "strokeWidth": 2.5, "strokeJoin": "round"},
        "encoding": {"x": {"field": "day"}, "y": {"field": "n"}},
    }


def _area(rows: Points) -> dict[str, Any]:
    return {
        "data": {"values": rows},
        "mark": {"type": "area", "color": BETWEEN, "opacity": 1},
        "encoding": {"x": {"field": "day"}, "y": {"field": "n"}, "y2": {"field": "other"}},
    }


def _marks(marks: list[tuple[float, str]], days: float, *, is_told: bool = True) -> list[dict[str, Any]]:
    """Draw a line at each mark, its words beside it on a row of their own, so that no line crosses other words."""
    layers = []
    for place, (day, text) in enumerate(_outer_first(marks, days)):
        at = {"datum": day}
        top = -_LINE_PX * (len(marks) - place) + 2 if is_told else 0
        rule = {"type": "rule", "color": MARK, "strokeDash": [4, 3], "y": top}
        layers.append({"data": {"values": [{}]}, "mark": rule, "encoding": {"x": at}})
        if is_told:
            is_late = day > days / 2
            look = {"type": "text", "align": "right" if is_late else "left", "baseline": "top", "fontSize": 12}
            look |= {"dx": -5 if is_late else 5, "color": MARK, "fontWeight": 600}
            encoding = {"x": at, "y": {"value": top - 1}, "text": {"value": text}}
            layers.append({"data": {"values": [{}]}, "mark": look, "encoding": encoding})
    return layers


def _outer_first(marks: list[tuple[float, str]], days: float) -> list[tuple[float, str]]:
    """Put marks of the first half of the log in order of time, those of the second half after them, the last first."""
    return sorted(marks, key=lambda mark: (mark[0] > days / 2, -abs(mark[0] - days / 2)))
