"""Arrays of a run laid out as the tables of `detector.tables`."""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.detectors.base import Verdict
from detector.detectors.lookalikes import Kind
from detector.linkage.links import HELD, KINDS, Links, community_name
from detector.policy import Decisions
from detector.profiles.clients import network_name
from detector.profiles.rhythm import TIMELINE_PLACES, timeline_shift
from detector.profiles.store import Profiles
from detector.tables import CLUSTERS, FAMILIES, LINKS, LOOKALIKES, SCORED, TIMELINE

_HOUR_S = 3600
Numbers = npt.NDArray[np.int64]


def cluster_names(cluster: Numbers) -> npt.NDArray[np.object_]:
    """Name the cluster of each account; None where an account is alone. Shape (n_accounts,).

    The largest cluster is c1; ties go to the lower cluster number.
    """
    size = np.bincount(cluster)
    by_size = np.argsort(-size, kind="stable")
    place = np.empty(len(size), np.int64)
    place[by_size] = np.arange(1, len(size) + 1)
    return np.array([f"c{place[c]}" if size[c] > 1 else None for c in cluster], dtype=object)


def scored_table(profiles: Profiles, cluster: Numbers, verdict: Verdict, decisions: Decisions) -> pa.Table:
    """Lay out `tables.SCORED`, most suspicious first, equal scores by account name."""
    volume = profiles.trimmed()["volume"]
    table = pa.table(
        {
            "account_id": pa.array(profiles.account_ids, pa.string()),
            "score": verdict.scores,
            "p_value": decisions.p_value,
            "e_value": decisions.e_value,
            "is_flagged": decisions.is_flagged,
            "action": pa.array(decisions.action.tolist(), pa.string()),
            **{f"score_{family}": verdict.by_family(family) for family in FAMILIES},
            "cluster_id": pa.array(cluster_names(cluster).tolist(), pa.string()),
            "held_back": pa.array(decisions.held_back.tolist(), pa.string()),
            "n_events": volume.n_requests,
            "first_seen_at": pa.array(volume.first_at).cast(pa.timestamp("us", tz="UTC")),
            "last_seen_at": pa.array(volume.last_at).cast(pa.timestamp("us", tz="UTC")),
        }
    ).sort_by([("score", "descending"), ("account_id", "ascending")])
    ranked = table.append_column("rank", pa.array(np.arange(1, table.num_rows + 1)))
    return ranked.select(SCORED.names).cast(SCORED)


def _kinds_by_cluster(links: Links, cluster: Numbers, scale: int) -> dict[int, tuple[str, int]]:
    """Give, per cluster, what kinds of things two or more of its members share, and how many things."""
    frame = pd.DataFrame({"cluster": cluster[links.account], "kind": links.kind, "thing": links.thing})
    within = frame.groupby(["cluster", "kind", "thing"]).size()
    shared = within[within > 1].reset_index()
    counted = shared.groupby(["cluster", "kind"]).size().reset_index(name="n")
    counted = counted.sort_values(["cluster", "n", "kind"], ascending=[True, False, True])
    names = list(KINDS)
    return {
        int(number): (",".join(names[k] for k in rows.kind), int(rows.n.sum()))
        for number, rows in counted.groupby("cluster")
        if number < scale
    }


def cluster_table(scored: pa.Table, links: Links, cluster: Numbers) -> pa.Table:
    """Lay out `tables.CLUSTERS`, most suspicious first."""
    names = cluster_names(cluster)
    kinds = _kinds_by_cluster(links, cluster, int(cluster.max(initial=0)) + 1)
    named = {str(names[i]): kinds.get(int(cluster[i]), ("", 0)) for i in np.flatnonzero(names != np.array(None))}
    members = scored.to_pandas().dropna(subset=["cluster_id"])
    rows = members.groupby("cluster_id", sort=False).agg(
        n_accounts=("account_id", "size"),
        n_events=("n_events", "sum"),
        score=("score", "max"),
        n_flagged=("is_flagged", "sum"),
        first_seen_at=("first_seen_at", "min"),
        last_seen_at=("last_seen_at", "max"),
    )
    rows = rows.reset_index()
    rows["link_kinds"] = [named[c][0] for c in rows.cluster_id]
    rows["n_shared_things"] = [named[c][1] for c in rows.cluster_id]
    return pa.Table.from_pandas(rows[CLUSTERS.names], schema=CLUSTERS, preserve_index=False)


