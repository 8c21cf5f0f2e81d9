"""What the generator checks about its own log: give-away columns, counts that must add up, effects that must be there.

The audit reads what a detector could read, plus the truth. It changes nothing. Of a long log it looks at every n-th
request, and says how many it saw; counts and effects are over all of them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.effects import Effects
from simulations.spill import Records
from simulations.streams import Flags
from simulations.world import World

#: Columns of `events` and `accounts` with few values, none of which may belong to one class only.
EVENT_CATEGORIES = (
    "operation", "model", "user_agent", "asn", "country", "max_output_tokens", "temperature", "n_choices",
    "wants_logprobs", "status_code", "finish_reason", "refusal_category",
)  # fmt: skip
ACCOUNT_CATEGORIES = ("email_domain", "plan", "country")
#: A value that one class lacks is a leak unless such a lack happens by chance at least this often. Chosen.
P_CHANCE = 1e-3
#: Raw columns that the depth-2 tree sees, beside hour and weekday.
TREE_NUMBERS = (
    "input_tokens", "output_tokens", "max_output_tokens", "temperature", "n_choices", "status_code", "latency_ms",
    "cost_usd", "asn",
)  # fmt: skip
TREE_CODES = ("model", "user_agent", "country")
COLUMNS = ["occurred_at", *sorted({*EVENT_CATEGORIES, *TREE_NUMBERS, *TREE_CODES})]
#: Requests looked at for give-aways, and of those for the tree. Chosen.
AUDIT_ROWS, TREE_ROWS = 300_000, 60_000
#: Depth of the tree, and accounts of each class below which it learns accounts by heart and tells nothing. Chosen.
TREE_DEPTH, TREE_ACCOUNTS = 2, 12


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
            events.select(COLUMNS)
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
        JSON-ready: `counts`, `categorical` (values that one class lacks), `tree`, `effects` (declared and found) and
        whether all `is_clean`.
        """
        looked = pa.concat_tables(self._sample).unify_dictionaries()
        told = self._world.is_member[looked["account"].to_numpy()]
        n_told = int(pc.sum(truth["is_extraction"]).as_py() or 0)
        n_classes = (truth.num_rows - n_told, n_told)
        categorical = []
        for name in EVENT_CATEGORIES:
            categorical += _lacks(looked["account"], looked[name], told, name, "events", n_classes)
        extracting = pc.is_in(
            accounts["account_id"], truth.filter(truth["is_extraction"])["account_id"].combine_chunks()
        )
        for name in ACCOUNT_CATEGORIES:
            categorical += _lacks(
                accounts["account_id"], accounts[name], extracting.to_numpy(), name, "accounts", n_classes
            )
        counts = self._counts(accounts, truth)
        tree = self._tree(looked, told)
        effects = self._effects.report()
        declared = self._world.scenario.declares
        categorical = [{**lack, "is_declared": lack["column"] in declared} for lack in categorical]
        broken = [lack for lack in categorical if not lack["is_by_chance"] and not lack["is_declared"]]
        is_clean = not broken and counts["is_sound"] and tree["is_within_limit"] and all(e["is_there"] for e in effects)
        return {"is_clean": is_clean, "counts": counts, "categorical": categorical, "tree": tree, "effects": effects}

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
        limit = self._world.scenario.max_tree_auc
        result: dict[str, Any] = {"depth": TREE_DEPTH, "rows": len(label), "limit": limit, "auc": None}
        if min(len(np.unique(account[label])), len(np.unique(account[~label]))) >= TREE_ACCOUNTS:
            result["auc"] = round(_tree_auc(sample, label, account % 2 == 0, self._world.scenario.declares), 4)
        return {**result, "is_within_limit": result["auc"] is None or result["auc"] <= limit}


def _lacks(
    account: pa.ChunkedArray, values: pa.ChunkedArray, told: Flags, name: str, source: str, n_classes: tuple[int, int]
) -> list[dict[str, Any]]:
    """List the values of a column that occur in one class only."""
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    held = pa.table({"value": plain, "told": pa.array(told), "account": account})
    found = held.group_by(["value", "told"]).aggregate([("account", "count_distinct")]).to_pylist()
    holders: dict[Any, list[int]] = {}
    for row in found:
        holders.setdefault(row["value"], [0, 0])[row["told"]] = row["account_count_distinct"]
    lacks = []
    for value, classes in sorted(holders.items(), key=lambda item: str(item[0])):
        holder = 0 if not classes[1] else 1
        if classes[1 - holder]:
            continue
        n = classes[holder]
        p_chance = (1.0 - n / max(n_classes[holder], 1)) ** n_classes[1 - holder]
        lacks.append(
            {
                "table": source,
                "column": name,
                "value": value,
                "only_in": ("honest", "extraction")[holder],
                "n_accounts": n,
                "is_by_chance": p_chance >= P_CHANCE,
            }
        )
    return lacks


def _tree_auc(sample: pa.Table, label: Flags, half: Flags, declared: tuple[str, ...]) -> float:
    """Fit a tree on each half of the accounts and judge it on the other half: what a tree learns that carries over."""
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier

    numbers = (pc.fill_null(sample[name].cast(pa.float64()), -1.0) for name in TREE_NUMBERS if name not in declared)
    codes = (
        sample[name].combine_chunks().indices.to_numpy(zero_copy_only=False)
        for name in TREE_CODES
        if name not in declared
    )
    columns = [pc.hour(sample["occurred_at"]), pc.day_of_week(sample["occurred_at"]), *numbers, *codes]
    table = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
    found = []
    for learns in (half, ~half):
        if 0 < label[learns].sum() < learns.sum() and 0 < label[~learns].sum() < (~learns).sum():
            tree = DecisionTreeClassifier(max_depth=TREE_DEPTH, class_weight="balanced", random_state=0)
            p = tree.fit(table[learns], label[learns]).predict_proba(table[~learns])[:, 1]
            found.append(float(roc_auc_score(label[~learns], p)))
    return max(found, default=0.5)
