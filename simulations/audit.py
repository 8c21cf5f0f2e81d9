"""What the generator checks about its own log: columns that give the label away, and counts that must add up.

The audit reads what a detector could read, plus the truth. It changes nothing.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Flags

#: Columns of `events` and `accounts` with few values, none of which may belong to one class only.
EVENT_CATEGORIES = (
    "operation", "model", "user_agent", "asn", "country", "max_output_tokens", "temperature", "status_code",
    "finish_reason", "refusal_category",
)  # fmt: skip
ACCOUNT_CATEGORIES = ("email_domain", "plan", "country")
#: A value that one class lacks is a leak unless such a lack happens by chance at least this often. Chosen.
P_CHANCE = 1e-3
#: Raw columns that the depth-2 tree sees, beside hour and weekday.
TREE_NUMBERS = (
    "input_tokens", "output_tokens", "max_output_tokens", "temperature", "status_code", "latency_ms", "cost_usd", "asn",
)  # fmt: skip
TREE_CODES = ("model", "user_agent", "country")
TREE_ROWS = 100_000


class Audit:
    """Collects what the checks need, chunk by chunk."""

    def __init__(self, *, n_events: int) -> None:
        """Begin an audit of a log of known length."""
        self._stride = max(1, -(-n_events // TREE_ROWS))
        self._seen = 0
        self._pairs: dict[str, list[pa.Table]] = {name: [] for name in EVENT_CATEGORIES}
        self._sample: list[pa.Table] = []

    def add(self, events: pa.Table) -> None:
        """Take in the next rows of the log."""
        for name, found in self._pairs.items():
            found.append(events.select(["account_id", name]).group_by(["account_id", name]).aggregate([]))
        first = -self._seen % self._stride
        rows = pa.array(np.arange(first, events.num_rows, self._stride))
        self._sample.append(events.select(["account_id", "occurred_at", *TREE_NUMBERS, *TREE_CODES]).take(rows))
        self._seen += events.num_rows

    def report(self, accounts: pa.Table, truth: pa.Table, *, max_tree_auc: float) -> dict[str, Any]:
        """Judge the log.

        Returns
        -------
        JSON-ready: `counts`, `categorical` (values that one class lacks), `tree` and whether all `is_clean`.
        """
        extracting = set(truth.filter(truth["is_extraction"])["account_id"].to_pylist())
        n_classes = (truth.num_rows - len(extracting), len(extracting))
        categorical = []
        for name, pairs in self._pairs.items():
            categorical += _lacks(pa.concat_tables(pairs), name, "events", extracting, n_classes)
        for name in ACCOUNT_CATEGORIES:
            categorical += _lacks(accounts, name, "accounts", extracting, n_classes)
        counts = {"events": self._seen, "events_in_truth": pc.sum(truth["n_events"]).as_py() or 0}
        tree = self._tree(extracting, max_tree_auc)
        is_clean = (
            all(lack["is_by_chance"] for lack in categorical)
            and counts["events"] == counts["events_in_truth"]
            and tree["is_within_limit"]
        )
        return {"is_clean": is_clean, "counts": counts, "categorical": categorical, "tree": tree}

    def _tree(self, extracting: set[str], limit: float) -> dict[str, Any]:
        sample = pa.concat_tables(self._sample)
        label = np.array([account in extracting for account in sample["account_id"].to_pylist()], dtype=np.bool_)
        result: dict[str, Any] = {"rows": len(label), "limit": limit, "auc": None, "is_within_limit": True}
        if 0 < label.sum() < len(label):
            result["auc"] = round(_tree_auc(sample, label), 4)
            result["is_within_limit"] = result["auc"] <= limit
        return result


def _lacks(
    table: pa.Table, name: str, source: str, extracting: set[str], n_classes: tuple[int, int]
) -> list[dict[str, Any]]:
    """List the values of a column that occur in one class only."""
    holders: dict[Any, tuple[set[str], set[str]]] = {}
    for account, value in zip(table["account_id"].to_pylist(), table[name].to_pylist(), strict=True):
        holders.setdefault(value, (set(), set()))[account in extracting].add(account)
    lacks = []
    for value, classes in sorted(holders.items(), key=lambda item: str(item[0])):
        holder = 0 if not classes[1] else 1
        if classes[1 - holder]:
            continue
        n = len(classes[holder])
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


def _tree_auc(sample: pa.Table, label: Flags) -> float:
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier

    numbers = (pc.fill_null(sample[name].cast(pa.float64()), -1.0) for name in TREE_NUMBERS)
    codes = (np.unique(np.asarray(sample[name].to_pylist()), return_inverse=True)[1] for name in TREE_CODES)
    columns = [pc.hour(sample["occurred_at"]), pc.day_of_week(sample["occurred_at"]), *numbers, *codes]
    table = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])
    tree = DecisionTreeClassifier(max_depth=2, class_weight="balanced", random_state=0).fit(table, label)
    return float(roc_auc_score(label, tree.predict_proba(table)[:, 1]))
