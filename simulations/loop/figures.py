"""The outcome of a rehearsal as one row of figures, and by which of them defences are weighed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What a row holds of each campaign beside its name.
_OF_CAMPAIGN = (
    "n_first_accounts", "n_opened_later", "n_revoked", "taken", "taken_without", "prevented", "worth_usd",
    "worth_usd_without", "spent_usd_without", "cost_multiplier", "days_to_first_flags", "days_to_first_stop",
    "taken_before_first_flags",
)  # fmt: skip
#: What a row holds of each honest persona.
_OF_PERSONA = ("n", "flagged", "stopped", "revoke")


@dataclass(frozen=True)
class Measure:
    """A figure that defences are weighed by."""

    name: str
    noun: str
    unit: str
    times: float = 1.0
    """What the figure is multiplied by where people read it."""
    more_is_better: bool = False

    @property
    def title(self) -> str:
        """Give its name with its unit."""
        return f"{self.noun}, {self.unit}"


#: In this order they are shown. A wrong revocation is the costliest error, a leak what the defence is there for.
MEASURES = (
    Measure("leak_share", "harvest that gets through", "%", times=100.0),
    Measure("revoked_share", "honest accounts revoked", "per 10,000", times=1e4),
    Measure("stopped_share", "honest accounts stopped", "per 10,000", times=1e4),
    Measure("cost_multiplier", "attacker's cost", "times that without a defence", more_is_better=True),
    Measure("reviewer_hours", "reviewers' work", "hours"),
)


def figures_of(outcome: Mapping[str, Any]) -> dict[str, float | int | None]:
    """Lay an outcome out as one row: totals, then every campaign, then every honest persona.

    Parameters
    ----------
    outcome: as `outcome.outcome_of` gives it.

    Returns
    -------
    Numbers by name; None where there is nothing to divide by. A stopped account was asked to verify, suspended or
    revoked at some time. The total cost multiplier pools the money and the useful tokens of all campaigns.

    Raises
    ------
    KeyError, TypeError, ValueError
        It is no outcome.
    """
    campaigns, honest, work = outcome["campaigns"], outcome["honest"], outcome["work"]
    taken, alone = (sum(row[name] for row in campaigns.values()) for name in ("taken", "taken_without"))
    n = {name: sum(row[name] for row in honest.values()) for name in _OF_PERSONA}
    row: dict[str, float | int | None] = {
        "taken": taken,
        "taken_without": alone,
        "leak_share": _share(taken, alone),
        "prevented": None if not alone else 1.0 - taken / alone,
        "worth_usd": sum(one["worth_usd"] for one in campaigns.values()),
        "worth_usd_without": sum(one["worth_usd_without"] for one in campaigns.values()),
        "cost_multiplier": _multiplier(list(campaigns.values())),
        "n_campaigns": len(campaigns),
        "n_found": sum(one["days_to_first_flags"] is not None for one in campaigns.values()),
        "n_honest": n["n"],
        "n_flagged": n["flagged"],
        "n_stopped": n["stopped"],
        "n_revoked": n["revoke"],
        "flagged_share": _share(n["flagged"], n["n"]),
        "stopped_share": _share(n["stopped"], n["n"]),
        "revoked_share": _share(n["revoke"], n["n"]),
        "requests_lost": sum(one["requests_lost"] for one in honest.values()),
        "usd_lost": sum(one["usd_lost"] for one in honest.values()),
        **{name: work[name] for name in ("cases", "appeals", "reviewer_hours")},
    }
    for name, one in campaigns.items():
        row |= {f"campaigns.{name}.{figure}": one[figure] for figure in _OF_CAMPAIGN}
        row[f"campaigns.{name}.spent_usd"] = one["spent_usd"]["total"]
    for name, one in honest.items():
        row |= {f"honest.{name}.{figure}": one[figure] for figure in _OF_PERSONA}
    for figure, value in row.items():
        if value is not None and (isinstance(value, bool) or not math.isfinite(value)):
            raise ValueError(f"{figure} is no number")
    return row


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _multiplier(campaigns: list[Mapping[str, Any]]) -> float | None:
    """Pool what a useful token costs over campaigns, with a defence and without."""
    now = _usd_per_token([(c["spent_usd"]["total"], c["usd_per_useful_million_tokens"]) for c in campaigns])
    alone = _usd_per_token([(c["spent_usd_without"], c["usd_per_useful_million_tokens_without"]) for c in campaigns])
    return now / alone if now is not None and alone else None


def _usd_per_token(pairs: list[tuple[float, float | None]]) -> float | None:
    """Divide all money by all tokens; tokens follow from money and price, and without a price there were none."""
    tokens = sum(usd / price for usd, price in pairs if price)
    return sum(usd for usd, _ in pairs) / tokens if tokens else None
