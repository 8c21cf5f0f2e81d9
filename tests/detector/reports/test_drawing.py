"""Charts of Vega-Lite as SVG, compiled once a kind."""

from typing import Any

import pytest
from vl_convert import vegalite_to_svg

from detector.reports import drawing

AXES = {"x": {"field": "begin", "type": "quantitative"}, "y": {"field": "n", "type": "quantitative"}}
ROWS = [{"begin": 1, "n": 3}, {"begin": 2, "n": float("nan")}, {"begin": 4, "n": None}]
RULE = {"data": {"values": [{}]}, "mark": "rule", "encoding": {"x": {"datum": 2}}}


@pytest.mark.parametrize(
    "spec",
    [
        {"mark": "bar", "encoding": AXES, "data": {"values": ROWS}},
        {"mark": "bar", "encoding": AXES, "data": {"values": ROWS[:1]}},
        {"mark": "bar", "encoding": AXES, "data": {"values": []}},
        {"layer": [{"mark": "line", "encoding": AXES}, RULE], "data": {"values": ROWS}},
        {"layer": [{"mark": "line", "encoding": AXES, "data": {"values": ROWS}}, RULE]},
    ],
)
def test_a_chart_is_the_one_that_the_engine_draws_whole(spec: dict[str, Any]) -> None:
    """Whether its rows are its own or its layers', and of whatever kind was drawn before: no byte differs."""
    whole = {"background": None, "padding": 2, "config": {"view": {"stroke": None}, "aria": False}, **spec}
    svg = drawing._NAMESPACE.sub("", vegalite_to_svg(whole, allowed_base_urls=[]))
    expected = drawing._SIZE.sub('<svg aria-hidden="true"', svg, count=1)
    other = {**spec, "data": {"values": [{"begin": 9, "n": 9}]}} if "data" in spec else spec
    drawing.draw_here(other)
    assert drawing.draw_here(spec) == expected
    assert drawing.draw_here(other) != expected or other == spec
