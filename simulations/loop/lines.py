"""An outcome as lines of text."""

from typing import Any

_WIDTH = 24


def lines(outcome: dict[str, Any]) -> list[str]:
    """Lay an outcome out: a line per campaign, the harm to honest customers, the work.

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
    shown += ["", *_harm(outcome["honest"])]
    work = outcome["work"]
    shown.append(f"reviewers: {work['cases']} cases, {work['appeals']} appeals, {work['reviewer_hours']:.1f} hours")
    return shown


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _harm(honest: dict[str, Any]) -> list[str]:
    n = sum(row["n"] for row in honest.values())
    revoked = sum(row["revoke"] for row in honest.values())
    stopped = sum(row["verify"] + row["suspend"] for row in honest.values())
    usd = sum(row["usd_lost"] for row in honest.values())
    shown = [
        f"honest: {revoked} of {n} accounts revoked, {stopped} asked to verify or suspended, revenue lost ${usd:,.2f}"
    ]
    worst = max(honest.items(), key=lambda item: item[1]["revoked_share"]["share"] or 0.0, default=None)
    if worst is not None and worst[1]["revoke"]:
        shown.append(f"worst cohort: {worst[0]}, {worst[1]['revoke']} of {worst[1]['n']} revoked")
    return shown
