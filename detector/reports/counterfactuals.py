"""What would be recommended if all evidence of one family had an innocent cause. It reads what a run wrote, no more."""

from collections.abc import Mapping
from typing import Any

from detector.policy import HIDING, OWN_BEHAVIOUR
from detector.tables import ACTIONS, FAMILIES


def recommended_without(account: Mapping[str, Any], family: str, run: Mapping[str, Any]) -> tuple[str, bool]:
    """Give the strongest action that the policy would still recommend, and whether it is certain.

    Parameters
    ----------
    account: row of `tables.SCORED`.
    family: one of `tables.FAMILIES`, whose sum is taken away; pairs of features lie within a family, so nothing else
        of the score changes.
    run: `Results.run`, with its settings.

    Notes
    -----
    Whether a member of a cluster is supported by its own behaviour is not written family by family, so where its rate
    or content is explained a revocation is the most that could remain, not what would. Nor is it written whether it
    stands in a crowd, so what only a crowd's lesser needs allow is the most, too.
    """
    policy = (run.get("settings") or {}).get("policy") or {}
    threshold = run.get("threshold") or 0.0
    firm = (run.get("error_control") or {}).get("firm", threshold)
    left = {name: 0.0 if name == family else account[f"score_{name}"] or 0.0 for name in FAMILIES}
    score = account["score"] - (account[f"score_{family}"] or 0.0)
    support = policy.get("family_support", 1.0)
    is_alone = account["cluster_id"] is None
    own = max(left[name] for name in OWN_BEHAVIOUR) >= support
    supporting = sum(value >= support for value in left.values()) >= policy.get("revoke_families", 2)

    needed = policy.get("revoke_odds", 0.0), policy.get("hiding_support", 0.0)
    in_crowd = policy.get("crowd_odds", needed[0]), policy.get("crowd_hiding", needed[1])

    def may_revoke(odds: float, hiding: float) -> bool:
        hides = sum(left[name] for name in HIDING) >= hiding
        return bool(score >= firm + odds and supporting and hides and (own or not is_alone))

    for_sure = may_revoke(*needed)
    strongest = (
        "none"
        if score < threshold
        else "revoke"
        if for_sure or (not is_alone and may_revoke(*in_crowd))
        else "throttle"
        if score >= firm + policy.get("throttle_odds", 0.0)
        else "review"
    )
    action = min(strongest, account["action"], key=ACTIONS.index)
    return action, is_alone or action != "revoke" or (for_sure and family not in OWN_BEHAVIOUR)
