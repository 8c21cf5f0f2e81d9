"""Charts of Vega-Lite made into SVG. Loads the chart engine alone, and that when the first is drawn."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_NAMESPACE = re.compile(r'\sxmlns(:\w+)?="[^"]*"')
_SIZE = re.compile(r'<svg class="marks" version="1.1"|<svg version="1.1" class="marks" width="\d+" height="\d+"')
#: Kinds of charts that a page has many of, and some more (chosen).
_KINDS = 8
#: Stands for the rows of a chart; no word of ours is like it.
_ROWS = "rows:2f1b6d"

#: Takes a Vega-Lite chart, gives it as SVG.
Draw = Callable[[Mapping[str, Any]], str]


def draw_here(spec: Mapping[str, Any]) -> str:
    """Draw a Vega-Lite chart as SVG for use inside a page: no script, no address, no size of its own."""
    from vl_convert import vega_to_svg

    config = {"view": {"stroke": None}, "aria": False}
    whole = {"background": None, "padding": 2, "config": config, **spec}
    rows = whole.pop("data", {}).get("values", [])
    chart = _compiled(json.dumps(whole))
    tables = [{**table, "values": rows} if table.get("values") == _ROWS else table for table in chart["data"]]
    svg: str = vega_to_svg({**chart, "data": tables}, allowed_base_urls=[])
    return _SIZE.sub('<svg aria-hidden="true"', _NAMESPACE.sub("", svg), count=1)


@lru_cache(_KINDS)
def _compiled(whole: str) -> dict[str, Any]:
    """Compile a chart, once for all of a kind; rows of the whole chart are put in later."""
    from vl_convert import vegalite_to_vega

    chart: dict[str, Any] = vegalite_to_vega({**json.loads(whole), "data": {"values": _ROWS}})
    return chart
