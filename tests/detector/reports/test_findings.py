import json
from math import fsum

import pytest

from detector.reports.findings import SCHEMA_PATH, SCHEMA_VERSION, findings, write_findings
from tests.detector.reports.schemas import complaints


def test_findings_fit_their_schema(results):
    """Every finding has exactly the keys and types that the published schema says."""
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert set(schema["required"]) == set(schema["properties"])
    assert [text for one in findings(results) for text in complaints(one, schema, schema)] == []


def test_the_schema_check_can_fail(results):
    """A finding with a wrong type, a missing or a foreign key is found."""
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    one = next(findings(results))
    some = ({"score": "high"}, {"foreign": 1}, {"p_value": 2.0}, {"action_recommended": "revoked"}, {"rank": True})
    for wrong in (*some, {"families": ["rate", "rate"]}, {"first_seen_at": "today"}, {"links": [{"kind": "ip"}]}):
        assert list(complaints(one | wrong, schema, schema)), wrong
    assert list(complaints({key: one[key] for key in one if key != "score"}, schema, schema))


def test_one_finding_per_flagged_account(results):
    """Only flagged accounts, most suspicious first, with their recommendation and links."""
    found = list(findings(results))
    assert [one["account_id"] for one in found] == ["acct-1", "acct-2"]
    assert [one["action_recommended"] for one in found] == ["revoke", "review"]
    assert found[0]["families"] == ["economy", "network", "content"]
    assert (found[0]["cluster_id"], found[0]["cluster_n_accounts"]) == ("cluster-1", 2)
    assert {one["id"] for one in found[0]["techniques"]} == {
        "AML.T0024.002",
        "AML.T0040",
        "AML.T0065",
        "LLM10:2025",
        "LLM06:2026",
    }


def test_evidence_sums_to_the_score(results):
    """Prior, for, against, smaller pieces and what is unexplained are the score."""
    for one in findings(results):
        pieces = [piece["contribution"] for piece in one["evidence_for"] + one["evidence_against"]]
        total = fsum([one["prior"], *pieces, one["smaller_pieces"], one["unexplained"]])
        assert one["score"] == pytest.approx(total, abs=1e-9)


def test_lines_are_ascii_and_exact(make_results, hostile_strings, tmp_path):
    """Hostile names are escaped as JSON escapes and come back unchanged, one line each."""
    results = make_results(hostile_strings)
    write_findings(results, tmp_path / "findings.jsonl")
    raw = (tmp_path / "findings.jsonl").read_bytes()
    assert not set(raw) - set(range(32, 127)) - {10}
    names = [json.loads(line)["account_id"] for line in raw.decode().splitlines()]
    flagged = [row["account_id"] for row in results.scored.to_pylist() if row["is_flagged"]]
    assert flagged == names


def test_lines_are_the_findings_where_accounts_share_evidence(make_results, tmp_path):
    """A line is its finding as JSON with sorted keys, whether or not others before it had the same evidence."""
    results = make_results([f"acct-{place}" for place in range(9)])
    write_findings(results, tmp_path / "findings.jsonl")
    lines = (tmp_path / "findings.jsonl").read_text().splitlines()
    assert [json.dumps(one, sort_keys=True) for one in findings(results)] == lines
    assert len({line.split('"evidence_for"')[1].split('"evidence_level"')[0] for line in lines}) == 2
