"""What holds for a run as a whole: what errors to expect, and whether its yardstick fits the log. Plain sentences."""

from collections.abc import Mapping
from typing import Any

from detector.reports import words

#: Share of accounts below which a file of accounts is likely to be joined by the wrong name (chosen).
FEW_KNOWN = 0.05
#: Features named when a log lies outside the population behind the model (chosen: what a reader takes in).
MOST_NAMED = 4


def _asked(control: Mapping[str, Any]) -> str:
    asked = control.get("asked")
    return {
        "fdr": f"at most {words.share(asked)} of the flagged accounts are expected to be honest (--fdr)",
        "capacity": f"at most {words.number(asked)} cases a day are flagged (--capacity)",
    }.get(str(control.get("method")), f"a share of {words.number(asked)} of honest accounts may be flagged (--budget)")


def errors_expected(run: Mapping[str, Any]) -> list[str]:
    """Say how the threshold came about and how many honest accounts to expect above it; empty where unknown.

    Parameters
    ----------
    run: `Results.run`.
    """
    control = run.get("error_control") or {}
    if not control:
        return []
    lines = [f"Threshold: {_asked(control)}."]
    if not control.get("is_met", True) or control.get("method") == "capacity":
        lines.append(str(control.get("note", "")))
    if control.get("is_met", True):
        most = words.number(round(float(control["honest_flags_at_most"]), 1))
        seen = control.get("reference")
        interval = control.get("honest_flags_interval")
        known = (
            f"; {words.number(seen['hits'])} of {words.number(seen['n'])} honest accounts behind the model score so "
            f"high, exact 95 % interval {words.number(round(interval[0], 1))} to {words.number(round(interval[1], 1))}"
            if seen and interval
            else ""
        )
        budget = words.number(control["budget"])
        lines.append(f"That is a budget of {budget}: at most {most} flagged honest accounts expected{known}.")
    worst = control.get("worst_cohort")
    if worst and worst.get("hits"):
        low, high = words.share(worst["low"]), words.share(worst["high"])
        lines.append(
            f"Worst served honest customers: {worst['name']}, {words.number(worst['hits'])} of "
            f"{words.number(worst['n'])} score so high ({low} to {high})."
        )
    return lines


def drifted(run: Mapping[str, Any]) -> list[str]:
    """Warn where the log is of other customers than the model's; empty where it is not."""
    shifts = run.get("drift") or []
    if not shifts:
        return []
    named = [f"{one.get('meaning') or one.get('feature')} ({one.get('feature')})" for one in shifts[:MOST_NAMED]]
    more = f" and {len(shifts) - MOST_NAMED} more" if len(shifts) > MOST_NAMED else ""
    features = words.counted(len(shifts), "feature")
    return [
        f"Caution: this log's accounts differ from those behind the model in {features}: {', '.join(named)}{more}. "
        "Scores and expected errors are less trustworthy; fit a model on labelled logs of yours."
    ]


def identified(run: Mapping[str, Any]) -> list[str]:
    """Say what an account is in this run, where the user chose it, and for how many rows something else stood in."""
    named = run.get("account_by") or []
    if not named:
        return []
    first, total = named[0], sum(one["n_rows"] for one in named)
    parts = [f"{one['by']} for {words.counted(one['n_rows'], 'row')}" for one in named[1:] if one["n_rows"]]
    absent = [one["by"] for one in named if not one["columns"]]
    told = f"Accounts are by {first['by']} ({words.number(first['n_rows'])} of {words.counted(total, 'row')})"
    told += f"; where that is empty, by {words.listed(parts)}" if parts else ""
    return [told + (f"; the log has no {words.listed(absent)}." if absent else ".")]


def unmatched(run: Mapping[str, Any]) -> list[str]:
    """Warn of files of accounts that know none, or hardly any, of the accounts of the log."""
    total = (run.get("counts") or {}).get("n_accounts") or 0
    lines = []
    for file in run.get("accounts") or []:
        n_known = file["n_known"]
        if n_known < FEW_KNOWN * min(total, file["n_accounts"]):
            known = f"only {words.number(n_known)}" if n_known else "none"
            lines.append(
                f"Caution: {file['file']} knows {known} of the {words.counted(total, 'account')} of this log, so it "
                "was hardly used; its account_id must be what an account is in the log (--account-by, --map)."
            )
    return lines


def put_together(run: Mapping[str, Any]) -> list[str]:
    """Warn of files in which the header stands again, as where several were put together; empty where none is."""
    counts = run.get("counts") or {}
    if not counts.get("n_headers"):
        return []
    told = f"Caution: the header stands again in a file of the log, {words.counted(counts['n_headers'], 'time')}"
    if not counts.get("n_begun_again"):
        return [f"{told}: it looks put together of several; each header was rejected, and nothing else for that."]
    return [f"{told}, and the first record after it: it looks put together of the same rows, which then count twice."]


def gathered(run: Mapping[str, Any]) -> list[str]:
    """Say what repeated looks have gathered; empty at a first look."""
    history = run.get("history") or {}
    if (history.get("look") or 0) < 2:
        return []
    n_alarms = words.counted(history["n_alarms"], "account")
    return [
        f"Look {history['look']} of {history['looks']}: {n_alarms} gathered evidence for an alarm that holds whenever "
        f"you stop looking (history.parquet; a share of {words.number(history['budget'])} of honest accounts ever may)."
    ]
