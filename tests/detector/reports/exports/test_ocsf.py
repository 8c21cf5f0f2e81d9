"""Detection Findings hold what OCSF requires, in 1.8.0 and 1.1.0. The schemas are written by hand, from the spec."""

import json

import pytest

from detector.reports.exports import ocsf
from tests.detector.reports.schemas import complaints

TEXT, NUMBER, MS = {"type": "string"}, {"type": "integer"}, {"type": "integer", "minimum": 1_000_000_000_000}
ENTITY = {"type": "object", "required": ["uid", "name"], "properties": {"uid": TEXT, "name": TEXT}}
ATTACK = {
    "type": "object",
    "anyRequired": ["tactic", "technique", "sub_technique"],
    "properties": {"technique": ENTITY, "sub_technique": ENTITY},
}
OBSERVED = {
    "type": "object",
    "required": ["observed_attribute", "observations"],
    "properties": {
        "observed_attribute": TEXT,
        "observations": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["value"], "properties": {"value": TEXT}},
        },
    },
}
ANALYSIS = {
    "type": "object",
    "required": ["analysis_target", "anomalies"],
    "properties": {
        "analysis_target": {"type": "object", "required": ["name"], "properties": {"name": TEXT}},
        "anomalies": {"type": "array", "minItems": 1, "items": OBSERVED},
        "baselines": {"type": "array", "items": OBSERVED},
    },
}
SINCE_1_1 = {
    "activity_id": {"const": 1},
    "activity_name": TEXT,
    "category_uid": {"const": 2},
    "category_name": TEXT,
    "class_uid": {"const": 2004},
    "class_name": TEXT,
    "type_uid": {"const": 200401},
    "time": MS,
    "start_time": MS,
    "end_time": MS,
    "severity_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
    "severity": TEXT,
    "confidence_id": {"enum": [1, 2, 3]},
    "confidence": TEXT,
    "risk_score": {"type": "integer", "minimum": 0, "maximum": 100},
    "risk_level_id": {"enum": [0, 1, 2, 3, 4]},
    "status_id": {"const": 1},
    "status": {"const": "New"},
    "message": TEXT,
    "metadata": {
        "type": "object",
        "required": ["version", "product"],
        "properties": {
            "version": TEXT,
            "uid": TEXT,
            "labels": {"type": "array", "items": TEXT},
            "product": {"type": "object", "anyRequired": ["name", "uid"], "properties": {"vendor_name": TEXT}},
        },
    },
    "finding_info": {
        "type": "object",
        "required": ["uid", "title"],
        "properties": {
            "uid": TEXT,
            "title": TEXT,
            "types": {"type": "array", "items": TEXT},
            "analytic": {"type": "object", "required": ["type_id"], "properties": {"type_id": {"enum": [1, 2, 3, 4]}}},
            "attacks": {"type": "array", "items": ATTACK},
            "first_seen_time": MS,
            "last_seen_time": MS,
        },
    },
    "resources": {"type": "array", "minItems": 1, "items": {"type": "object", "anyRequired": ["name", "uid"]}},
    "observables": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "type_id"],
            "properties": {"name": TEXT, "type_id": NUMBER, "value": TEXT},
        },
    },
    "evidences": {"type": "array", "items": {"type": "object", "anyRequired": ["actor", "api", "data", "user"]}},
    "remediation": {"type": "object", "required": ["desc"], "properties": {"desc": TEXT}},
    "unmapped": {"type": "object"},
}
SINCE_1_8 = {"is_alert": {"type": "boolean"}, "anomaly_analyses": {"type": "array", "items": ANALYSIS}}
REQUIRED = ["activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata", "finding_info"]


def _schema(properties):
    return {"type": "object", "additionalProperties": False, "required": REQUIRED, "properties": properties}


FORMS = {"1.8.0": (ocsf.line, _schema(SINCE_1_1 | SINCE_1_8)), "1.1.0": (ocsf.line_1_1, _schema(SINCE_1_1))}


@pytest.mark.parametrize("version", FORMS)
def test_what_the_class_requires_is_there(named, version):
    """Every required field and the types of the others; in 1.1.0 no attribute that came later."""
    write, schema = FORMS[version]
    for name in ("acct-1", "\x1b\u202e=<b>", "p\u0430y", "x" * 5000):
        event = json.loads(write(*named(name)))
        assert list(complaints(event, schema, schema)) == []
        assert (event["metadata"]["version"], event["resources"][0]["uid"]) == (version, name)


def test_later_attributes_are_refused_by_the_older_schema(named):
    """The two schemas differ in what they let through, so the test above can fail."""
    event = json.loads(ocsf.line(*named("acct-1")))
    assert {"is_alert", "anomaly_analyses"} < set(event)
    assert list(complaints(event, FORMS["1.1.0"][1], FORMS["1.1.0"][1]))
    del event["finding_info"]["uid"]
    assert any("finding_info: lacks {'uid'}" in text for text in complaints(event, *[FORMS["1.8.0"][1]] * 2))


def test_a_finding_in_numbers(one, results):
    """Checked by hand: a revocation recommended on three families is High and certain, and is no incident response."""
    event = json.loads(ocsf.line(one, results.run))
    assert (event["severity_id"], event["confidence_id"], event["risk_score"]) == (4, 3, 73)
    assert event["time"] == 1_793_750_400_000
    assert event["finding_info"]["attacks"][0] == {
        "technique": {"uid": "AML.T0024", "name": "Exfiltration via AI Inference API"},
        "sub_technique": {"uid": "AML.T0024.002", "name": "Extract AI Model"},
    }
    assert event["metadata"]["labels"] == ["OWASP LLM Top 10 LLM10:2025", "OWASP LLM Top 10 LLM06:2026"]
    pieces = [evidence["data"] for evidence in event["evidences"]]
    assert pieces == one["evidence_for"] + one["evidence_against"]
    shown = event["anomaly_analyses"][0]
    assert shown["anomalies"][0]["observed_attribute"] == "shared_payment"
    assert [side[0]["observations"][0]["value"] for side in (shown["anomalies"], shown["baselines"])] == ["0.5", "0.1"]


def test_one_finding_keeps_its_name(one, results):
    """Exported again it has the same uid; of another log, model or account it has another."""

    def uid(finding, run):
        return json.loads(ocsf.line(finding, run))["finding_info"]["uid"]

    run = results.run
    others = [run | {"settings_digest": "x"}, run | {"inputs": []}, run | {"model": {"sha256": "x"}}]
    assert uid(one, run) == uid(one, dict(run))
    assert len({uid(one, run), uid(one | {"account_id": "other"}, run), *(uid(one, other) for other in others)}) == 5
