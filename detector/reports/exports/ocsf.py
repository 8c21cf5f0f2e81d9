"""A finding as an OCSF Detection Finding, for security lakes: version 1.8.0, or what 1.1.0 has.

References: Open Cybersecurity Schema Framework, class Detection Finding (2004), 1.1.0 and 1.8.0. Prompt texts have
fields there (`message_context`, 1.8); they are left empty on purpose.
"""

from typing import Any

from detector.reports.exports import telling
from detector.reports.exports.telling import Finding, Run
from detector.reports.findings import to_json
from detector.reports.techniques import PARENTS

CATEGORY, CLASS, CREATE, NEW = 2, 2004, 1, 1
#: `analytic.type_id`: Learning/ML is what a fitted model is.
_LEARNING = 4
#: `observable.type_id`: the value is the uid of a resource.
_RESOURCE_UID = 10

#: Chosen: none is Informational, and nothing is Critical, since a person has yet to look.
SEVERITY = {"none": (1, "Informational"), "review": (2, "Low"), "throttle": (3, "Medium"), "revoke": (4, "High")}
#: Pieces of evidence that are told a second time as anomalies (chosen: what an analyst reads; `evidences` has all).
MOST_ANOMALIES = 10

_RISK_LEVEL = {"none": 0, "review": 1, "throttle": 2, "revoke": 3}


def line(finding: Finding, run: Run) -> str:
    """Write a finding as version 1.8.0: with an alert flag and what is usual beside what was seen."""
    extras = {"is_alert": finding["action_recommended"] != "none", "anomaly_analyses": _anomalies(finding)}
    return to_json(_event(finding, run, "1.8.0") | {key: value for key, value in extras.items() if value != []})


def line_1_1(finding: Finding, run: Run) -> str:
    """Write a finding with attributes of version 1.1.0 alone."""
    return to_json(_event(finding, run, "1.1.0"))


def _confidence(finding: Finding) -> tuple[int, str]:
    """Chosen: as a revocation asks, two families at least; High where nothing is lacking for one."""
    if len(finding["families"]) < 2:
        return 1, "Low"
    return (2, "Medium") if finding["held_back"] else (3, "High")


def _event(finding: Finding, run: Run, version: str) -> dict[str, Any]:
    action, name = finding["action_recommended"], telling.uid(finding, run)
    severity, confidence = SEVERITY[action], _confidence(finding)
    resource = {"uid": finding["account_id"], "type": "LLM API account"}
    event = {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": 100 * CLASS + CREATE,
        "time": telling.epoch_ms(telling.judged_at(finding, run)),
        "start_time": telling.epoch_ms(finding["first_seen_at"]),
        "end_time": telling.epoch_ms(finding["last_seen_at"]),
        "severity_id": severity[0],
        "severity": severity[1],
        "confidence_id": confidence[0],
        "confidence": confidence[1],
        "risk_score": telling.WEIGHT[action],
        "risk_level_id": _RISK_LEVEL[action],
        "status_id": NEW,
        "status": "New",
        "message": telling.message(finding),
        "metadata": _metadata(finding, run, version, name),
        "finding_info": _info(finding, run, name),
        "resources": [resource],
        "observables": [{"name": "resources[0].uid", "type_id": _RESOURCE_UID, "value": finding["account_id"]}],
        "evidences": [{"data": piece} for piece in [*finding["evidence_for"], *finding["evidence_against"]]],
        "remediation": {"desc": telling.recommendation(finding)},
        "unmapped": telling.native(finding),
    }
    return {key: value for key, value in event.items() if value not in (None, [])}


def _metadata(finding: Finding, run: Run, version: str, name: str) -> dict[str, Any]:
    """Say who speaks; techniques that are none of MITRE's stand here as labels."""
    product = {"name": telling.PRODUCT, "vendor_name": telling.VENDOR, "version": str(run.get("stillwatch", ""))}
    labels = [f"{one['framework']} {one['id']}" for one in finding["techniques"] if not _is_mitre(one["id"])]
    return {"version": version, "uid": name, "product": product, "labels": labels}


def _is_mitre(technique: str) -> bool:
    return technique.startswith("AML.T")


def _info(finding: Finding, run: Run, name: str) -> dict[str, Any]:
    model = run.get("model") or {}
    info = {
        "uid": name,
        "title": telling.TITLE,
        "desc": telling.gist(finding),
        "types": ["Model extraction"],
        "analytic": {
            "type_id": _LEARNING,
            "type": "Learning (ML/DL)",
            "name": str(model.get("name", "")),
            "uid": str(model.get("sha256", "")),
        },
        "attacks": [_attack(one) for one in finding["techniques"] if _is_mitre(one["id"])],
        "first_seen_time": telling.epoch_ms(finding["first_seen_at"]),
        "last_seen_time": telling.epoch_ms(finding["last_seen_at"]),
    }
    return {key: value for key, value in info.items() if value is not None}


def _attack(technique: dict[str, str]) -> dict[str, dict[str, str]]:
    own = {"uid": technique["id"], "name": technique["name"]}
    parent = technique["id"].rpartition(".")[0]
    if parent in PARENTS:
        return {"technique": {"uid": parent, "name": PARENTS[parent]}, "sub_technique": own}
    return {"technique": own}


def _anomalies(finding: Finding) -> list[dict[str, Any]]:
    """Give each piece for it that has a usual value: what was observed, beside the baseline."""
    known = [one for one in finding["evidence_for"] if None not in (one["value"], one["reference"])]
    known = known[:MOST_ANOMALIES]
    if not known:
        return []
    return [
        {
            "analysis_target": {"name": finding["account_id"], "type": "LLM API account"},
            "anomalies": [_observed(one, one["value"]) for one in known],
            "baselines": [_observed(one, one["reference"]) for one in known],
        }
    ]


def _observed(piece: dict[str, Any], value: float) -> dict[str, Any]:
    return {
        "observed_attribute": piece["feature"],
        "observation_type": "Deviation Analysis",
        "observations": [{"value": f"{value:g}"}],
    }
