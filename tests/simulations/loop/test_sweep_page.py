"""The report of a sweep draws every grid point, and nothing that a name could inject."""

import re
from typing import Any

from simulations.loop.figures import MEASURES
from simulations.loop.sweep_page import trade_off


def point(number: int, mean: float, *, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    """Make a grid point with the same figures in every measure."""
    found = {"n": 3, "mean": mean, "low": low, "high": high}
    return {"point": number, "measures": {measure.name: found for measure in MEASURES}}


def bars(svg: str) -> list[tuple[float, float]]:
    """Give width and height of each bar, one across and one up for each point."""
    found = re.findall(r'<line [^>]*x2="([-\d.]+)" y2="([-\d.]+)" stroke="#cc5500"', svg)
    assert len(found) == 2
    return [(float(across), float(up)) for across, up in found]


def test_intervals_are_drawn_where_there_are_some() -> None:
    """A point without an interval has no bars, so one seed does not look sure."""
    leak, revoked, *_ = MEASURES
    drawn, bare = point(1, 0.4, low=0.3, high=0.5), point(1, 0.4)

    assert all(any(bar) for bar in bars(trade_off([drawn], leak, revoked)))
    assert not any(any(bar) for bar in bars(trade_off([bare], leak, revoked)))


def test_points_in_one_place_share_a_label() -> None:
    """Numbers are not drawn over one another."""
    leak, revoked, *_ = MEASURES

    assert ">1, 2<" in trade_off([point(1, 0.4), point(2, 0.4), point(3, 0.1)], leak, revoked)
