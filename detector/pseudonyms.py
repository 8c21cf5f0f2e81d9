"""Names and addresses of a run under keyed pseudonyms. The key never leaves its file but for this process's memory.

One place makes them, `Pseudonyms.applied`, on the tables that leave the pipeline; writers know nothing of it.
Rows are put in order anew: tables in the order of the names behind them would give the names away.
"""

import hmac
import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.errors import KeyFileError
from detector.results import Results
from detector.tables import CLUSTERS, SCORED

#: Bytes that a key must have at least: the length of a SHA-256 digest, as RFC 2104, section 3, asks.
LEAST_BYTES = 32
#: Chosen: no key is longer, and a device or a log given by mistake is not read to its end.
_MOST_BYTES = 1 << 16
#: Chosen: 64 random hexadecimal digits have fewer different ones than 8 once in more than 10^13 keys.
_LEAST_DISTINCT = 8
_HEX = frozenset(b"0123456789abcdefABCDEF")
#: Parts the keys of purposes from whatever else may be made of the same key one day.
_LABEL = b"stillwatch pseudonyms 1\x00"
#: Hexadecimal digits of a pseudonym: 128 bits, so that two names never share one (chosen).
_DIGITS = 32
#: Kind of link -> purpose where it has another name; a prompt's fingerprint is no name, but it can be tried out too.
_PURPOSES = {"network": "address", "system_prompt": "text", "template": "text"}
ACCOUNT = "account"
_ADVICE = f"make one with: (umask 077; head -c {LEAST_BYTES} /dev/urandom > KEYFILE)"


def read_key(path: Path) -> bytes:
    """Read the key of a deployment.

    Parameters
    ----------
    path: a file of at least `LEAST_BYTES` random bytes, or twice as many hexadecimal digits, its owner's alone.

    Raises
    ------
    KeyFileError
        It cannot be read, others than its owner can read or write it, or it holds too little to be a key.
    """
    try:
        with path.open("rb") as stored:
            status = os.fstat(stored.fileno())
            key = stored.read(_MOST_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise KeyFileError(f"{path}: the key cannot be read ({error.strerror}); give a file that holds it") from None
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path}: is no regular file; give a file that holds a key")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise KeyFileError(f"{path}: has mode {mode:04o}, so others can use the key; give it mode 0600 (chmod 600)")
    plain = key.strip()
    length = len(plain) // 2 if _HEX.issuperset(plain) else len(key)
    if length < LEAST_BYTES:
        raise KeyFileError(f"{path}: holds {length} bytes of key, and {LEAST_BYTES} are needed; {_ADVICE}")
    if len(key) > _MOST_BYTES or len(set(plain)) < _LEAST_DISTINCT:
        raise KeyFileError(f"{path}: does not hold what looks like random bytes; {_ADVICE}")
    return key


