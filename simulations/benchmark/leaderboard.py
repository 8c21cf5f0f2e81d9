"""The leaderboard as a page: one file, no script, no remote asset, over the style sheet of the detector's reports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.reports.charts import AXIS
from detector.reports.drawing import draw_here
from detector.reports.html import drawn, environment
from simulations.benchmark.exports import SHOWN
from simulations.benchmark.figures import LINKAGE
from simulations.benchmark.suite import ALL

TEMPLATE = Path(__file__).with_name("leaderboard.html.jinja")
#: Colours of lines, told apart in light and dark and by most who see few colours (Okabe and Ito, 2008, darkened).
COLORS = ("#cc5500", "#1a6aa5", "#0b8f6a", "#b0448a", "#9a7d00", "#6a51a3", "#777777", "#2aa0c8")
WIDTH, HEIGHT = 860, 300
_WHAT = {"worse": "worse than the baseline", "better": "better than the baseline", "floor": "below its floor"}

Record = Mapping[str, Any]


def curve_chart(curves: Sequence[Record]) -> str:
    """Draw recall over the false-positive rate, a line per detector; names stand in the page, not in the chart."""
    layers = [
        {
            "data": {"values": [{"rate": rate, "recall": recall} for rate, recall in curve["points"]]},
            "mark": {"type": "line", "color": color, "strokeWidth": 2.5, "strokeJoin": "round"},
            "encoding": {
                "x": {
                    "field": "rate",
                    "type": "quantitative",
                    "scale": {"type": "log", "nice": False},
                    "axis": AXIS | {"grid": False, "values": [1e-4, 1e-3, 1e-2, 1e-1], "format": "~g"},
                },
                "y": {
                    "field": "recall",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1]},
                    "axis": AXIS | {"tickCount": 5, "format": ".0%"},
                },
            },
        }
        for curve, color in zip(curves, COLORS, strict=False)
    ]
    return draw_here({"width": WIDTH, "height": HEIGHT, "layer": layers})


def _level(record: Record, level: int) -> dict[str, Any]:
    named = {row["detector"] for row in record["rows"]}
    scope = ALL if any(row["scenario"] == ALL for row in record["rows"]) else record["scenarios"][0]["id"]
    rows = [r for r in record["rows"] if r["level"] == level and r["scenario"] == scope and r["detector"] != LINKAGE]
    rows.sort(key=lambda row: (-row["figures"].get(SHOWN[0], {"value": -1.0})["value"], row["detector"]))
    places = {row["detector"]: place for place, row in enumerate(rows)}
    curves = [c for c in record["curves"] if c["level"] == level and c["points"] and c["detector"] in named]
    curves = sorted(curves, key=lambda curve: places.get(curve["detector"], 99))[: len(COLORS)]
    return {
        "level": level,
        "rows": rows,
        "metrics": [m for m in record["metrics"] if any(m["name"] in row["figures"] for row in rows)],
        "chart": drawn(curve_chart(curves)) if curves else None,
        "key": [(curve["detector"], f"line-{place}") for place, curve in enumerate(curves)],
        "leads": leads(record, rows),
        "scenarios": [_scenario(record, one, level, list(places)) for one in record["scenarios"]],
        "detectors": list(places),
    }


def leads(record: Record, rows: Sequence[Record]) -> dict[str, str]:
    """Name the detector with the best value of each metric; of equal ones the first by name."""
    best = {}
    for metric in record["metrics"]:
        sign = -1.0 if metric["goal"] == "high" else 1.0
        known = [
            (sign * r["figures"][metric["name"]]["value"], r["detector"])
            for r in rows
            if metric["name"] in r["figures"]
        ]
        if known:
            best[metric["name"]] = min(known)[1]
    return best


def _scenario(record: Record, scenario: Record, level: int, detectors: Sequence[str]) -> dict[str, Any]:
    found = {
        row["detector"]: row for row in record["rows"] if (row["scenario"], row["level"]) == (scenario["id"], level)
    }
    harvested = any(SHOWN[0] in row["figures"] for row in found.values())
    metric = SHOWN[0] if harvested else "false_positives_per_10000"
    cells = [_cell(found.get(name), metric) for name in detectors]
    return {"id": scenario["id"], "title": scenario["title"], "is_harvested": harvested, "cells": cells}


def _cell(row: Record | None, metric: str) -> dict[str, Any]:
    return {
        "figure": (row or {"figures": {}})["figures"].get(metric),
        "status": (row or {"status": "excluded"})["status"],
    }


def _listed(findings: Sequence[Record]) -> list[dict[str, Any]]:
    return [{**one, "what": _WHAT.get(one["kind"], one["kind"])} for one in findings]


def headline(record: Record) -> str:
    """Say in one sentence what came out."""
    gate = record["gate"]
    if not gate["has_baseline"]:
        return "Measured" + ("" if gate["passed"] else ", and not all of it could be")
    n = sum(one["fails"] for one in gate["findings"])
    return "No worse than the baseline" if gate["passed"] else f"The gate failed: {n} finding{'s' if n != 1 else ''}"


def leaderboard(record: Record) -> str:
    """Write the page."""
    levels = sorted({row["level"] for row in record["rows"]}, reverse=True)
    linkage = [row for row in record["rows"] if row["detector"] == LINKAGE and row["scenario"] == ALL]
    made = environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
    return made.render(
        record=record,
        headline=headline(record),
        findings=_listed(record["gate"]["findings"]),
        levels=[_level(record, level) for level in levels],
        linkage=linkage,
        colors=COLORS,
        failed=[row for row in record["rows"] if row["status"] == "failed" and row["scenario"] != ALL],
        excluded=[row for row in record["rows"] if row["status"] == "excluded" and row["scenario"] != ALL],
    )
