"""What a reader must know before acting on a case: how it could fall, and what a name may hide."""

from collections.abc import Mapping
from typing import Any

from detector.reports import words
from detector.reports.counterfactuals import recommended_without
from detector.reports.dossiers import Dossier, Row
from detector.reports.safe import hex_bytes
from detector.reports.skeletons import skeleton

#: Kinds of honest customer named (chosen: the rest are further still).
MOST_KINDS = 3

#: Letters of what a name reads like, and other accounts that read alike, that are told (chosen: what fits a line).
MOST_READ, MOST_TWINS = 40, 4

#: What a revocation lacks, by name of `policy.NEEDED`; families and requests are told with their numbers.
_LACKING = {
    "hiding": "Too little shows that it hides (shared payment, many networks, lock-step), which honest work does not.",
    "own_behaviour": "What it does by itself does not support the suspicion, or it does not ask like its cluster.",
}


def weaknesses(dossier: Dossier, run: Mapping[str, Any]) -> list[str]:
    """Say what would weaken the case against an account, besides the evidence against it.

    Parameters
    ----------
    run: `Results.run`.
    """
    points = [_explained(dossier, family, score, run) for family, score in dossier.without]
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
    points += [_LACKING[name] for name in _lacking(dossier) if name in _LACKING]
    if "leave" in _lacking(dossier):
        points.append(_without_leave(run))
    if dossier.lookalikes and dossier.lookalikes[0]["distance"] <= dossier.lookalikes[0]["far"]:
        kind = words.kind(dossier.lookalikes[0]["kind"])
        points.append(f"It is as like the model's honest accounts of kind {kind} as most of those are.")
    return points


def alike(dossier: Dossier) -> str:
    """Tell accounts apart that read alike: by their bytes, so that nobody acts on the wrong one; empty without any."""
    if not dossier.twins:
        return ""
    others = [hex_bytes(twin) for twin in dossier.twins[:MOST_TWINS]]
    more = f", and {len(dossier.twins) - MOST_TWINS} more" if len(dossier.twins) > MOST_TWINS else ""
    return (
        f"Other accounts of this log read alike: take care to act on the right one. Its UTF-8 bytes are "
        f"{hex_bytes(dossier.account_id)}; not {' and not '.join(others)}{more}."
    )


def like(dossier: Dossier) -> list[str]:
    """Say which kinds of honest customer the account is most like, nearest first; empty where the model knows none."""
    return [words.likeness(row) for row in dossier.lookalikes[:MOST_KINDS]]


def whence(dossier: Dossier) -> list[str]:
    """Say where the account and its cluster come from, as far as was given; it moved no score."""
    return [_whence(row) for row in dossier.origins]


def _whence(row: Row) -> str:
    who = "It" if row["scope"] == "account" else "Its cluster"
    does = "called from" if row["seen_in"] == "log" else "signed in, by the audit log, from"
    named = f" ({row['asns']})" if row["asns"] else ""
    text = f"{who} {does} {words.counted(row['n_networks'], 'network')} of "
    text += f"{words.counted(row['n_asns'], 'known operator')}{named}"
    clients = [(row["n_user_agents"], "user agent"), (row["n_tls_fingerprints"], "TLS fingerprint")]
    told = [words.counted(n, what) for n, what in clients if n]
    return f"{text}; with {words.listed(told)}." if told else f"{text}."


def reading(run: Mapping[str, Any]) -> list[str]:
    """Say how to read evidence, once for a whole page."""
    lines = [
        "Pieces are in log-odds and add up to the score. Typical is the range of 90 % of the honest accounts behind "
        "the model, where it keeps one; the percentile is the share of like accounts of this log with a lower value."
    ]
    return [*lines, words.PAIRS] if (run.get("model") or {}).get("has_pairs") else lines


def _lacking(dossier: Dossier) -> list[str]:
    return str(dossier.account.get("held_back") or "").split(",")


def _explained(dossier: Dossier, family: str, score: float, run: Mapping[str, Any]) -> str:
    """Say what would be left if one family's evidence had an innocent cause."""
    threshold, account = run.get("threshold"), dossier.account
    start = f"Were all {family} evidence explained, the score would be {words.fixed(score)}"
    if threshold is None:
        return f"{start}."
    if score < threshold:
        return f"{start}, no longer flagged."
    action, is_certain = recommended_without(account, family, run)
    told = words.RECOMMENDATION[action]
    if action != account["action"]:
        told += f", not {words.RECOMMENDATION.get(account['action'], str(account['action']))}"
    return f"{start}, still flagged; recommended {'then' if is_certain else 'at most'}: {told}."


def _without_leave(run: Mapping[str, Any]) -> str:
    """Say why the run recommends no revocation of the account, whatever its score."""
    if (run.get("evidence_level") or 0) < 2:
        return "The log has no network identity, so no revocation is recommended from it."
    counts = run.get("counts") or {}
    if counts.get("n_doubtful", counts.get("n_rejected")):
        return (
            "Where records of the log begin is in doubt, as some could not be read, so no revocation is recommended "
            "from it."
        )
    if counts.get("n_rejected"):
        return "Many rows of the log could not be read, so no revocation is recommended from it."
    return "The log is a sample of the requests, so no revocation is recommended from it."


def oddity(name: str) -> str:
    r"""Say in a few words why a name may not be what it looks like; empty for plain ASCII.

    Examples
    --------
    >>> oddity("p\u0430y"), oddity("\u7814"), oddity("a  b")
    ("look-alike? reads like 'pay'", 'look-alike?', 'odd spacing or control characters')
    """
    if not name:
        return "empty name"
    if not name.isascii():
        read = skeleton(name)
        is_latin = read.isascii() and read.isprintable() and 0 < len(read) <= MOST_READ
        return "look-alike?" + (f" reads like '{read}'" if is_latin else "")
    return "" if name.isprintable() and name == " ".join(name.split()) else "odd spacing or control characters"


def remark(name: str) -> str:
    r"""Say why a name may not be what it looks like, with its bytes; printable, empty for plain ASCII.

    Examples
    --------
    >>> remark("p\u0430y")
    "look-alike? reads like 'pay': UTF-8 bytes 70 d0 b0 79"
    """
    odd = oddity(name)
    return f"{odd}: UTF-8 bytes {hex_bytes(name)}" if name and odd else odd
