"""From how many networks and operators accounts call, and sign in. Context for a reader: no score is moved by it.

Of a log the networks are those that profiles keep, at most `profiles.clients.NETWORKS` of an account.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.logs.asn import AsnDatabase
from detector.profiles.batch import to_strings
from detector.profiles.clients import network_hashes, network_name
from detector.profiles.sketches import FREE
from detector.profiles.store import Profiles
from detector.tables import ORIGINS

#: Operators that are listed, those of most networks first. Chosen: what fits a line.
_LISTED = 5
#: What is counted, and the column of `tables.ORIGINS`.
_COUNTED = {
    "network": "n_networks",
    "asn": "n_asns",
    "user_agent": "n_user_agents",
    "tls_fingerprint": "n_tls_fingerprints",
}
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Origins:
    """What tells where accounts come from.

    Attributes
    ----------
    operators: of networks; none leaves those of the log untold.
    seen: tables of `logs.audit.read_audits`.
    """

    operators: AsnDatabase | None = None
    seen: Sequence[pa.Table] = field(default_factory=tuple)

    def table(self, profiles: Profiles, cluster: Numbers, shown: Numbers) -> pa.Table:
        """Lay out `tables.ORIGINS`.

        Parameters
        ----------
        cluster: cluster number of each account, shape (n_accounts,).
        shown: numbers of the accounts to tell of; their clusters are told with all members.
        """
        if self.operators is None and not self.seen:
            return ORIGINS.empty_table()
        near = np.flatnonzero(np.isin(cluster, cluster[shown]))
        clustered = shown[np.bincount(cluster, minlength=1)[cluster[shown]] > 1]
        parts = [ORIGINS.empty_table()]
        for source, things in (("log", self._of_log(profiles, near)), ("audit", self._of_audits(profiles, near))):
            for scope, rows, group in (
                ("account", shown, np.arange(len(profiles))),
                ("cluster", clustered, cluster),
            ):
                found = _counted(things.assign(group=group[things["account"]]))
                is_known = np.isin(group[rows], found.index)
                names = [profiles.account_ids[row] for row in rows[is_known]]
                laid = found.loc[group[rows][is_known]].assign(account_id=names, scope=scope, seen_in=source)
                parts.append(pa.Table.from_pandas(laid[ORIGINS.names], schema=ORIGINS, preserve_index=False))
        order = [("account_id", "ascending"), ("scope", "ascending"), ("seen_in", "descending")]
        return pa.concat_tables(parts).sort_by(order)

    def _of_log(self, profiles: Profiles, near: Numbers) -> pd.DataFrame:
        """Give a row per account and network of it, where operators can be looked up."""
        if self.operators is None or "ip" not in profiles.filled:
            return _nothing()
        hashes = profiles.states["clients"].network_hash[near]
        row, place = np.nonzero(hashes != FREE)
        networks, code = np.unique(hashes[row, place], return_inverse=True)
        asns = self.operators.look_up([network_name(int(one)).partition("/")[0] for one in networks])
        none = np.full(len(row), -1)
        return pd.DataFrame(
            {"account": near[row], "network": code, "asn": asns[code], "user_agent": none, "tls_fingerprint": none}
        )

    def _of_audits(self, profiles: Profiles, near: Numbers) -> pd.DataFrame:
        """Give a row per account and thing seen in an audit log."""
        if not self.seen:
            return _nothing()
        rows = pa.concat_tables(self.seen).combine_chunks()
        numbers = {profiles.account_ids[number]: number for number in near}
        account = np.array([numbers.get(name, -1) for name in rows["account_id"].to_pylist()], np.int64)
        rows, account = rows.filter(pa.array(account >= 0)).combine_chunks(), account[account >= 0]
        if not len(account):
            return _nothing()
        address = rows["ip"].chunk(0)
        hashes, asn = network_hashes(address, to_strings(address)), rows["asn"].fill_null(0).to_numpy()
        if self.operators is not None:
            coded = address.fill_null("").dictionary_encode()
            looked_up = self.operators.look_up(coded.dictionary.to_pylist())[coded.indices.to_numpy()]
            asn = np.where(asn > 0, asn, looked_up)
        things = {name: pd.factorize(rows[name].to_pandas())[0] for name in ("user_agent", "tls_fingerprint")}
        network = np.where(hashes > 0, np.unique(hashes, return_inverse=True)[1], -1)
        return pd.DataFrame({"account": account, "network": network, "asn": asn, **things})


def _nothing() -> pd.DataFrame:
    """Give no rows; codes are -1 for none, and operators 0."""
    return pd.DataFrame({name: pd.Series(dtype=np.int64) for name in ("account", *_COUNTED)})


def _counted(things: pd.DataFrame) -> pd.DataFrame:
    """Count the distinct things of each group, and list its operators; indexed by group."""
    known = things.assign(
        asn=things["asn"].where(things["asn"] > 0),
        **{name: things[name].where(things[name] >= 0) for name in _COUNTED if name != "asn"},
    )
    counts = known.groupby("group")[list(_COUNTED)].nunique().rename(columns=_COUNTED)
    pairs = known.dropna(subset=["asn"]).drop_duplicates(["group", "asn", "network"])
    by_size = pairs.groupby(["group", "asn"]).size().rename("n").reset_index()
    first = by_size.sort_values(["group", "n", "asn"], ascending=[True, False, True]).groupby("group").head(_LISTED)
    listed = first.assign(name=first["asn"].map("AS{:.0f}".format)).groupby("group")["name"].agg(", ".join)
    return counts.assign(asns=listed.reindex(counts.index).fillna("").astype(object))
