"""A row of figures adds up what an outcome says, and nothing else."""

from typing import Any

import pytest

from simulations.loop.figures import figures_of


def campaign(**values: Any) -> dict[str, Any]:
    """Make what an outcome says of a campaign."""
    plain = {
        "n_first_accounts": 2, "n_opened_later": 0, "n_revoked": 0, "taken": 10.0, "taken_without": 40.0,
        "prevented": 0.75, "worth_usd": 1.0, "worth_usd_without": 4.0, "spent_usd": {"total": 20.0},
        "spent_usd_without": 10.0, "usd_per_useful_million_tokens": 4.0,
        "usd_per_useful_million_tokens_without": 1.0, "cost_multiplier": 4.0, "days_to_first_flags": None,
        "days_to_first_stop": None, "taken_before_first_flags": None,
    }  # fmt: skip
    return {**plain, **values}


def outcome(*campaigns: dict[str, Any]) -> dict[str, Any]:
    """Make an outcome with two honest personas."""
    person = {"n": 50, "flagged": 2, "stopped": 1, "revoke": 1, "requests_lost": 3, "usd_lost": 0.5}
    return {
        "campaigns": {f"c{number}": one for number, one in enumerate(campaigns)},
        "honest": {"chat": person, "bulk": {**person, "n": 150, "revoke": 0}},
        "work": {"cases": 4, "appeals": 1, "reviewer_hours": 2.5},
    }


def test_totals_pool_campaigns_and_personas() -> None:
    """By hand: 10 + 30 of 40 + 40 taken; 1 of 200 honest accounts revoked, 2 stopped."""
    row = figures_of(outcome(campaign(), campaign(taken=30.0, days_to_first_flags=2.0)))

    assert (row["taken"], row["taken_without"], row["leak_share"], row["prevented"]) == (40.0, 80.0, 0.5, 0.5)
    assert (row["n_honest"], row["n_revoked"], row["revoked_share"], row["stopped_share"]) == (200, 1, 0.005, 0.01)
    assert (row["n_campaigns"], row["n_found"], row["reviewer_hours"]) == (2, 1, 2.5)
    assert (row["campaigns.c1.taken"], row["honest.bulk.n"]) == (30.0, 150)


def test_the_total_multiplier_pools_money_and_tokens() -> None:
    """By hand: $20 for 5 M tokens and $20 for 20 M, before $10 for 10 M and $10 for 10 M: 1.6 against 1."""
    row = figures_of(outcome(campaign(), campaign(usd_per_useful_million_tokens=1.0)))

    assert row["cost_multiplier"] == pytest.approx(1.6)


def test_nothing_useful_taken_has_no_multiplier() -> None:
    """An attacker who pays and gets nothing pays no finite price."""
    assert figures_of(outcome(campaign(usd_per_useful_million_tokens=None)))["cost_multiplier"] is None


def test_a_scenario_without_a_harvest_leaks_no_share() -> None:
    """There is nothing to divide by."""
    row = figures_of(outcome())

    assert (row["taken"], row["leak_share"], row["cost_multiplier"]) == (0, None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_what_is_no_number_is_refused(value: Any) -> None:
    """A damaged outcome is not averaged."""
    with pytest.raises(ValueError, match=r"campaigns\.c0\.prevented is no number"):
        figures_of(outcome(campaign(prevented=value)))
