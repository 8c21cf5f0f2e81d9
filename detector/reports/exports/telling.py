"""What every export says of a finding, in the same words.

Names are exact where a format keeps an id for machines, and shown by `safe` where a person reads. Nothing here may read
as if something was done.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from detector.errors import NotScoredError
from detector.reports import words
from detector.reports.caveats import remark
from detector.reports.findings import to_json
from detector.reports.safe import safe_name, safe_text

Finding = Mapping[str, Any]
Run = Mapping[str, Any]

VENDOR = PRODUCT = "Stillwatch"
TITLE = "Suspected model distillation"

#: How much a recommendation weighs, 0 to 100, for scales that ask (Elastic's own rules: low 21, medium 47, high 73).
#: Not the score: log-odds of 4.8 would be 99 of 100 there, and a wrong revocation is the costliest error.
WEIGHT = {"none": 0, "review": 21, "throttle": 47, "revoke": 73}

#: Pieces of evidence named in a sentence (chosen: what a line of a console holds).
MOST_PIECES = 3


def uid(finding: Finding, run: Run) -> str:
    """Name a finding: equal for the same account, logs, model and settings, whenever it is exported; 32 hex digits."""
    made_of = [finding["account_id"], run.get("settings_digest"), (run.get("model") or {}).get("sha256")]
    made_of += [one.get("sha256") for one in run.get("inputs") or []]
    return hashlib.sha256(to_json(made_of).encode("ascii")).hexdigest()[:32]


def judged_at(finding: Finding, run: Run) -> str:
    """Give the instant that a finding holds for, ISO 8601: the end of the log. The clock on the wall decides nothing.

    Raises
    ------
    NotScoredError
        Neither the run nor the account says when the log ended.
    """
    at = (run.get("period") or {}).get("to") or finding["last_seen_at"]
    if at is None or epoch_ms(at) is None:
        raise NotScoredError(
            f"run.json: period.to is {at!r}, no instant; give the folder that `stillwatch score` wrote"
        )
    return str(at)


def epoch_ms(at: str | None) -> int | None:
    """Give milliseconds since 1970 of an ISO 8601 instant; none where it is none."""
    try:
        return None if at is None else int(1000 * datetime.fromisoformat(at).timestamp())
    except ValueError:
        return None


def recommendation(finding: Finding) -> str:
    """Say what is recommended, and that it has not been done."""
    action = str(finding["action_recommended"])
    return f"Recommended: {words.RECOMMENDATION.get(action, action)}. Nothing has been done to the account."


def message(finding: Finding) -> str:
    """Say in a line of printable text what was found of whom; a name that may mislead is spelled in hex."""
    odd = remark(finding["account_id"])
    name = safe_name(finding["account_id"]) + (f" ({odd})" if odd else "")
    return safe_text(f"{TITLE} by account ") + name + safe_text(f", score {finding['score']:.2f}. ") + gist(finding)


def reasons(finding: Finding) -> str:
    """Name the strongest evidence for and the strongest against, in log-odds."""
    told = "; ".join(pieces(finding["evidence_for"])) or "no single piece"
    against = "; ".join(pieces(finding["evidence_against"], most=1)) or "nothing measured"
    return f"For: {told}. Against: {against}."


def gist(finding: Finding) -> str:
    """Give the reasons and the recommendation."""
    return f"{reasons(finding)} {safe_text(recommendation(finding))}"


def pieces(evidence: Iterable[Mapping[str, Any]], *, most: int = MOST_PIECES) -> list[str]:
    """Name the first pieces of evidence with what each adds, printable."""
    first = list(evidence)[:most]
    return [safe_text(f"{one['meaning'] or one['feature']} ({one['contribution']:+.2f})") for one in first]


def native(finding: Finding) -> dict[str, Any]:
    """Give the facts for which other formats have no field of their own, by the names of `finding.schema.json`."""
    kept = (
        "schema_version", "score", "threshold", "p_value", "e_value", "rank", "action_recommended", "families",
        "held_back", "cluster_id", "cluster_n_accounts", "n_events", "evidence_level", "missing", "looks_like",
    )  # fmt: skip
    return {name: finding[name] for name in kept} | {"account_remark": remark(finding["account_id"])}
