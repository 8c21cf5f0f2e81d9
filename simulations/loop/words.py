"""What came out of a rehearsal in words: money, times, reactions, ends. The same on the page and in a terminal."""

from collections.abc import Mapping
from typing import Any

from detector.features.catalogue import FEATURES
from detector.reports.words import NOTHING, counted, kind, listed, number

#: The one published factor by which cancelling accounts made an adaptive extraction dearer.
PUBLISHED = "published for cancelling accounts: ×3.8 to ×16 (SEAT, AISec 2021)"

#: What a campaign does, by the ledger's word, where it does it once.
REACTIONS: Mapping[str, str] = {
    "slow_down": "slows down",
    "split": "splits its work over more accounts",
    "jitter": "breaks its rhythm",
    "paraphrase": "rewords its prompts",
    "add_cover": "adds cover traffic",
    "switch_models": "switches models",
    "switch_pathway": "switches to another way to accounts",
    "probe": "lets some accounts try out what is noticed",
    "stop": "decides to stop",
    "has probed": "has found out what is noticed",
    "stops": "stops",
}
#: What it does to so many accounts.
PER_ACCOUNT: Mapping[str, str] = {"gives up an account": "gives up", "opens an account": "opens"}


def usd(value: float | None) -> str:
    """Write an amount: cents where they matter.

    Examples
    --------
    >>> usd(2080.2), usd(13.207), usd(0.0), usd(None)
    ('$2,080', '$13.21', '$0', '–')
    """
    if value is None:
        return NOTHING
    return f"${value:,.0f}" if value == 0 or abs(value) >= 100 else f"${value:,.2f}"


def span(days: float | None) -> str:
    """Write a length of time.

    Examples
    --------
    >>> span(0.75), span(1.0), span(12.25), span(None)
    ('18 hours', '24 hours', '12.2 days', 'never')
    """
    if days is None:
        return "never"
    return f"{number(round(24 * days, 1))} hours" if days < 2 else f"{number(days)} days"


def times(factor: float | None) -> str:
    """Write a factor.

    Examples
    --------
    >>> times(10.175), times(None)
    ('×10.2', '–')
    """
    return NOTHING if factor is None else f"×{factor:.1f}"


def evidence(piece: str) -> str:
    """Say what a piece of evidence means, and which way it points.

    Examples
    --------
    >>> evidence("please_share")
    'share of prompts that say please (low)'
    """
    known = FEATURES.get(piece)
    if known is None:
        return piece.replace("_", " ")
    side = {1: " (high)", -1: " (low)", 0: ""}[known.direction]
    return f"{known.meaning}{side}"


def reaction(what: str, n: int, reason: str | None, cost_usd: float) -> str:
    """Say what a campaign did on a day.

    Parameters
    ----------
    what: the ledger's word.
    n: accounts, or times.
    """
    if what in PER_ACCOUNT:
        text = f"{PER_ACCOUNT[what]} {counted(n, 'account')}"
        text += f" (pathway {reason})" if reason else ""
    else:
        text = REACTIONS.get(what, what.replace("_", " ")) + (f", {number(n)} times" if n > 1 else "")
        text += f" ({_because(what, reason)})" if reason else ""
    return f"{text}, {usd(cost_usd)}" if cost_usd and what != "stops" else text


def _because(what: str, reason: str) -> str:
    return reason if what == "stops" else f"knows that {listed(reason.split(','))} gave it away"


def hardest_hit(honest: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Name the cohort with the largest share revoked; None where none was."""
    hit = {name: row["revoke"] / row["n"] for name, row in honest.items() if row["revoke"]}
    if not hit:
        return None
    worst = max(hit, key=lambda name: (hit[name], name))
    return f"Hit hardest: {kind(worst)}, {number(honest[worst]['revoke'])} of {number(honest[worst]['n'])} revoked."


def ended(row: Mapping[str, Any], stop: tuple[int, str] | None) -> str:
    """Say why a campaign ended, or that it did not.

    Parameters
    ----------
    row: the campaign in the outcome.
    stop: day and reason of its own stop, see `story.stop_of`; None where it did not stop.
    """
    alive, planned = row["daily"]["alive"], [day for day, n in enumerate(row["daily"]["taken_without"]) if n]
    last_day = len(alive) - next((place for place, n in enumerate(reversed(alive)) if n), len(alive))
    told = [f"It lost its last account on day {last_day}."] if not alive[-1] else []
    if stop is not None:
        told = [*(told if last_day + 1 < stop[0] else []), f"It stopped on day {stop[0]}: {stop[1]}."]
    if told:
        return " ".join(told)
    if planned and planned[-1] + 1 < len(alive):
        return f"It was done: without a defence, too, it would take nothing after day {planned[-1]}."
    return f"It had not ended when the log did, with {counted(alive[-1], 'account')} in use."
