"""An outcome as lines of text."""

from typing import Any

from simulations.loop import words
from simulations.loop.page import harm_of

_WIDTH = 24


def lines(outcome: dict[str, Any]) -> list[str]:
    """Lay an outcome out: what each campaign took and how it was found, the harm to honest customers, the work.

    Names come from settings, which allow letters, digits and underscores only.
    """
    shown = [
        f"{'campaign':<{_WIDTH}}{'accounts':>9}{'opened':>8}{'would take':>12}{'takes':>11}{'prevented':>11}"
        f"{'first flags':>13}{'cost':>8}"
    ]
    for name, row in outcome["campaigns"].items():
        days, times = row["days_to_first_flags"], row["cost_multiplier"]
        shown.append(
            f"{name[: _WIDTH - 1]:<{_WIDTH}}{row['n_first_accounts']:>9}{row['n_opened_later']:>8}"
            f"{row['taken_without']:>12,.0f}{row['taken']:>11,.0f}{_share(row['prevented']):>11}"
            f"{'never' if days is None else f'day {days:g}':>13}{'-' if times is None else f'x{times:.1f}':>8}"
        )
    shown += ["", *(line for name, row in outcome["campaigns"].items() for line in _story(name, row))]
    shown += ["", *_harm(outcome["honest"])]
    work = outcome["work"]
    shown.append(f"reviewers: {work['cases']} cases, {work['appeals']} appeals, {work['reviewer_hours']:.1f} hours")
    return shown


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _story(name: str, row: dict[str, Any]) -> list[str]:
    """Say when a campaign was found and by what, and what it paid."""
    money = f"spent {words.usd(row['spent_usd']['total'])}, {words.usd(row['spent_usd_without'])} without a defence"
    first = [f"  by {words.evidence(piece)}" for piece in list(row["first_evidence"])[:1]]
    if row["days_to_first_flags"] is None:
        return [f"{name}: never found; {money}", *first]
    taken = f"found after {words.span(row['days_to_first_flags'])} with {row['taken_before_first_flags']:,.0f} taken"
    return [f"{name}: {taken}; {money}", *first]


def _harm(honest: dict[str, Any]) -> list[str]:
    harm = harm_of(honest)
    lost = f"{harm['requests_lost']:,} requests, {words.usd(harm['usd_lost'])} of revenue"
    stopped = f"{harm['suspend']} suspended, {harm['verify']} asked to verify, {harm['throttle']} throttled"
    shown = [f"honest: {harm['revoke']} of {harm['n']} accounts revoked, {stopped}; lost: {lost}"]
    hardest = words.hardest_hit(honest)
    return shown if hardest is None else [*shown, hardest[0].lower() + hardest[1:].rstrip(".")]
