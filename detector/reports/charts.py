"""What the charts of a page show, drawn in process. They hold numbers and words of our own; never a name from a log.

Colours are left to the page's style sheet, so that a chart follows light, dark and print.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.reports.drawing import Draw, draw_here

WIDTH = 720

#: Bins of the score histogram (chosen: a bin stays wider than 10 px).
BINS = 64

#: Bars of a timeline; more buckets are added up.
MOST_BARS = 96

#: Of every axis: numbers, without lines of their own.
AXIS = {"title": None, "ticks": False, "domain": False, "labelPadding": 6, "labelFontSize": 11}


def score_bins(scores: npt.NDArray[np.float64], threshold: float | None) -> list[dict[str, Any]]:
    """Count scores in equal bins, one edge of which is the threshold.

    Parameters
    ----------
    scores: log-odds; those that are not finite are left out, shape (n_accounts,).

    Returns
    -------
    Rows of `begin`, `end`, `n` and `is_flagged`, bins without accounts left out.
    """
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        return []
    low, high = float(finite.min()), float(finite.max())
    width = max(high - low, 1e-6) / BINS
    origin = low if threshold is None else threshold
    begins = np.arange(np.floor((low - origin) / width), np.floor((high - origin) / width) + 1)
    edges = origin + width * np.append(begins, begins[-1] + 1)
    places = np.clip(np.searchsorted(edges, finite, side="right") - 1, 0, len(begins) - 1)
    counts = np.bincount(places, minlength=len(begins))
    return [
        {
            "begin": float(edges[i]),
            "end": float(edges[i + 1]),
            "n": int(counts[i]),
            "is_flagged": bool(threshold is not None and begins[i] >= 0),
        }
        for i in np.flatnonzero(counts)
    ]


def _bars(field: str, color: str) -> dict[str, Any]:
    return {
        "mark": {"type": "rect", "color": color},
        "encoding": {"x": {"field": "begin"}, "x2": {"field": "end"}, "y": {"field": field}, "y2": {"datum": 0}},
    }


def score_histogram(scores: npt.NDArray[np.float64], threshold: float | None, *, draw: Draw = draw_here) -> str:
    """Draw how many accounts have which score, flagged ones apart, the threshold marked.

    Counts are on a symmetric-log scale: a handful of flagged accounts stays visible beside a million others.
    """
    rows = score_bins(scores, threshold)
    top = max((row["n"] for row in rows), default=1)
    ticks = [0] + [10**power for power in range(len(str(top)))]
    y = {"type": "quantitative", "scale": {"type": "symlog"}, "axis": AXIS | {"values": ticks, "format": ",d"}}
    x = {
        "type": "quantitative",
        "scale": {"zero": False, "nice": False},
        "axis": AXIS | {"grid": False, "tickCount": 9},
    }
    layers = []
    for is_flagged, color in ((False, "#777777"), (True, "#cc5500")):
        layer = _bars("n", color)
        layer["encoding"] = {key: dict(value) for key, value in layer["encoding"].items()}
        layer["encoding"]["x"] |= x
        layer["encoding"]["y"] |= y
        layer["data"] = {"values": [row for row in rows if row["is_flagged"] == is_flagged]}
        layers.append(layer)
    if threshold is not None:
        layers.append(_threshold_rule(threshold))
    return draw({"width": WIDTH, "height": 150, "layer": layers})


def _threshold_rule(threshold: float) -> dict[str, Any]:
    place = {"datum": threshold, "type": "quantitative"}
    rule = {"mark": {"type": "rule", "color": "#cc5500", "strokeWidth": 1.5}, "encoding": {"x": place}}
    text = {"type": "text", "align": "left", "baseline": "top", "dx": 5, "fontSize": 12, "fontWeight": 600}
    words = {
        "mark": text,
        "encoding": {"x": place, "y": {"value": 0}, "text": {"value": f"flagged from {threshold:.2f}"}},
    }
    return {"layer": [rule, words], "data": {"values": [{}]}}


def bars_over_time(timeline: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add up the buckets of a timeline until there are at most `MOST_BARS`.

    Parameters
    ----------
    timeline: rows of `tables.TIMELINE` of one account, in order of time.

    Returns
    -------
    Rows of `begin` and `end` (ms since 1970, UTC) and `n`.
    """
    buckets = [(int(row["begins_at"].timestamp()), row["width_s"], row["n_events"]) for row in timeline]
    if not buckets:
        return []
    first, last = buckets[0][0], max(begin + width for begin, width, _ in buckets)
    width = max(bucket[1] for bucket in buckets)
    while (last - first) / width > MOST_BARS:
        width *= 2
    counts: dict[int, int] = {}
    for begin, _, n_events in buckets:
        place = (begin - first) // width
        counts[place] = counts.get(place, 0) + n_events
    return [
        {"begin": 1000 * (first + place * width), "end": 1000 * (first + (place + 1) * width), "n": n}
        for place, n in sorted(counts.items())
    ]


def request_timeline(
    timeline: Sequence[Mapping[str, Any]], *, domain: tuple[int, int] | None, draw: Draw = draw_here
) -> str:
    """Draw the requests of one account over time.

    Parameters
    ----------
    domain: first and last instant of the log, ms since 1970, so that all accounts share one axis.
    """
    rows = bars_over_time(timeline)
    layer = _bars("n", "#777777")
    scale: dict[str, Any] = {"type": "utc"} | ({"domain": list(domain)} if domain else {})
    layer["encoding"]["x"] |= {
        "type": "temporal",
        "scale": scale,
        "axis": AXIS | {"grid": False, "tickCount": 5, "format": "%d %b"},
    }
    layer["encoding"]["y"] |= {"type": "quantitative", "axis": AXIS | {"tickCount": 2, "format": ",d"}}
    return draw({"width": WIDTH, "height": 72, "data": {"values": rows}, **layer})
