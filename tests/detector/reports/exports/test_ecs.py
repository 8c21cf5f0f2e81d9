"""Events hold what the Elastic Common Schema asks of an alert. The schema here is written by hand, from the spec."""

import json

from detector.reports.exports import ecs
from tests.detector.reports.schemas import complaints

TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
SCORE = {"type": "number", "minimum": 0, "maximum": 100}


def _object(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


SCHEMA = _object(
    "@timestamp ecs event message user",
    **{"@timestamp": {"type": "string", "format": "date-time"}},
    ecs=_object("version", version=TEXT),
    message=TEXT,
    tags=TEXTS,
    observer=_object("", vendor=TEXT, product=TEXT, type=TEXT),
    rule=_object("name", name=TEXT, id=TEXT, version=TEXT, uuid=TEXT, category=TEXT),
    related=_object("user", user=TEXTS),
    stillwatch={"type": "object"},
    user=_object("id", id=TEXT, risk=_object("", calculated_score_norm=SCORE, calculated_level=TEXT)),
    event=_object(
        "kind category type id",
        kind={"enum": ["alert", "event"]},
        category={"type": "array", "minItems": 1, "items": {"enum": ["threat"]}},
        type={"type": "array", "minItems": 1, "items": {"enum": ["indicator"]}},
        module=TEXT,
        dataset=TEXT,
        provider=TEXT,
        id=TEXT,
        severity={"type": "integer"},
        risk_score=SCORE,
        reason=TEXT,
        start={"type": "string", "format": "date-time"},
        end={"type": "string", "format": "date-time"},
    ),
    threat=_object(
        "framework technique",
        framework={"const": "MITRE ATLAS"},
        technique=_object("id name", id=TEXTS, name=TEXTS, subtechnique=_object("id name", id=TEXTS, name=TEXTS)),
    ),
)


def test_events_fit_the_schema(named):
    """Every field is one of the schema and of its type; own fields stand apart under the tool's name."""
    for name in ("acct-1", "\x1b\u202e=<b>", "p\u0430y"):
        event = json.loads(ecs.line(*named(name)))
        assert list(complaints(event, SCHEMA, SCHEMA)) == []
        assert name == event["user"]["id"] == event["related"]["user"][0]


def test_nothing_reads_as_done(one, results):
    """No action and no outcome; the words recommend; an account under contract is no alert."""
    event = json.loads(ecs.line(one, results.run))
    assert event["event"]["kind"] == "alert"
    assert {"action", "outcome"}.isdisjoint(event["event"])
    assert "Recommended: revoke after review. Nothing has been done to the account." in event["message"]
    left = json.loads(ecs.line(one | {"action_recommended": "none"}, results.run))
    assert (left["event"]["kind"], left["event"]["risk_score"]) == ("event", 0)


def test_techniques_stand_under_their_parents(one, results):
    """Sub-techniques go with their parent, and no other framework's entries are taken for techniques."""
    technique = json.loads(ecs.line(one, results.run))["threat"]["technique"]
    assert technique["id"] == ["AML.T0024", "AML.T0040", "AML.T0065"]
    assert technique["subtechnique"]["id"] == ["AML.T0024.002"]
