"""Scores to recommended actions within an error budget. A recommendation is for a human; nothing here acts.

A revocation needs a score far beyond the flagging threshold, two independent evidence families, signs of hiding, enough
requests, and support from the account's own behaviour: sharing a card with a fleet is never enough, nor is bulk work.
What an account's own behaviour says is judged as its own where it is alone. In a cluster it must ask like the others,
as hardly a stranger does: what they ask then is what it asks. Failing that, what it does itself must revoke it.
Many that ask alike under several owners hide already, so in such a crowd less of score and other signs is needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.control import find_threshold
from detector.detectors.base import Values, Verdict
from detector.errors import ImpossibleRequestError
from detector.evalues import from_p
from detector.settings import BUDGET, PolicySettings
from detector.tables import FAMILIES

#: Families that show hiding: honest bulk work matches a harvest in rate and content, and does not hide.
HIDING = ("network", "economy")
#: Families that measure what an account itself does; others can be forged onto it by whoever shares things with it.
OWN_BEHAVIOUR = ("rate", "content")
#: Log-odds of own behaviour from which on an account speaks for what its cluster is suspected of (chosen: two families'
#: support; of members of fleets with half cover nine in ten reach it, of those with three quarters eight).
_SPEAKS = 2.0
#: What a revocation needs beside a flag: leave of the input, score, families, hiding, its own behaviour (in a cluster,
#: asking like the others, too), requests.
NEEDED = ("leave", "score", "families", "hiding", "own_behaviour", "requests")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Decisions:
    """What is recommended, per account.

    Attributes
    ----------
    threshold: score from which on accounts are flagged.
    control: how the threshold came about, see `control.Control`.
    p_value: bound on the share of honest accounts that score at least so high, shape (n,).
    e_value: the same evidence as a bet, see `evalues.from_p`; shape (n,).
    is_flagged: shape (n,).
    action: one of `tables.ACTIONS`, shape (n,).
    held_back: what a flagged account lacks for a revocation, names of `NEEDED` with commas; "" where nothing or not
        flagged; shape (n,).
    """

    threshold: float
    control: dict[str, Any]
    p_value: Values
    e_value: Values
    is_flagged: Flags
    action: npt.NDArray[np.str_]
    held_back: npt.NDArray[np.object_]


def decide(
    verdict: Verdict,
    own: Verdict,
    n_events: npt.NDArray[np.int64],
    settings: PolicySettings,
    *,
    may_revoke: bool,
    asks_alike: Flags | None = None,
    in_crowd: Flags | None = None,
    is_allowed: Flags | None = None,
    cluster: npt.NDArray[np.int64] | None = None,
    n_days: int = 1,
) -> Decisions:
    """Choose an action for every account.

    Throttling and revoking are measured from the threshold of `--budget`, of the default one where another way set the
    threshold: many reviewers make nobody guiltier.

    Parameters
    ----------
    verdict: of the account's cluster, rows in the order of the accounts.
    own: of the account by itself, same order.
    n_events: requests of each account, shape (n,).
    is_allowed: accounts under contract: flagged like others, never acted on; shape (n,), none is nobody.
    may_revoke: False when the input is degraded or the log too thin to support a revocation at all.
    asks_alike: accounts that ask like the others of their cluster, see `linkage.resemblance`; shape (n,), none is
        nobody.
    in_crowd: accounts that stand in a crowd, see `linkage.crowds`; shape (n,), none is nobody.
    cluster: cluster number of each account, shape (n,); none is everyone alone.
    n_days: days that the log covers.

    Raises
    ------
    ImpossibleRequestError
        See `control.find_threshold`.
    """
    if verdict.reference is None:
        raise ImpossibleRequestError("the detector has no reference scores; a budget needs them")
    scores = verdict.scores
    case = np.arange(len(scores)) if cluster is None else cluster
    control = find_threshold(verdict.reference, scores, settings, case=case, n_days=n_days)
    threshold = control.threshold
    is_flagged = scores >= threshold
    firm = threshold if settings.budget else max(threshold, firm_threshold(verdict))
    supporting = sum((verdict.by_family(f) >= settings.family_support).astype(int) for f in FAMILIES)
    alike = np.zeros(len(scores), dtype=bool) if asks_alike is None else asks_alike
    own_support = _supported_by_itself(own, verdict, settings, asks_alike=alike, case=case, firm=firm)
    crowd = np.zeros(len(scores), dtype=bool) if in_crowd is None else in_crowd
    odds = np.where(crowd, min(settings.crowd_odds, settings.revoke_odds), settings.revoke_odds)
    hiding = np.where(crowd, min(settings.crowd_hiding, settings.hiding_support), settings.hiding_support)
    hides = np.sum([verdict.by_family(f) for f in HIDING], axis=0) >= hiding
    has = np.stack(
        [
            np.broadcast_to(may_revoke, scores.shape),
            scores >= firm + odds,
            supporting >= settings.revoke_families,
            hides,
            own_support,
            n_events >= settings.revoke_events,
        ],
        axis=1,
    )
    revoke = is_flagged & has.all(axis=1)
    throttle = is_flagged & (scores >= firm + settings.throttle_odds)
    action = np.select([revoke, throttle, is_flagged], ["revoke", "throttle", "review"], "none")
    if is_allowed is not None:
        action[is_allowed] = "none"
    p_value = verdict.reference.p_value(scores)
    e_value = from_p(p_value, verdict.reference.least)
    record = control.record | {"firm": float(firm)}
    return Decisions(threshold, record, p_value, e_value, is_flagged, action, _held_back(has, is_flagged))


def _held_back(has: npt.NDArray[np.bool_], is_flagged: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Name what is lacking, one pattern at a time: there are few patterns, however many accounts."""
    lacking = ~has & is_flagged[:, None]
    patterns, which = np.unique(lacking, axis=0, return_inverse=True)
    names = [",".join(np.array(NEEDED)[pattern]) for pattern in patterns]
    return np.array(names, dtype=object)[which.reshape(-1)]


