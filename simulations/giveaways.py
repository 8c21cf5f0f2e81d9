"""Raw columns that tell the classes apart: values that one class lacks, and what a small tree learns from the columns.

A column that a campaign shows by what it does is declared, judged apart, and must really show.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Counts, Flags, Reals

#: A value that one class lacks is a leak unless such a lack happens by chance at least this often. Chosen: some 80
#: values are looked at, so that one log in a hundred is blamed by chance.
P_CHANCE = 1e-4
#: Columns of `events` and `accounts` with few values, none of which may belong to one class only.
EVENT_CATEGORIES = (
    "operation", "model", "user_agent", "asn", "country", "max_output_tokens", "temperature", "n_choices",
    "wants_logprobs", "status_code", "finish_reason", "refusal_category",
)  # fmt: skip
ACCOUNT_CATEGORIES = ("email_domain", "plan", "country")
#: Raw columns that the tree sees, beside hour and weekday; of some it matters only whether they are there.
NUMBERS = (
    "input_tokens", "output_tokens", "max_output_tokens", "temperature", "n_choices", "status_code", "latency_ms",
    "cost_usd", "asn", "wants_logprobs",
)  # fmt: skip
CODES = ("model", "user_agent", "country")
PRESENCES = ("session_id", "end_user_id")
COLUMNS = (*NUMBERS, *CODES, *PRESENCES)
#: All columns that are looked at, so that a scenario may declare them.
JUDGED = tuple(sorted({*COLUMNS, *EVENT_CATEGORIES, *ACCOUNT_CATEGORIES}))
#: Depth of the tree, and accounts of each class below which it learns accounts by heart and tells nothing. Chosen.
DEPTH, LEAST_ACCOUNTS = 2, 12
#: What a declared column must reach alone, or else nothing is there to declare. Chosen.
SHOWN_AUC = 0.55


def lacks(
    account: pa.ChunkedArray, values: pa.ChunkedArray, told: Flags, name: str, source: str, n_classes: tuple[int, int]
) -> list[dict[str, Any]]:
    """List the values of a column that occur in one class only.

    Parameters
    ----------
    told: whether each row is of a campaign's account.
    source: table that the column is of.
    n_classes: honest and extracting accounts of the log.
    """
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    held = pa.table({"value": plain, "told": pa.array(told), "account": account})
    found = held.group_by(["value", "told"]).aggregate([("account", "count_distinct")]).to_pylist()
    holders: dict[Any, list[int]] = {}
    for row in found:
        holders.setdefault(row["value"], [0, 0])[row["told"]] = row["account_count_distinct"]
    missing = []
    for value, classes in sorted(holders.items(), key=lambda item: str(item[0])):
        holder = 0 if not classes[1] else 1
        if classes[1 - holder]:
            continue
        n = classes[holder]
        p_chance = _p_all_in(n_classes[holder], sum(n_classes), n)
        missing.append(
            {
                "table": source,
                "column": name,
                "value": value,
                "only_in": ("honest", "extraction")[holder],
                "n_accounts": n,
                "is_by_chance": p_chance >= P_CHANCE,
            }
        )
    return missing


def _p_all_in(n_class: int, n_accounts: int, n_holders: int) -> float:
    """Give the chance that all holders of a value are of one class, had they been drawn from all accounts alike.

    References
    ----------
    Fisher (1935), "The Design of Experiments": the exact test, at the table with an empty cell.
    """
    if n_holders > n_class:
        return 0.0
    within, overall = (math.lgamma(n + 1) - math.lgamma(n - n_holders + 1) for n in (n_class, n_accounts))
    return math.exp(within - overall)


def judge_tree(
    sample: pa.Table, account: Counts, told: Flags, *, declared: tuple[str, ...], limit: float
) -> dict[str, Any]:
    """Fit small trees on some rows: one on what no campaign declares, one on all, and one on each declared column.

    Parameters
    ----------
    account: number of each row's account.
    told: whether it takes part in a campaign.
    declared: columns that a campaign shows by what it does.
    limit: the AUC that the tree without them may reach.

    Returns
    -------
    JSON-ready; with too few accounts of a class, every AUC is null and nothing is judged.

    Notes
    -----
    Two halves of the accounts learn and judge in turn, and the worse figure counts. With few accounts of a campaign it
    moves by some .03 from seed to seed.
    """
    n_accounts = min(len(np.unique(account[told])), len(np.unique(account[~told])))
    seen = [name for name in declared if name in COLUMNS]
    result: dict[str, Any] = {
        "depth": DEPTH, "rows": len(told), "least_accounts": LEAST_ACCOUNTS, "accounts": n_accounts, "limit": limit,
        "auc": None, "columns": [], "auc_with_declared": None,
        "declared": [{"column": name, "auc": None, "is_shown": None} for name in seen],
    }  # fmt: skip
    if n_accounts < LEAST_ACCOUNTS:
        return {**result, "is_within_limit": True}
    half, table = account % 2 == 0, _columns(sample)
    auc, columns = _tree(table, (name for name in table if name not in declared), told, half)
    whole = _tree(table, table, told, half)[0] if seen else auc
    result |= {"auc": auc, "columns": columns, "auc_with_declared": whole}
    alone = [(name, _tree(table, [name], told, half)[0]) for name in seen]
    result["declared"] = [{"column": name, "auc": auc, "is_shown": auc >= SHOWN_AUC} for name, auc in alone]
    is_shown = all(row["is_shown"] for row in result["declared"])
    return {**result, "is_within_limit": result["auc"] <= limit and is_shown}


def _columns(sample: pa.Table) -> dict[str, Reals]:
    columns: dict[str, npt.ArrayLike] = {
        "hour": pc.hour(sample["occurred_at"]),
        "weekday": pc.day_of_week(sample["occurred_at"]),
        **{name: pc.fill_null(sample[name].cast(pa.float64()), -1.0) for name in NUMBERS},
        **{name: sample[name].combine_chunks().indices.to_numpy(zero_copy_only=False) for name in CODES},
        **{name: sample[name].is_valid() for name in PRESENCES},
    }
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def _tree(table: dict[str, Reals], names: Iterable[str], told: Flags, half: Flags) -> tuple[float, list[str]]:
    """Fit a tree on each half of the accounts and judge it on the other: what a tree learns that carries over.

    Gives the larger AUC and the columns that its tree splits on, the first split first.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier

    used = list(names)
    values = np.column_stack([table[name] for name in used])
    best: tuple[float, list[str]] = (0.5, [])
    for learns in (half, ~half):
        if 0 < told[learns].sum() < learns.sum() and 0 < told[~learns].sum() < (~learns).sum():
            tree = DecisionTreeClassifier(max_depth=DEPTH, class_weight="balanced", random_state=0)
            p = tree.fit(values[learns], told[learns]).predict_proba(values[~learns])[:, 1]
            auc = round(float(roc_auc_score(told[~learns], p)), 4)
            if auc > best[0]:
                best = auc, list(dict.fromkeys(used[place] for place in tree.tree_.feature if place >= 0))
    return best