class Pseudonyms:
    """Makes pseudonyms: the same name under the same key and purpose is the same pseudonym, in every run.

    Parameters
    ----------
    key: of `read_key`.

    Notes
    -----
    A pseudonym is the first 128 bits of HMAC-SHA-256 under a key that is itself HMAC-SHA-256 of the purpose, so that
    an account and a payment of one name differ. Who holds the key can try names out, and who holds the log can match
    accounts by their counts and instants, which stay as they are: this hides who is who from readers of the results
    alone.

    References
    ----------
    RFC 2104 (HMAC), RFC 5869 (one derived key for each purpose), FIPS 180-4 (SHA-256).
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._keys: dict[str, bytes] = {}
        self._made: dict[str, dict[str, str]] = {}

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return f"Pseudonyms({self.key_id})"

    @property
    def key_id(self) -> str:
        """Tell keys apart without telling them: 16 hexadecimal digits."""
        return self._derived("key id").hex()[:16]

    def name(self, purpose: str, value: str) -> str:
        """Give the pseudonym of a name, such as ``account-`` and 32 hexadecimal digits."""
        known = self._made.setdefault(purpose, {})
        if value not in known:
            digest = hmac.digest(self._derived(purpose), value.encode("utf-8", "surrogatepass"), "sha256")
            known[value] = f"{purpose}-{digest.hex()[:_DIGITS]}"
        return known[value]

    def column(self, purpose: str, names: pa.ChunkedArray) -> pa.ChunkedArray:
        """Replace the names of a column; null stays null."""
        coded = names.combine_chunks().dictionary_encode()
        told = pa.array([self.name(purpose, value) for value in coded.dictionary.to_pylist()], pa.string())
        return pa.chunked_array([told.take(coded.indices)])

    def known(self, history: pa.Table, accounts: Iterable[str]) -> pa.Table:
        """Give the accounts of a log their own names in a history that this key made; others keep their pseudonyms."""
        behind = {self.name(ACCOUNT, account): account for account in accounts}
        names = [behind.get(name, name) for name in history["account_id"].to_pylist()]
        return _with(history, "account_id", pa.array(names, pa.string()))

    def applied(self, results: Results) -> Results:
        """Give the results with pseudonyms for accounts and for what they share.

        Returns
        -------
        Equal numbers; rows ordered by pseudonym where a table was ordered by name, clusters numbered anew.
        """
        scored = _ranked(self._accounts(results.scored))
        numbers = _renumbered(scored)
        names = set(results.scored["account_id"].to_pylist())
        return replace(
            results,
            scored=_with(scored, "cluster_id", _renamed(scored["cluster_id"], numbers)),
            clusters=_with(results.clusters, "cluster_id", _renamed(results.clusters["cluster_id"], numbers)),
            evidence=_by_account(self._accounts(results.evidence)),
            links=self._links(results.links),
            timeline=_by_account(self._accounts(results.timeline)),
            excerpts=_by_account(self._accounts(results.excerpts)),
            lookalikes=_by_account(self._accounts(results.lookalikes)),
            origins=_by_account(self._accounts(results.origins)),
            history=_by_account(self._history(results.history, names)),
            run={**results.run, "pseudonyms": {"key_id": self.key_id, "for": self._told(results.links)}},
        )

    def _derived(self, purpose: str) -> bytes:
        if purpose not in self._keys:
            self._keys[purpose] = hmac.digest(self._key, _LABEL + purpose.encode(), "sha256")
        return self._keys[purpose]

    def _accounts(self, table: pa.Table) -> pa.Table:
        return _with(table, "account_id", self.column(ACCOUNT, table["account_id"]))

    def _history(self, history: pa.Table, names: set[str]) -> pa.Table:
        """Rename the accounts of this log; those of earlier looks alone have pseudonyms already."""
        told = [self.name(ACCOUNT, n) if n in names else n for n in history["account_id"].to_pylist()]
        return _with(history, "account_id", pa.array(told, pa.string()))

    def _links(self, links: pa.Table) -> pa.Table:
        """Rename what accounts share, whatever its kind: a kind that is new one day is hidden too."""
        parts = []
        for kind in sorted(pc.unique(links["kind"]).to_pylist()):
            rows = links.filter(pc.equal(links["kind"], kind))
            parts.append(_with(rows, "thing", self.column(_PURPOSES.get(kind, kind), rows["thing"])))
        table = self._accounts(pa.concat_tables(parts) if parts else links)
        return table.sort_by([("account_id", "ascending"), ("kind", "ascending"), ("thing", "ascending")])

    def _told(self, links: pa.Table) -> list[str]:
        kinds = pc.unique(links["kind"]).to_pylist()
        return sorted({ACCOUNT, *(_PURPOSES.get(kind, kind) for kind in kinds)})


def _with(table: pa.Table, name: str, column: Any) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), column)


def _by_account(table: pa.Table) -> pa.Table:
    """Put accounts in order; the rows of each stay in theirs, for the sort is stable."""
    return table.take(pc.array_sort_indices(table["account_id"]))


def _ranked(scored: pa.Table) -> pa.Table:
    """Put equal scores in order of pseudonym, and number the ranks to match."""
    table = scored.sort_by([("score", "descending"), ("account_id", "ascending")])
    ranks = pa.array(range(1, table.num_rows + 1), SCORED.field("rank").type)
    return _with(table, "rank", ranks)


def _renumbered(scored: pa.Table) -> dict[str, str]:
    """Number clusters by size and then by the first pseudonym among their members, c1 first."""
    members = scored.filter(pc.is_valid(scored["cluster_id"])).group_by("cluster_id")
    found = members.aggregate([("account_id", "count"), ("account_id", "min")])
    order = found.sort_by([("account_id_count", "descending"), ("account_id_min", "ascending")])
    return {old: f"c{place}" for place, old in enumerate(order["cluster_id"].to_pylist(), 1)}


def _renamed(column: pa.ChunkedArray, names: dict[str, str]) -> pa.Array:
    told = [None if old is None else names[old] for old in column.to_pylist()]
    return pa.array(told, CLUSTERS.field("cluster_id").type)