def _thing_name(kind: int, thing: int, profiles: Profiles) -> str:
    name = list(KINDS)[kind]
    if name == "network":
        return network_name(thing)
    if name not in HELD:
        return community_name(thing)
    column = {"payment": "payment_id", "organisation": "org_id"}.get(name)
    known = profiles.names[column].get(thing) if column else None
    return known if known is not None else f"{thing:016x}"


def link_table(links: Links, profiles: Profiles) -> pa.Table:
    """Lay out `tables.LINKS`; text things are shown by fingerprint only."""
    pairs = pd.DataFrame({"kind": links.kind, "thing": links.thing})
    distinct = pairs.drop_duplicates()
    labels = [_thing_name(int(k), int(t), profiles) for k, t in zip(distinct.kind, distinct.thing, strict=True)]
    named = pairs.merge(distinct.assign(label=labels), on=["kind", "thing"], how="left")
    kinds = np.array(list(KINDS), dtype=object)
    accounts = pa.array(profiles.account_ids, pa.string())
    table = pa.table(
        {
            "account_id": accounts.take(pa.array(links.account)),
            "kind": pa.array(kinds[links.kind], pa.string()),
            "thing": pa.array(named.label, pa.string()),
            "n_accounts": pa.array(links.n_accounts),
            "n_events": pa.array(links.n_events),
        }
    )
    return table.cast(LINKS).sort_by([("account_id", "ascending"), ("kind", "ascending"), ("thing", "ascending")])


def lookalike_table(
    features: pd.DataFrame, kinds: Mapping[str, Kind], *, level: int, used: Collection[str]
) -> pa.Table:
    """Lay out `tables.LOOKALIKES`, nearest kind first.

    Parameters
    ----------
    features: of the accounts to tell of, as they were judged, indexed by account; shape (n, n_features).
    level: evidence level of the model that judged them.
    used: features that it uses.
    """
    parts = [
        pd.DataFrame(
            {
                "account_id": features.index.to_numpy(),
                "kind": name,
                "distance": kind.distance(features, used),
                "typical": kind.typical[level],
                "far": kind.far[level],
                "n_accounts": kind.n,
            }
        )
        for name, kind in sorted(kinds.items())
        if level in kind.typical
    ]
    if not parts:
        return LOOKALIKES.empty_table()
    rows = pd.concat(parts).dropna(subset=["distance"]).sort_values(["account_id", "distance", "kind"])
    return pa.Table.from_pandas(rows, schema=LOOKALIKES, preserve_index=False)


def timeline_table(profiles: Profiles, shown: Numbers) -> pa.Table:
    """Lay out `tables.TIMELINE` for the accounts whose numbers are given."""
    rhythm = profiles.states["rhythm"]
    rows: list[tuple[str, int, int, int]] = []
    for number in shown.tolist():
        shift = int(timeline_shift(rhythm.first_hour[number], rhythm.last_hour[number]))
        base = int(rhythm.first_hour[number]) >> shift
        for place in np.flatnonzero(rhythm.timeline[number, :TIMELINE_PLACES]).tolist():
            begins_s = ((base + place) << shift) * _HOUR_S
            count = int(rhythm.timeline[number, place])
            rows.append((profiles.account_ids[number], begins_s * 1_000_000, _HOUR_S << shift, count))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    begins = pa.array(columns[1], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table([pa.array(columns[0], pa.string()), begins, columns[2], columns[3]], names=TIMELINE.names).cast(
        TIMELINE
    )
