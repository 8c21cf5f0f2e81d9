"""Scores to recommended actions within an error budget. A recommendation is for a human; nothing here acts.

A revocation needs a score far beyond the flagging threshold, two independent evidence families, signs of hiding, enough
requests, and support from the account's own behaviour: sharing a card with a fleet is never enough, nor is bulk work.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.detectors.base import Reference, Values, Verdict
from detector.errors import ImpossibleRequestError
from detector.settings import PolicySettings
from detector.tables import FAMILIES

#: Families that show hiding: honest bulk work matches a harvest in rate and content, and does not hide.
HIDING = ("network", "economy")
#: Families that measure what an account itself does; others can be forged onto it by whoever shares things with it.
OWN_BEHAVIOUR = ("rate", "content")


@dataclass(frozen=True)
class Decisions:
    """What is recommended, per account.

    Attributes
    ----------
    threshold: score from which accounts are flagged.
    p_value: share of honest accounts that score at least so high, shape (n,).
    is_flagged: shape (n,).
    action: one of `tables.ACTIONS`, shape (n,).
    """

    threshold: float
    p_value: Values
    is_flagged: npt.NDArray[np.bool_]
    action: npt.NDArray[np.str_]


def check_budget(reference: Reference, budget: float) -> None:
    """Refuse a budget that the reference cannot support.

    Raises
    ------
    ImpossibleRequestError
        The budget is below one in the number of honest accounts behind the reference.
    """
    least = 1.0 / reference.n if reference.n else 1.0
    if budget < least:
        raise ImpossibleRequestError(
            f"--budget {budget:g}: the reference holds {reference.n} honest accounts and can tell rates from "
            f"{least:.2g} up; give a larger budget, or fit a model on more accounts"
        )


def decide(
    verdict: Verdict,
    own: Verdict,
    n_events: npt.NDArray[np.int64],
    settings: PolicySettings,
    *,
    may_revoke: bool,
    is_allowed: npt.NDArray[np.bool_] | None = None,
) -> Decisions:
    """Choose an action for every account.

    Parameters
    ----------
    verdict: of the account's cluster, rows in the order of the accounts.
    own: of the account by itself, same order.
    n_events: requests of each account, shape (n,).
    is_allowed: accounts under contract: flagged like others, never acted on; shape (n,), none is nobody.
    may_revoke: False when the input is degraded or the log too thin to support a revocation at all.

    Raises
    ------
    ImpossibleRequestError
        See `check_budget`.
    """
    if verdict.reference is None:
        raise ImpossibleRequestError("the detector has no reference scores; a budget needs them")
    check_budget(verdict.reference, settings.budget)
    scores = verdict.scores
    threshold = verdict.reference.threshold(settings.budget)
    is_flagged = scores > threshold
    supporting = sum((verdict.by_family(f) >= settings.family_support).astype(int) for f in FAMILIES)
    own_support = np.max([own.by_family(f) for f in OWN_BEHAVIOUR], axis=0) >= settings.family_support
    hides = np.sum([verdict.by_family(f) for f in HIDING], axis=0) >= settings.hiding_support
    revoke = (
        is_flagged
        & may_revoke
        & (scores >= threshold + settings.revoke_odds)
        & (supporting >= settings.revoke_families)
        & hides
        & own_support
        & (n_events >= settings.revoke_events)
    )
    throttle = is_flagged & (scores >= threshold + settings.throttle_odds)
    action = np.select([revoke, throttle, is_flagged], ["revoke", "throttle", "review"], "none")
    if is_allowed is not None:
        action[is_allowed] = "none"
    return Decisions(threshold, verdict.reference.p_value(scores), is_flagged, action)
