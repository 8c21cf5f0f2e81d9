"""What is left when a family is explained: never more than now, and what the policy would say where it can be told."""

import pytest

from detector.reports.counterfactuals import recommended_without

POLICY = {
    "family_support": 1.0,
    "hiding_support": 2.0,
    "revoke_families": 2,
    "revoke_odds": 3.0,
    "crowd_odds": 1.0,
    "crowd_hiding": 1.0,
    "throttle_odds": 1.0,
}
RUN = {"settings": {"policy": POLICY}, "threshold": -1.0, "error_control": {"firm": 0.0}}


def account(action="revoke", *, prior=-6.0, cluster_id=None, **families):
    """Give a scored row from its family sums."""
    sums = {f"score_{name}": families.get(name, 0.0) for name in ("rate", "content", "network", "economy")}
    return sums | {"action": action, "cluster_id": cluster_id, "score": prior + sum(sums.values())}


@pytest.mark.parametrize(
    ("families", "without", "expected"),
    [
        ({"content": 6, "network": 3, "economy": 6}, "network", "revoke"),
        ({"content": 6, "network": 3, "economy": 1.5}, "network", "throttle"),
        ({"content": 9, "economy": 3}, "economy", "throttle"),
        ({"content": 6.5, "economy": 3}, "economy", "review"),
        ({"content": 3, "economy": 7}, "economy", "none"),
        ({"content": 2, "network": 9, "economy": 9}, "content", "throttle"),
    ],
)
def test_what_is_left_by_hand(families, without, expected):
    """Score, families, hiding and own behaviour are asked again, from the firm threshold, for an account by itself."""
    assert recommended_without(account(**families), without, RUN) == (expected, True)


def test_it_is_never_more_than_now():
    """What is only reviewed for another reason is not revoked for having less against it."""
    assert recommended_without(account("review", content=9, network=9, economy=9), "network", RUN) == ("review", True)


def test_a_member_of_a_cluster_is_told_at_most():
    """Without the cluster's content its own behaviour is not known, so a revocation is only the most that remains."""
    member = account(cluster_id="c1", content=2, network=9, economy=9)
    assert recommended_without(member, "content", RUN) == ("revoke", False)
    assert recommended_without(member, "network", RUN)[1]


def test_whether_a_member_stands_in_a_crowd_is_not_known():
    """What only a crowd's lesser needs allow is told as the most that remains; what needs no crowd is certain."""
    less = account(cluster_id="c1", content=6, network=1.5, economy=6)
    assert recommended_without(less, "economy", RUN) == ("revoke", False)
    assert recommended_without(account(content=6, network=1.5, economy=6), "economy", RUN) == ("throttle", True)
    assert recommended_without(account(cluster_id="c1", content=6, network=6, economy=6), "economy", RUN)[1]
