"""What a reader must know before acting on a case: how it could fall, and what a name may hide."""

from collections.abc import Mapping
from typing import Any

from detector.reports import words
from detector.reports.dossiers import Dossier
from detector.reports.safe import hex_bytes


def weaknesses(dossier: Dossier, run: Mapping[str, Any]) -> list[str]:
    """Say what would weaken the case against an account, besides the evidence against it.

    Parameters
    ----------
    run: `Results.run`.
    """
    threshold, points = run.get("threshold"), []
    for family, score in dossier.without:
        verdict = "" if threshold is None else f", {'still' if score >= threshold else 'no longer'} flagged"
        points.append(f"Were all {family} evidence explained, the score would be {words.fixed(score)}{verdict}.")
    if len(dossier.families) < 2:
        points.append("Fewer than two independent families support it, so one innocent cause could explain it.")
    foreign = {one.get("feature") for one in run.get("drift") or []}
    resting = [step.meaning or step.feature for step in dossier.waterfall.evidence_for if step.feature in foreign]
    if resting:
        points.append(f"It rests on what is common in this log and was not behind the model: {words.listed(resting)}.")
    enough = ((run.get("settings") or {}).get("policy") or {}).get("revoke_events", 0)
    if (dossier.account["n_events"] or 0) < enough:
        n_events = words.counted(dossier.account["n_events"], "request")
        points.append(f"It rests on {n_events}; {enough} are needed before a revocation is recommended.")
    return points


def remark(name: str) -> str:
    r"""Say why a name may not be what it looks like; empty for plain ASCII.

    Examples
    --------
    >>> remark("p\u0430y")
    'look-alike? UTF-8 bytes 70 d0 b0 79'
    """
    if not name:
        return "empty name"
    if not name.isascii():
        return f"look-alike? UTF-8 bytes {hex_bytes(name)}"
    if not name.isprintable() or name != " ".join(name.split()):
        return f"odd spacing or control characters: bytes {hex_bytes(name)}"
    return ""
