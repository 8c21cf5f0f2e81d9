"""A campaign's days in order: what was found, what was stopped, how it reacted. From the ledger and the outcome."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulations.loop.keys import DAY_US
from simulations.loop.words import PER_ACCOUNT, REACTIONS, reaction
from simulations.streams import Counts

#: Days of a campaign that a page shows. Chosen: what a person reads.
MOST_DAYS = 40


def reactions(name: str, ledger: pa.Table, begins_us: int, n_days: int) -> dict[int, list[str]]:
    """Sum up what a campaign did, day by day, in the order in which it began to.

    Parameters
    ----------
    ledger: columns of `ledger.LEDGER`.
    begins_us: Unix time at which the log begins [us].
    """
    known = pa.array([*PER_ACCOUNT, *REACTIONS])
    own = ledger.filter(pc.and_(pc.equal(ledger["who"], name), pc.is_in(ledger["what"], known)))
    rows = own.select(["seq", "what", "reason", "usd"]).to_pandas()
    rows["day"] = _days(own, begins_us, n_days)
    rows["reason"] = rows["reason"].fillna("")
    grouped = rows.groupby(["day", "what", "reason"], sort=False)
    summed = grouped.agg(first=("seq", "min"), n=("seq", "size"), usd=("usd", "sum")).reset_index()
    told: dict[int, list[str]] = {}
    for row in summed.sort_values("first").itertuples(index=False):
        told.setdefault(int(row.day), []).append(reaction(row.what, int(row.n), row.reason or None, float(row.usd)))
    return told


def stop_of(name: str, ledger: pa.Table, begins_us: int, n_days: int) -> tuple[int, str] | None:
    """Give the day and the reason of a campaign's own stop; None where it did not stop."""
    stops = ledger.filter(pc.and_(pc.equal(ledger["who"], name), pc.equal(ledger["what"], "stops")))
    if not stops.num_rows:
        return None
    return int(_days(stops, begins_us, n_days)[0]), stops["reason"][0].as_py() or "no reason given"


def _days(rows: pa.Table, begins_us: int, n_days: int) -> Counts:
    """Give the day of the log of each row; its end belongs to its last day."""
    days: Counts = (rows["at"].cast(pa.int64()).to_numpy() - begins_us) // DAY_US
    return days.clip(max=n_days - 1)


def story(name: str, row: Mapping[str, Any], ledger: pa.Table, begins_us: int) -> list[dict[str, Any]]:
    """Lay out the days on which something happened to a campaign, or by it.

    Returns
    -------
    Rows of `day`, `flagged`, `limited`, `stopped`, `does`, `taken` and `taken_without`.
    """
    daily = row["daily"]
    told = reactions(name, ledger, begins_us, len(daily["taken"]))
    counts = {key: daily[key] for key in ("flagged", "limited", "stopped", "taken", "taken_without")}
    return [
        {"day": day, "does": told.get(day, []), **{key: values[day] for key, values in counts.items()}}
        for day in range(len(daily["taken"]))
        if day in told or daily["flagged"][day] or daily["limited"][day] or daily["stopped"][day]
    ]
