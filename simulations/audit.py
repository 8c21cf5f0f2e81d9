"""What the generator checks about its own log: give-away columns, counts that must add up, effects that must be there.

The audit reads what a detector could read, plus the truth. It changes nothing. Of a long log it looks at every n-th
request, and says how many it saw; counts and effects are over all of them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.effects.report import Effects
from simulations.giveaways import ACCOUNT_CATEGORIES, COLUMNS, EVENT_CATEGORIES, OF_NETWORKS, judge_tree, lacks
from simulations.spill import Records
from simulations.streams import Flags
from simulations.world import World

#: Requests looked at for give-aways, and of those for the tree. Chosen.
AUDIT_ROWS, TREE_ROWS = 300_000, 60_000
LOOKED_AT = ["occurred_at", "ip", *sorted({*EVENT_CATEGORIES, *COLUMNS})]


class Audit:
    """Collects what the checks need, chunk by chunk."""

    def __init__(self, world: World) -> None:
        """Begin an audit of a log."""
        self._world = world
        self._stride = max(1, -(-world.n_events // AUDIT_ROWS))
        self._tree_stride = max(1, -(-world.n_events // (self._stride * TREE_ROWS)))
        self._seen = 0
        self._sample: list[pa.Table] = []
        self._effects = Effects(world)

    def add(self, records: Records, events: pa.Table) -> None:
        """Take in the next rows of the log."""
        first = -self._seen % self._stride
        rows = np.arange(first, events.num_rows, self._stride)
        looked = (
            events.select(LOOKED_AT)
            .take(pa.array(rows))
            .append_column("account", pa.array(records["account"][rows].astype(np.int64)))
        )
        self._sample.append(looked)
        self._effects.add(records, events)
        self._seen += events.num_rows

    def report(self, accounts: pa.Table, truth: pa.Table) -> dict[str, Any]:
        """Judge the log.

        Returns
        -------
        JSON-ready: `counts`, `categorical` (values that one class lacks), `tree`, `effects` (declared and
        found), `unchecked` (parameters without a check, and why) and whether all `is_clean`.
        """
        looked = pa.concat_tables(self._sample).unify_dictionaries()
        told = self._world.is_member[looked["account"].to_numpy()]
        categorical = self._categorical(looked, told, accounts, truth)
        counts = self._counts(accounts, truth)
        tree = self._tree(looked, told)
        effects, unchecked = self._effects.report(accounts)
        broken = [lack for lack in categorical if not lack["is_by_chance"] and not lack["is_declared"]]
        is_clean = not broken and counts["is_sound"] and tree["is_within_limit"] and all(e["is_there"] for e in effects)
        return {
            "is_clean": is_clean, "counts": counts, "categorical": categorical, "tree": tree, "effects": effects,
            "unchecked": unchecked,
        }  # fmt: skip

    def _categorical(self, looked: pa.Table, told: Flags, accounts: pa.Table, truth: pa.Table) -> list[dict[str, Any]]:
        """List the values that one class lacks, in all columns with few values."""
        extracting = truth.filter(truth["is_extraction"])["account_id"].combine_chunks()
        is_extracting = pc.is_in(accounts["account_id"], extracting).to_numpy()
        tables = (
            ("events", looked, looked["account"], told, EVENT_CATEGORIES),
            ("accounts", accounts, accounts["account_id"], is_extracting, ACCOUNT_CATEGORIES),
        )
        n_told, declared = len(extracting), self._world.scenario.declares
        n_values = sum(len(table[name].unique()) for _, table, *_, names in tables for name in names)
        networks = _networks(looked["ip"])
        missing = []
        for source, table, account, is_told, names in tables:
            for name in names:
                place = networks if source == "events" and name in OF_NETWORKS else None
                found = lacks(
                    account,
                    table[name],
                    is_told,
                    n_classes=(truth.num_rows - n_told, n_told),
                    n_values=n_values,
                    place=place,
                )
                named = {"table": source, "column": name}
                missing += [{**named, **lack, "is_declared": name in declared} for lack in found]
        return missing

    def _counts(self, accounts: pa.Table, truth: pa.Table) -> dict[str, Any]:
        n_extraction = pc.sum(truth["n_extraction_events"]).as_py() or 0
        counts = {
            "events": self._seen,
            "events_looked_at": sum(part.num_rows for part in self._sample),
            "events_in_truth": pc.sum(truth["n_events"]).as_py() or 0,
            "extraction_events": self._effects.n_extraction,
            "extraction_events_in_truth": n_extraction,
            "accounts": accounts.num_rows,
            "accounts_in_truth": truth.num_rows,
        }
        honest = pc.invert(truth["is_extraction"])
        blamed = pc.sum(pc.if_else(honest, truth["n_extraction_events"], 0)).as_py() or 0
        is_sound = (
            counts["events"] == counts["events_in_truth"]
            and counts["extraction_events"] == n_extraction
            and counts["accounts"] == counts["accounts_in_truth"]
            and blamed == 0
        )
        return {**counts, "is_sound": is_sound}

    def _tree(self, looked: pa.Table, told: Flags) -> dict[str, Any]:
        rows = np.arange(0, looked.num_rows, self._tree_stride)
        sample, label = looked.take(pa.array(rows)), told[rows]
        account = sample["account"].to_numpy()
        scenario = self._world.scenario
        return judge_tree(sample, account, label, declared=scenario.declares, limit=scenario.max_tree_auc)


def _networks(addresses: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give the network of 256 hosts that each address is in."""
    words = addresses.combine_chunks().dictionary_encode()
    networks = pc.replace_substring_regex(words.dictionary, r"\.[0-9]+$", "")
    return pa.chunked_array([networks.take(words.indices)])
