"""From subjects to a verdict and decisions: scores, who asks like whom, the policy."""

from detector.detectors.base import Detector, Verdict
from detector.linkage.crowds import find_crowds
from detector.linkage.resemblance import measure, resembles
from detector.linkage.siblings import sign_up_days
from detector.policy import Decisions, Flags, decide, firm_threshold, speaks_for_itself
from detector.record import count_days
from detector.settings import PolicySettings
from detector.subjects import Subjects


def weigh(
    subjects: Subjects,
    detector: Detector,
    settings: PolicySettings,
    *,
    may_revoke: bool,
    is_allowed: Flags | None = None,
) -> tuple[Verdict, Decisions]:
    """Judge accounts as their clusters and by themselves, and choose actions.

    Parameters
    ----------
    may_revoke: False when the input is degraded; below evidence level 2 nobody is recommended for revocation anyway.
    is_allowed: accounts under contract, shape (n_accounts,); none is nobody.

    Returns
    -------
    The verdict on the clusters, rows in the order of the accounts, and the decisions.
    """
    level = subjects.profiles.evidence_level
    verdict, own = detector.judge(subjects.pooled, level), detector.judge(subjects.own, level)
    alike, in_crowd = _likeness(subjects, verdict, own, settings)
    decisions = decide(
        verdict,
        own,
        subjects.profiles.trimmed()["volume"].n_requests,
        settings,
        may_revoke=may_revoke and level >= 2,
        asks_alike=alike,
        in_crowd=in_crowd,
        is_allowed=is_allowed,
        cluster=subjects.cluster,
        n_days=count_days(subjects.profiles),
    )
    return verdict, decisions


def _likeness(subjects: Subjects, verdict: Verdict, own: Verdict, settings: PolicySettings) -> tuple[Flags, Flags]:
    """Tell who asks like the others of its cluster, and who stands in a crowd of such; each of shape (n_accounts,)."""
    style, cluster, is_stranger = subjects.style, subjects.cluster, verdict.scores < firm_threshold(verdict)
    speaks = speaks_for_itself(own)
    yardstick = measure(style, cluster, is_stranger=is_stranger, speaks=speaks)
    alike = resembles(yardstick, style, cluster, is_stranger=is_stranger, speaks=speaks)
    days, least = sign_up_days(subjects.profiles), settings.crowd_accounts
    return alike, find_crowds(yardstick, subjects.profiles, style, cluster, days, asks_alike=alike, least=least)
