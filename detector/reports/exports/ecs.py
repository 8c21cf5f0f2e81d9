"""A finding as an event of the Elastic Common Schema: an alert, one JSON object a line.

References: Elastic Common Schema 8.11 (fields `event`, `threat`, `rule`, `user.risk`, `related`). What it has no field
for stands under `stillwatch`, as the schema asks of custom fields.
"""

from typing import Any

from detector.reports.exports import telling
from detector.reports.exports.telling import Finding, Run
from detector.reports.findings import to_json
from detector.reports.techniques import ATLAS, PARENTS

VERSION = "8.11.0"

_LEVEL = {"none": "Unknown", "review": "Low", "throttle": "Moderate", "revoke": "High"}


def line(finding: Finding, run: Run) -> str:
    """Write a finding as an alert, of an account under contract as an event.

    `event.action` and `event.outcome` are left out: nothing was done.
    """
    weight = telling.WEIGHT[finding["action_recommended"]]
    return to_json(
        {
            "@timestamp": telling.judged_at(finding, run),
            "ecs": {"version": VERSION},
            "message": telling.message(finding),
            "event": _event(finding, run, weight),
            "observer": {"vendor": telling.VENDOR, "product": telling.PRODUCT, "type": "log analysis"},
            "rule": _rule(run),
            "threat": _threat(finding),
            "user": {
                "id": finding["account_id"],
                "risk": {"calculated_score_norm": weight, "calculated_level": _LEVEL[finding["action_recommended"]]},
            },
            "related": {"user": [finding["account_id"]]},
            "tags": [f"{one['framework']} {one['id']}" for one in finding["techniques"] if one["framework"] != ATLAS],
            "stillwatch": telling.native(finding) | {"evidence": _evidence(finding)},
        }
    )


def _event(finding: Finding, run: Run, weight: int) -> dict[str, Any]:
    event = {
        "kind": "event" if finding["action_recommended"] == "none" else "alert",
        "category": ["threat"],
        "type": ["indicator"],
        "module": "stillwatch",
        "dataset": "stillwatch.findings",
        "provider": telling.PRODUCT,
        "id": telling.uid(finding, run),
        "severity": weight,
        "risk_score": weight,
        "reason": telling.gist(finding),
        "start": finding["first_seen_at"],
        "end": finding["last_seen_at"],
    }
    return {key: value for key, value in event.items() if value is not None}


def _rule(run: Run) -> dict[str, str]:
    model = run.get("model") or {}
    return {
        "name": telling.TITLE,
        "id": str(model.get("name", "")),
        "version": str(run.get("stillwatch", "")),
        "uuid": str(model.get("sha256", "")),
        "category": "Model extraction",
    }


def _threat(finding: Finding) -> dict[str, Any]:
    """Name techniques of the one framework that fits the fields; a sub-technique stands beside its parent."""
    named = [one for one in finding["techniques"] if one["framework"] == ATLAS]
    below = [one for one in named if one["id"].rpartition(".")[0] in PARENTS]
    parents = {parent: PARENTS[parent] for parent in (one["id"].rpartition(".")[0] for one in below)}
    above = parents | {one["id"]: one["name"] for one in named if one not in below}
    subtechnique = {"id": [one["id"] for one in below], "name": [one["name"] for one in below]}
    return {
        "framework": ATLAS,
        "technique": {"id": list(above), "name": list(above.values()), "subtechnique": subtechnique},
    }


def _evidence(finding: Finding) -> list[dict[str, Any]]:
    kept = ("family", "feature", "meaning", "value", "unit", "reference", "percentile", "contribution")
    return [{key: piece[key] for key in kept} for piece in [*finding["evidence_for"], *finding["evidence_against"]]]