def firm_threshold(verdict: Verdict) -> float:
    """Give the threshold of the default budget; accounts below it are strangers to every case.

    Raises
    ------
    ImpossibleRequestError
        The detector brought no reference.
    """
    if verdict.reference is None:
        raise ImpossibleRequestError("the detector has no reference scores; a budget needs them")
    return verdict.reference.threshold(BUDGET)


def speaks_for_itself(own: Verdict) -> Flags:
    """Tell whose own behaviour speaks for the suspicion, all of it taken together, so that others may be held to it."""
    speaks: Flags = _own_odds(own) >= _SPEAKS
    return speaks


def _own_odds(own: Verdict) -> Values:
    """Sum what an account's own behaviour weighs, in log-odds; shape (n,)."""
    return np.asarray(np.sum([own.by_family(f) for f in OWN_BEHAVIOUR], axis=0))


def _supported_by_itself(
    own: Verdict,
    verdict: Verdict,
    settings: PolicySettings,
    *,
    asks_alike: Flags,
    case: npt.NDArray[np.int64],
    firm: float,
) -> Flags:
    """Tell who is supported by what it does itself; shape (n,).

    What is alone needs support from its own behaviour. What is in a cluster needs to ask like the others, who support
    it, and to have its own behaviour, all of it taken together, rather for than against it; or it must reach the score
    of a revocation by itself, without what others can forge onto it.
    """

    def strongest(of: Verdict) -> Values:
        return np.asarray(np.max([of.by_family(f) for f in OWN_BEHAVIOUR], axis=0))

    _, place, size = np.unique(case, return_inverse=True, return_counts=True)
    supports = strongest(own) >= settings.family_support
    harvests_alike = asks_alike & (strongest(verdict) >= settings.family_support) & (_own_odds(own) > 0)
    unforged = own.scores - np.sum([np.maximum(own.by_family(f), 0.0) for f in HIDING], axis=0)
    by_itself = supports & (unforged >= firm + settings.revoke_odds)
    return np.where(size[place] == 1, supports, harvests_alike | by_itself)
