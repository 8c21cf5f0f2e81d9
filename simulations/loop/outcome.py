"""What came out of a rehearsal, as plain values: what leaked, what it cost whom, who was hurt, and that sums agree."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector import __version__
from detector.intervals import share_with_interval
from simulations.loop.campaign import Campaign
from simulations.loop.engine import STEP_US, Loop
from simulations.loop.keys import ACTIVE, DAY_US, STATES, UNSENT, VERIFY
from simulations.loop.rehearsal import Rehearsal
from simulations.loop.stage import BEFORE
from simulations.loop.tally import Reals
from simulations.loop.value import worth
from simulations.streams import Counts

#: A campaign counts as found when so many of its accounts are flagged, or all it began with; as in `benchmark.delay`.
#: Chosen.
FOUND = 2


class BrokenSumError(Exception):
    """A sum that must hold does not: a fault of this program, never of its input."""


def outcome_of(loop: Loop) -> dict[str, Any]:
    """Sum up a rehearsal that has ended.

    Returns
    -------
    JSON-ready: `requests` by outcome; `campaigns` by name, amounts in USD and times in days since the campaign's first
    request, which comes `begins_on_day`; per campaign `daily`, of which `alive` and `spent_usd` are as at the end of
    each day of the log and all else counts what falls into it; `honest` by persona, shares with exact intervals; `work`
    of the defender; version and `digest` of what was rehearsed.

    Raises
    ------
    BrokenSumError
        Requests, money or stopped keys do not add up.
    """
    check_sums(loop)
    scenario = loop.stage.world.scenario
    counts = loop.tally.by_outcome.sum(axis=0)
    return {
        "stillwatch": __version__,
        "digest": Rehearsal(scenario, loop.defence, loop.attack).digest,
        "scenario": scenario.name,
        "seed": scenario.seed,
        "defence": loop.defence.name,
        "attack": loop.attack.name,
        "days": scenario.days,
        "requests": {
            "sent": int(counts[:UNSENT].sum()),
            **{name: int(n) for name, n in zip(("served", "throttled", "refused", "given_up"), counts, strict=True)},
        },
        "campaigns": {c.name: _campaign(loop, number, c) for number, c in enumerate(loop.campaigns)},
        "honest": _honest(loop),
        "work": {
            "looks": loop.n_looks,
            "cases": loop.desk.n_closed,
            "appeals": loop.desk.n_appeals,
            "waiting": int(loop.desk.is_waiting(loop.keys.n).sum()),
            "reviewer_hours": loop.desk.minutes / 60.0,
        },
    }


def check_sums(loop: Loop) -> None:
    """Check what must hold in every run; see `outcome_of`."""
    tally = loop.tally
    if tally.n_served_stopped:
        raise BrokenSumError(f"{tally.n_served_stopped} requests were served to keys that are stopped")
    for number, campaign in enumerate(loop.campaigns):
        own, purse = tally.campaign == number, campaign.purse
        if not np.isclose(tally.usd[own].sum(), purse.spent["tokens"], rtol=1e-9, atol=1e-6):
            raise BrokenSumError(f"campaign {campaign.name!r}: pays for other requests than those that were served")
        if purse.held is not None and purse.total > purse.held * (1 + 1e-9):
            raise BrokenSumError(f"campaign {campaign.name!r}: spends more than it has")


def _daily(values: Reals) -> list[float]:
    """Add steps up to days."""
    per_day = DAY_US // STEP_US
    starts = np.arange(0, len(values), per_day)
    return [round(float(v), 6) for v in np.add.reduceat(values, starts)]


def _day_ends(n_steps: int) -> Counts:
    """Give the last step of each day; the last day may be short."""
    per_day = DAY_US // STEP_US
    return np.minimum(np.arange(per_day, n_steps + per_day, per_day), n_steps) - 1


def _per_day(at_us: Counts, n_days: int) -> list[int]:
    """Count instants by day of the log; the end of the log belongs to its last day."""
    days = np.minimum(at_us // DAY_US, n_days - 1)
    return [int(n) for n in np.bincount(days, minlength=n_days)]


def _campaign(loop: Loop, number: int, campaign: Campaign) -> dict[str, Any]:
    tally, settings = loop.tally, loop.attack.value
    now = {name: sums[number] for name, sums in tally.with_defence.items()}
    alone = {name: sums[number] for name, sums in tally.without.items()}
    own = np.flatnonzero(tally.campaign == number)
    begins_us = int(np.argmax(alone["taken"] > 0)) * STEP_US
    flagged, stopped = (np.sort(at[own][at[own] != BEFORE]) for at in (loop.first_flagged_us, loop.first_stopped_us))
    limited = _first_limited_us(loop, own)
    needed = min(FOUND, campaign.n_first)
    found_us = int(flagged[needed - 1]) if len(flagged) >= needed else None
    taken_found = None if found_us is None else float(now["taken"][: found_us // STEP_US].sum())
    ends = _day_ends(tally.n_steps)
    spent, spent_alone = campaign.purse.total, campaign.alone.purse.total
    per_token, per_token_alone = (
        _per_million(usd, float(figures["useful_tokens"].sum()))
        for usd, figures in ((spent, now), (spent_alone, alone))
    )
    first = Counter(loop.first_evidence[own[loop.first_flagged_us[own] != BEFORE]].tolist())
    return {
        "begins_on_day": begins_us / DAY_US,
        "n_first_accounts": campaign.n_first,
        "n_opened_later": campaign.n_opened,
        "n_revoked": int(loop.ever[own, STATES.index("revoke")].sum()),
        "taken": float(now["taken"].sum()),
        "taken_without": float(alone["taken"].sum()),
        "prevented": _share_prevented(float(now["taken"].sum()), float(alone["taken"].sum())),
        "worth_usd": float(worth(now["useful"].sum(), settings)),
        "worth_usd_without": float(worth(alone["useful"].sum(), settings)),
        "first_usd": campaign.first_usd,
        "spent_usd": {**campaign.purse.spent, "total": spent},
        "spent_usd_without": spent_alone,
        "usd_per_useful_million_tokens": per_token,
        "usd_per_useful_million_tokens_without": per_token_alone,
        "cost_multiplier": None if per_token is None or not per_token_alone else per_token / per_token_alone,
        "days_to_first_flags": None if found_us is None else (found_us - begins_us) / DAY_US,
        "days_to_first_limit": None if not len(limited) else (int(limited[0]) - begins_us) / DAY_US,
        "days_to_first_stop": None if not len(stopped) else (int(stopped[0]) - begins_us) / DAY_US,
        "taken_before_first_flags": taken_found,
        "first_evidence": dict(sorted(first.items(), key=lambda pair: (-pair[1], pair[0]))),
        "has_ended": campaign.has_ended,
        "daily": {
            "taken": _daily(now["taken"]),
            "taken_without": _daily(alone["taken"]),
            "alive": [loop.alive[end][number] for end in ends],
            "spent_usd": [round(loop.spent[end][number], 6) for end in ends],
            "spent_usd_without": [round(loop.spent_alone[end][number], 6) for end in ends],
            "flagged": _per_day(flagged, len(ends)),
            "limited": _per_day(limited, len(ends)),
            "stopped": _per_day(stopped, len(ends)),
        },
    }


def _first_limited_us(loop: Loop, own: Counts) -> Counts:
    """Give when some accounts were first throttled or weakened, since the log began [us], ascending."""
    ledger = loop.ledger.table()
    is_limited = pc.is_in(ledger["state"], pa.array(STATES[ACTIVE + 1 : VERIFY]))
    rows = ledger.filter(pc.and_(is_limited, pc.is_in(ledger["account_id"], loop.ledger.names.take(pa.array(own)))))
    firsts = rows.group_by("account_id").aggregate([("at", "min")])["at_min"]
    return np.sort(firsts.cast(pa.int64()).to_numpy() - loop.ledger.begins_us)


def _share_prevented(taken: float, alone: float) -> float | None:
    return 1.0 - taken / alone if alone else None


def _per_million(usd: float, tokens: float) -> float | None:
    return usd / tokens * 1e6 if tokens > 0 else None


def _honest(loop: Loop) -> dict[str, Any]:
    """Sum up by persona, victims of campaigns among them, what was done to accounts that harvest nothing."""
    firsts, appeals = loop.stage.world.population.firsts, _appeals(loop)
    rows: dict[str, list[Any]] = {}
    for place, cast in enumerate(loop.stage.world.casts[: loop.stage.n_first_casts]):
        kind = cast.settings.persona or f"{cast.settings.kind}_victim"
        own = firsts[place] + np.flatnonzero(~cast.is_member)
        came = own[loop.tally.by_outcome[own].sum(axis=1) > 0]
        rows.setdefault(kind, []).append(came)
    return {
        kind: _harm(loop, np.concatenate(parts), appeals)
        for kind, parts in sorted(rows.items())
        if sum(map(len, parts))
    }


def _appeals(loop: Loop) -> dict[str, Counts]:
    """Count appeals of every account, and those that were granted; shape (n_accounts,)."""
    ledger, counts = loop.ledger.table(), {}
    for name, what in (("appeals", "appeals"), ("reinstated", "reinstates")):
        accounts = ledger.filter(pc.equal(ledger["what"], what))["account_id"]
        numbers = pc.index_in(accounts, loop.ledger.names).to_numpy()
        counts[name] = np.bincount(numbers, minlength=loop.keys.n)
    return counts


def _harm(loop: Loop, own: Any, appeals: dict[str, Counts]) -> dict[str, Any]:
    revoked = loop.ever[own, STATES.index("revoke")]
    return {
        "n": len(own),
        "flagged": int((loop.first_flagged_us[own] != BEFORE).sum()),
        "stopped": int((loop.first_stopped_us[own] != BEFORE).sum()),
        **{state: int(loop.ever[own, number].sum()) for number, state in enumerate(STATES) if number},
        "revoked_share": share_with_interval(int(revoked.sum()), len(own)),
        "requests_lost": int(loop.tally.n_lost[own].sum()),
        "usd_lost": float(loop.tally.usd_lost[own].sum()),
        "usd_without": float((loop.tally.usd[own] + loop.tally.usd_lost[own]).sum()),
        **{name: int(counts[own].sum()) for name, counts in appeals.items()},
    }
