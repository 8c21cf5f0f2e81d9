"""Raw columns that tell the classes apart: values that one class lacks, and what a small tree learns from the columns.

A value that one class lacks is a give-away when chance does not explain it, at the number of values and class sizes.

A column that a campaign shows by what it does is declared, judged apart, and must really show.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Counts, Flags, Reals

#: Chance that a log without a give-away is blamed for one of its values, divided by their number. Chosen.
P_BLAMED = 0.01
#: How many times the odds of having a value may differ by class: how often is for the tree to judge, never is not.
#: Chosen.
ODDS = 2.0
#: Columns of `events` and `accounts` with few values, none of which may belong to one class only.
EVENT_CATEGORIES = (
    "operation", "model", "user_agent", "asn", "country", "max_output_tokens", "temperature", "n_choices",
    "wants_logprobs", "status_code", "finish_reason", "refusal_category",
)  # fmt: skip
#: Of these, the columns that say something of the address, which accounts may share.
OF_NETWORKS = ("asn", "country")
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
    account: pa.ChunkedArray,
    values: pa.ChunkedArray,
    told: Flags,
    *,
    n_classes: tuple[int, int],
    n_values: int,
    place: pa.ChunkedArray | None = None,
) -> list[dict[str, Any]]:
    """List the values of a column that occur in one class only.

    Parameters
    ----------
    account, values, told: whose each row is, what it holds, and whether that is a campaign's account.
    n_classes: honest and extracting accounts of the log.
    n_values: values looked at in all columns of the log.
    place: what a value belongs to that several accounts may share, such as the network of an address.

    Returns
    -------
    JSON-ready, sorted by value; `is_by_chance` tells whether the lack is no more than chance gives.

    Notes
    -----
    Whether accounts, requests or places draw a value is not known, so a lack is blamed only when chance explains it for
    none of them: a busy class draws more values, and a shared place is one draw, however many accounts share it.
    """
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    held = pa.table({"value": plain, "told": pa.array(told), "account": account})
    counted = [("account", "count_distinct"), ("account", "count")]
    sizes = [n_classes, (int((~told).sum()), int(told.sum()))]
    if place is not None:
        held, counted = held.append_column("place", place), [*counted, ("place", "count_distinct")]
        sizes.append(_n_places(held))
    found = held.group_by(["value", "told"]).aggregate(counted).to_pylist()
    names = [f"{column}_{how}" for column, how in counted]
    holders: dict[Any, dict[bool, list[int]]] = {}
    for row in found:
        holders.setdefault(row["value"], {})[row["told"]] = [row[name] for name in names]
    missing = []
    for value, by_class in sorted(holders.items(), key=lambda item: str(item[0])):
        if len(by_class) == 2:
            continue
        ((which, counts),) = by_class.items()
        p_chance = max(p_all_in(size[which], sum(size), n) for n, size in zip(counts, sizes, strict=True))
        missing.append(
            {
                "value": value,
                "only_in": ("honest", "extraction")[which],
                "n_accounts": counts[0],
                "p_chance": float(f"{p_chance:.3g}"),
                "is_by_chance": p_chance >= P_BLAMED / max(n_values, 1),
            }
        )
    return missing


def _n_places(held: pa.Table) -> tuple[int, int]:
    """Count the places of each class; one of both counts twice, as it is drawn by both."""
    found = held.group_by("told").aggregate([("place", "count_distinct")]).to_pylist()
    n = {row["told"]: row["place_count_distinct"] for row in found}
    return n.get(False, 0), n.get(True, 0)


def p_all_in(n_class: int, n: int, n_holders: int) -> float:
    """Give the chance that all holders of a value are of one class, were its odds to have it `ODDS` times the other's.

    Examples
    --------
    >>> round(p_all_in(24, 2024, 1), 3)
    0.023

    References
    ----------
    Fisher (1935), "The logic of inductive inference": the exact test for a given odds ratio, here at the table with an
    empty cell.
    """
    from scipy.stats import nchypergeom_fisher

    if n_holders > n_class:
        return 0.0
    return float(nchypergeom_fisher.pmf(n_holders, n, n_class, n_holders, ODDS))


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
