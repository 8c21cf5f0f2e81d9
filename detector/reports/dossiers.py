"""All that the tables say of one account, gathered for a reader. No output format is known here."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector import tables
from detector.errors import UnknownAccountError, nearest
from detector.reports import words
from detector.reports.safe import safe_name
from detector.reports.skeletons import read_alike, skeleton
from detector.reports.waterfall import Step, Waterfall, waterfall
from detector.results import Results

Row = Mapping[str, Any]

#: A family's own log-odds from which it counts as evidence, where a run does not say (the default of `PolicySettings`).
FAMILY_SUPPORT = 1.0

#: Other accounts named per shared thing (chosen: what fits two lines).
NEIGHBOURS = 8


#: Most suspicious accounts searched for a name like the one asked for (chosen: a typing error is answered at once).
MOST_COMPARED = 5000

#: Characters of the name asked for that are compared (chosen: above any real name).
MOST_NAME = 200


@dataclass(frozen=True)
class SharedThing:
    """Something that several accounts use, and some of those accounts."""

    kind: str
    thing: str
    n_accounts: int | None
    n_events: int | None
    others: tuple[str, ...]


@dataclass(frozen=True)
class Dossier:
    """One account with its reasons.

    Attributes
    ----------
    account: its row of `tables.SCORED`.
    cluster: its cluster's row of `tables.CLUSTERS`, if it has one.
    families: families that support the suspicion on their own, strongest first.
    excerpts: a few redacted prompts, where the user asked for them.
    lookalikes: rows of `tables.LOOKALIKES`, nearest kind first.
    without: strongest supporting families, and what the score would be if each were explained away.
    origins: rows of `tables.ORIGINS`.
    twins: other accounts of the log whose names read alike.
    """

    account: Row
    cluster: Row | None
    waterfall: Waterfall
    families: tuple[str, ...]
    without: tuple[tuple[str, float], ...]
    links: tuple[SharedThing, ...]
    timeline: tuple[Row, ...]
    excerpts: tuple[str, ...]
    lookalikes: tuple[Row, ...] = ()
    origins: tuple[Row, ...] = ()
    twins: tuple[str, ...] = ()

    @property
    def account_id(self) -> str:
        """The name exactly as the log has it."""
        return str(self.account["account_id"])

    @property
    def weakest_point(self) -> Step | None:
        """The strongest evidence against."""
        against = self.waterfall.evidence_against
        return against[0] if against else None


def rows_of(table: pa.Table, column: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Give the rows whose column is one of the names."""
    chosen = pc.is_in(table[column], value_set=pa.array(names, pa.string()))
    kept = table.filter(chosen)
    keys = kept.column_names
    return [dict(zip(keys, row, strict=True)) for row in zip(*map(_cells, kept.columns), strict=True)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """Give the values of a column; texts that repeat are made once."""
    if not pa.types.is_string(column.type):
        values: list[Any] = column.to_pylist()
        return values
    coded = column.combine_chunks().dictionary_encode()
    words: list[str | None] = [*coded.dictionary.to_pylist(), None]
    return [words[place] for place in coded.indices.fill_null(-1).to_pylist()]


def _grouped(rows: Iterable[dict[str, Any]], column: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups


def family_support(run: Mapping[str, Any]) -> float:
    """Give the log-odds from which a family counts as evidence in this run."""
    policy = (run.get("settings") or {}).get("policy") or {}
    return float(policy.get("family_support", FAMILY_SUPPORT))


def _family_sums(evidence: Iterable[Row]) -> list[tuple[str, float]]:
    parts: dict[str, list[float]] = defaultdict(list)
    for row in evidence:
        if row["family"]:
            parts[row["family"]].append(row["contribution"])
    sums = [(family, fsum(pieces)) for family, pieces in parts.items()]
    return sorted(sums, key=lambda pair: (-pair[1], pair[0]))


def _falls(columns: Iterable[str]) -> Callable[[Sequence[Row], float], Waterfall]:
    """Give what lays evidence out, once for all accounts that have the same: most members of a cluster do."""
    told = itemgetter(*(column for column in columns if column != "account_id"))
    known: dict[Any, Waterfall] = {}

    def fall(evidence: Sequence[Row], score: float) -> Waterfall:
        key = (score, *map(told, evidence))
        if key not in known:
            known[key] = waterfall(evidence, score)
        return known[key]

    return fall


def _neighbours(links: pa.Table, things: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    by_thing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows_of(links, "thing", sorted(set(things))):
        by_thing[row["kind"], row["thing"]].append(row["account_id"])
    return by_thing


def _shared(links: Iterable[Row], neighbours: Mapping[tuple[str, str], list[str]]) -> tuple[SharedThing, ...]:
    shared = []
    for row in links:
        others = [name for name in neighbours[row["kind"], row["thing"]] if name != row["account_id"]]
        first = tuple(sorted(others)[:NEIGHBOURS])
        shared.append(SharedThing(row["kind"], row["thing"], row["n_accounts"], row["n_events"], first))
    return tuple(sorted(shared, key=lambda one: (-(one.n_accounts or 0), one.kind, one.thing)))


def dossiers(results: Results, accounts: pa.Table, *, with_neighbours: bool = True) -> list[Dossier]:
    """Gather what is known of some accounts.

    Parameters
    ----------
    accounts: rows of `results.scored`, in the order wanted.
    with_neighbours: name other accounts that use the same things or read alike; costs a pass over links and names.
    """
    names = accounts["account_id"].to_pylist()
    evidence = _grouped(rows_of(results.evidence, "account_id", names), "account_id")
    links = _grouped(rows_of(results.links, "account_id", names), "account_id")
    timeline = _grouped(rows_of(results.timeline, "account_id", names), "account_id")
    clusters = {row["cluster_id"]: row for row in rows_of(results.clusters, "cluster_id", _clusters_of(accounts))}
    excerpts = _grouped(rows_of(results.excerpts, "account_id", names), "account_id")
    lookalikes = _grouped(rows_of(results.lookalikes, "account_id", names), "account_id")
    origins = _grouped(rows_of(results.origins, "account_id", names), "account_id")
    things = [row["thing"] for rows in links.values() for row in rows if row["thing"] is not None]
    neighbours = _neighbours(results.links, things) if with_neighbours else defaultdict(list)
    alike = read_alike(results.scored["account_id"]) if with_neighbours else {}
    support = family_support(results.run)
    fall_of = _falls(results.evidence.column_names)
    gathered = []
    for account in accounts.to_pylist():
        name = account["account_id"]
        sums = _family_sums(evidence[name])
        strong = [(family, total) for family, total in sums if total >= support and family in tables.FAMILIES]
        gathered.append(
            Dossier(
                account=account,
                cluster=clusters.get(account["cluster_id"]),
                waterfall=fall_of(evidence[name], account["score"]),
                families=tuple(family for family, _ in strong),
                without=tuple((family, account["score"] - total) for family, total in strong),
                links=_shared(links[name], neighbours),
                timeline=tuple(sorted(timeline[name], key=lambda row: row["begins_at"])),
                excerpts=tuple(row["excerpt"] for row in excerpts[name]),
                lookalikes=tuple(sorted(lookalikes[name], key=lambda row: (row["distance"], row["kind"]))),
                origins=tuple(origins[name]),
                twins=tuple(other for other in alike.get(skeleton(name), ()) if other != name) if alike else (),
            )
        )
    return gathered


def _clusters_of(accounts: pa.Table) -> list[str]:
    return [name for name in accounts["cluster_id"].unique().to_pylist() if name is not None]


def flagged(scored: pa.Table) -> pa.Table:
    """Give the flagged accounts, most suspicious first."""
    return scored.filter(pc.fill_null(scored["is_flagged"], False))


def find_account(results: Results, account_id: str) -> pa.Table:
    """Give the row of one account.

    Raises
    ------
    UnknownAccountError
        No scored account has this name; the nearest are named.
    """
    found = results.scored.filter(pc.equal(results.scored["account_id"], account_id))
    if found.num_rows:
        return found.slice(0, 1)
    names = results.scored["account_id"].slice(0, MOST_COMPARED).to_pylist()
    hint = nearest(account_id[:MOST_NAME], (safe_name(name) for name in names if name is not None))
    n_accounts = words.counted(results.scored.num_rows, "scored account")
    raise UnknownAccountError(
        f"account '{safe_name(account_id)}': is not among the {n_accounts}; {hint}; accounts.csv lists all"
    )
