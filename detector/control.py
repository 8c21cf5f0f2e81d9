"""Where the threshold lies: by a share of honest accounts, by false discoveries among the flagged, or by reviewers.

What was asked for and cannot be had is refused, or told where only the log shows it. Nothing here sees who was what.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.detectors.base import Reference, Values
from detector.errors import ImpossibleRequestError
from detector.evalues import e_bh, from_p, reachable_rate
from detector.intervals import share_with_interval
from detector.settings import PolicySettings

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Control:
    """A threshold and how it came about.

    Attributes
    ----------
    threshold: score from which on accounts are flagged; finite.
    record: for the run's record, plain JSON values: `method`, `asked`, `is_met`, `note`, and what is expected.
    """

    threshold: float
    record: dict[str, Any]


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


def bayes_bound(p_values: Values) -> Values:
    """Bound what evidence of a p-value can multiply odds by: 1 / (-e p ln p) below 1 / e, 1 above.

    References
    ----------
    Sellke, Bayarri, Berger, "Calibration of p values for testing precise null hypotheses" (American Statistician 2001).

    Examples
    --------
    >>> bayes_bound(np.array([0.001, 0.05, 0.9])).round(1).tolist()
    [53.3, 2.5, 1.0]
    """
    p = np.minimum(p_values, np.exp(-1.0))
    return -1.0 / (np.e * p * np.log(p))


def _nobody(reference: Reference, scores: Values) -> float:
    return float(np.nextafter(scores.max(initial=reference.scores.max()), np.inf))


def _by_budget(reference: Reference, budget: float) -> tuple[float, str]:
    check_budget(reference, budget)
    threshold = reference.threshold(budget)
    is_beyond = threshold > reference.scores.max()
    note = (
        f"Some log or kind of customer behind the reference is too small to show a share of {budget:g}; the threshold "
        "lies above every honest account that the model knows."
    )
    return threshold, note if is_beyond else ""


def _by_rate(reference: Reference, scores: Values, rate: float) -> tuple[float, str]:
    """Bound false discoveries by e-BH, over accounts: they are what a reference counts and what harm is done to.

    Members of a cluster share one score, so p-values depend on one another; e-BH holds under any dependence. Counted
    over cases the bound is not promised: a fleet is one case and many accounts. Measured with a bound of 5 % on nine
    labelled logs, six of them of corpora and clients that the model never saw: e-BH recall .80 to .95 and at most 3.6 %
    false, Benjamini and Hochberg's procedure on the same p-values up to 11 % false, Benjamini and Yekutieli's within
    the bound with less recall (.75 to .93). What e-BH costs is that few evident accounts in a large log cannot be
    flagged at all; then the note says so.
    """
    if reference.is_of_log:
        raise ImpossibleRequestError(
            f"--fdr {rate:g}: this detector has no honest accounts to compare with but the log itself; "
            "use the combined detector, or --budget or --capacity"
        )
    e_values = from_p(reference.p_value(scores), reference.least)
    most = float(from_p(np.array([reference.least]), reference.least)[0])
    if most * rate < 1.0:
        raise ImpossibleRequestError(
            f"--fdr {rate:g}: with {reference.n} honest accounts behind the reference no e-value exceeds {most:.4g}, "
            f"and {1 / rate:.4g} are needed even where every account is flagged; give a rate of {1 / most:.2g} or more"
        )
    flagged = e_bh(e_values, rate)
    if flagged.any():
        return float(scores[flagged].min()), ""
    needed = int(np.ceil(len(scores) / (rate * most)))
    best = reachable_rate(e_values)
    instead = f"; the least rate at which anyone would be flagged is {best:.2g}" if best < 1 else ""
    note = (
        f"A false discovery rate of {rate:g} cannot be promised for anyone: of {len(scores)} accounts {needed} would "
        f"have to score above every honest account of the reference{instead}."
    )
    return _nobody(reference, scores), note


def _by_capacity(
    reference: Reference, scores: Values, case: Numbers, n_days: int, settings: PolicySettings
) -> tuple[float, str]:
    """Take the most suspicious cases that reviewers can open, as long as odds are not hopeless."""
    room = int((settings.capacity or 0.0) * n_days)
    if not room:
        raise ImpossibleRequestError(
            f"--capacity {settings.capacity:g}: not one case in the {n_days} days of the log; give a larger capacity"
        )
    top = np.full(int(case.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(top, case, scores)
    ordered = np.sort(top[np.isfinite(top)])[::-1]
    prior = settings.base_rate / (1.0 - settings.base_rate)
    hopeful = int((prior * bayes_bound(reference.p_value(ordered)) >= settings.least_odds).sum())
    taken = min(room, hopeful)
    if taken < len(ordered) and taken > 0:
        taken = int((ordered > ordered[taken]).sum())
    why = "the rest is hopeless" if hopeful <= room else "the next would be one too many"
    note = f"Cases: {taken}; {settings.capacity:g} a day for a period of {n_days} would be {room}: {why}."
    return (float(ordered[taken - 1]) if taken else _nobody(reference, scores)), note


def _expected(reference: Reference, threshold: float, n_accounts: int) -> dict[str, Any]:
    """Say what flags of honest accounts to expect, were all accounts honest and like those of the reference.

    Intervals take the reference's accounts as independent; where clusters of them score alike they are too narrow.
    """
    at = np.array([threshold])
    budget = float(reference.p_value(at)[0])
    kept, first = np.unique(reference.scores, return_index=True)
    place = int(np.searchsorted(kept, threshold, side="right")) - 1
    is_beyond = threshold > kept[-1]
    found: dict[str, Any] = {"budget": budget, "honest_flags_at_most": budget * n_accounts}
    if reference.n_above is not None:
        n_above = 0 if is_beyond else int(reference.n_above[first[place]]) if place >= 0 else reference.n
        share = share_with_interval(n_above, reference.n)
        found |= {"reference": share, "honest_flags_interval": [share[end] * n_accounts for end in ("low", "high")]}
    if reference.cohorts is not None and place >= 0:
        name = reference.cohorts.worst[first[place]]
        hits = 0 if is_beyond else int(reference.cohorts.n_above[first[place]])
        found["worst_cohort"] = {"name": name, **share_with_interval(hits, reference.cohorts.sizes[name])}
    return found


def find_threshold(
    reference: Reference, scores: Values, settings: PolicySettings, *, case: Numbers, n_days: int
) -> Control:
    """Find the threshold that the settings ask for.

    Parameters
    ----------
    scores: of the accounts, shape (n,).
    case: what a reviewer opens at once, a cluster or a lone account, as its number; shape (n,).
    n_days: days that the log covers, at least 1.

    Raises
    ------
    ImpossibleRequestError
        The reference cannot support what was asked, whatever the log holds.
    """
    if settings.fdr is not None:
        method, asked = "fdr", settings.fdr
        threshold, note = _by_rate(reference, scores, settings.fdr)
    elif settings.capacity is not None:
        method, asked = "capacity", settings.capacity
        threshold, note = _by_capacity(reference, scores, case, n_days, settings)
    else:
        method, asked = "budget", settings.budget or 0.0
        threshold, note = _by_budget(reference, asked)
    is_met = method != "fdr" or not note
    record = {"method": method, "asked": asked, "is_met": is_met, "note": note}
    return Control(threshold, record | _expected(reference, threshold, len(scores)))
