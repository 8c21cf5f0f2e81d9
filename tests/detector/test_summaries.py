"""The tables of a run, by hand."""

import numpy as np
import pandas as pd

from detector.detectors.base import Verdict
from detector.linkage.links import find_links
from detector.policy import Decisions
from detector.summaries import cluster_names, cluster_table, scored_table, timeline_table
from detector.tables import CLUSTERS, SCORED, TIMELINE
from tests.detector.features.small_logs import MONDAY, folded, log_of

#: a and b share a card and a network, c and d a card; e is alone.
LOG = log_of(
    [0, 1, 2, 3, 7200, 7201],
    account_id=["e", "a", "b", "c", "d", "a"],
    payment_id=["own", "p", "p", "q", "q", "p"],
    ip=["10.0.0.1", "192.0.2.1", "192.0.2.2", "10.1.0.1", "10.2.0.1", "192.0.2.1"],
)
CLUSTER = np.array([3, 1, 1, 0, 0])


def scored_of(scores: list[float], cluster: "np.ndarray" = CLUSTER) -> "object":  # type: ignore[type-arg]
    """Lay out the accounts of `LOG`, in the order e, a, b, c, d."""
    values = np.array(scores)
    verdict = Verdict(0.0, pd.DataFrame({"age": values}), {"age": "economy"})
    flagged = values > 1
    action, lacks = np.where(flagged, "review", "none"), np.full(5, "", dtype=object)
    decisions = Decisions(1.0, {}, np.full(5, 0.5), np.full(5, 2.0), flagged, action, lacks)
    return scored_table(folded(LOG), cluster, verdict, decisions)


def test_clusters_are_named_by_size() -> None:
    """The largest is c1, equal ones keep their numbers' order, and who is alone has no cluster."""
    assert cluster_names(np.array([2, 0, 1, 1, 0, 1, 3])).tolist() == [None, "c2", "c1", "c1", "c2", "c1", None]


def test_scored_accounts_are_ranked() -> None:
    """Highest score first, equal scores by name, ranks from 1; the schema is the contract's."""
    table = scored_of([0.5, 2.0, 0.5, 3.0, 0.5])
    assert table.schema == SCORED
    rows = table.to_pandas()
    assert rows.account_id.tolist() == ["c", "a", "b", "d", "e"]
    assert rows["rank"].tolist() == [1, 2, 3, 4, 5]
    assert rows.is_flagged.tolist() == [True, True, False, False, False]
    assert rows.score_economy.tolist() == rows.score.tolist()
    assert rows.score_rate.tolist() == [0.0] * 5
    assert rows.n_events.tolist() == [1, 2, 1, 1, 1]
    assert rows.first_seen_at[1] == MONDAY + pd.Timedelta(seconds=1)
    assert rows.last_seen_at[1] == MONDAY + pd.Timedelta(seconds=7201)


def test_clusters_are_summed_up() -> None:
    """Members, requests, the highest score, flagged members, and what is shared inside."""
    table = cluster_table(scored_of([0.0, 2.0, 2.0, 3.0, 0.5]), find_links(folded(LOG).trimmed()), CLUSTER)
    assert table.schema == CLUSTERS
    rows = table.to_pandas().set_index("cluster_id")
    assert rows.index.tolist() == ["c1", "c2"]
    assert rows.loc["c1", ["n_accounts", "n_events", "score", "n_flagged"]].tolist() == [2, 2, 3.0, 1]
    assert rows.loc["c2", ["n_accounts", "n_events", "score", "n_flagged"]].tolist() == [2, 3, 2.0, 2]
    assert rows.link_kinds.tolist() == ["payment", "payment,network"]
    assert rows.n_shared_things.tolist() == [1, 2]


def test_a_log_without_clusters_has_an_empty_table() -> None:
    """Nobody tied, no row, the whole schema."""
    alone = np.arange(5)
    table = cluster_table(scored_of([0.0] * 5, alone), find_links(folded(LOG).trimmed()), alone)
    assert table.schema == CLUSTERS
    assert table.num_rows == 0


def test_timeline_counts_requests() -> None:
    """One row a non-empty hour of the accounts that are asked for, in their order."""
    table = timeline_table(folded(LOG), np.array([1, 4]))
    assert table.schema == TIMELINE
    expected = [("a", MONDAY, 1), ("a", MONDAY + pd.Timedelta(hours=2), 1), ("d", MONDAY + pd.Timedelta(hours=2), 1)]
    assert [(r["account_id"], r["begins_at"], r["n_events"]) for r in table.to_pylist()] == expected
    assert set(table["width_s"].to_pylist()) == {3600}
    assert timeline_table(folded(LOG), np.empty(0, np.int64)).schema == TIMELINE
