from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detector.reports.charts import MOST_BARS, bars_over_time, request_timeline, score_bins, score_histogram


def _buckets(n: int, *, width_s: int = 3600):
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    return [
        {"begins_at": begin + timedelta(seconds=width_s * place), "width_s": width_s, "n_events": 2}
        for place in range(n)
    ]


def test_threshold_is_an_edge_of_the_histogram():
    """No bin holds both flagged and unflagged accounts, and every account is counted once."""
    scores = np.array([-3.0, -2.9, 1.999, 2.0, 2.5, 8.0, np.nan, np.inf])
    bins = score_bins(scores, 2.0)
    assert sum(row["n"] for row in bins) == 6
    assert sum(row["n"] for row in bins if row["is_flagged"]) == 3
    assert all(row["begin"] >= 2.0 - 1e-9 for row in bins if row["is_flagged"])


@pytest.mark.parametrize("scores", [[], [1.0], [1.0, 1.0], [np.nan]])
def test_degenerate_scores_can_be_drawn(scores):
    """No account, one account, equal scores: a chart all the same."""
    assert score_histogram(np.array(scores, float), 0.5).startswith("<svg")


def test_timeline_keeps_every_request():
    """Buckets are added up until they fit; requests are neither lost nor doubled."""
    bars = bars_over_time(_buckets(1000))
    assert len(bars) <= MOST_BARS + 1
    assert sum(bar["n"] for bar in bars) == 2000
    assert bars_over_time([]) == []


def test_charts_are_repeatable_and_carry_no_address():
    """The same rows give the same bytes, however many charts were drawn before."""
    one = request_timeline(_buckets(20), domain=None)
    request_timeline(_buckets(7), domain=(1793491200000, 1793750400000))
    assert one == request_timeline(_buckets(20), domain=None)
    assert "http" not in one
    assert "xmlns" not in one
