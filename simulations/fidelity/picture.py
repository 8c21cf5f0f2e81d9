"""One picture of a comparison: quantiles of simulated and real figures, one panel each, from a Vega-Lite spec."""

from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
#: Colours that differ for every kind of eye (Okabe, Ito).
COLOURS = {"simulated": "#E69F00", "real": "#0072B2"}


def spec(curves: list[dict[str, Any]], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Describe the picture: quantile curves, then every distance as a share of its tolerance."""
    bars = [{"figure": name, "ratio": row["distance"] / row["tolerance"]} for name, row in rows.items()]
    line = {
        "mark": {"type": "line"},
        "encoding": {
            "x": {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}},
            "y": {"field": "share", "type": "quantitative", "title": "share of accounts or requests"},
            "color": {
                "field": "source",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(COLOURS), "range": list(COLOURS.values())},
            },
            "order": {"field": "share"},
        },
        "width": 210,
        "height": 130,
    }
    panels = {
        "data": {"values": curves},
        "facet": {"field": "figure", "type": "nominal", "title": None},
        "columns": 3,
        "spec": line,
        "resolve": {"scale": {"x": "independent"}},
    }
    ratios = {
        "data": {"values": bars},
        "mark": "bar",
        "width": 500,
        "encoding": {
            "y": {"field": "figure", "type": "nominal", "title": None, "sort": None},
            "x": {"field": "ratio", "type": "quantitative", "title": "distance as a share of its tolerance"},
            "color": {"condition": {"test": "datum.ratio > 1", "value": "#D55E00"}, "value": "#009E73"},
        },
    }
    config = {"axis": {"labelLimit": 400}, "background": "white"}
    return {"$schema": SCHEMA, "vconcat": [panels, ratios] if curves else [ratios], "config": config}


def svg(curves: list[dict[str, Any]], rows: dict[str, dict[str, Any]]) -> str:
    """Draw the picture."""
    from vl_convert import vegalite_to_svg

    drawn: str = vegalite_to_svg(spec(curves, rows))
    return drawn
