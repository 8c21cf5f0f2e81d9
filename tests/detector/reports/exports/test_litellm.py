"""The plan is a plan: constant paths, no host, one call per account, and it says that nothing was done."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.reports.exports import litellm

KEY = "ab" * 32
PATHS = {"/key/block", "/key/unblock", "/key/info", "/key/list"}


def _calls(step):
    return [step, *(step[key] for key in ("check_first", "undo") if step.get(key))]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.text(max_size=40), st.sampled_from(["../../admin", "https://evil/x", KEY + "\n", "?a=b&c#d"])))
def test_no_path_is_made_of_data(one, results, name):
    """Whatever an account is called, methods and paths are ours, and its name is a value of JSON."""
    line = litellm.line(one | {"account_id": name}, results.run)
    step = json.loads(line)
    assert line.isascii() and line.isprintable()
    assert all(call["path"] in PATHS and call["method"] in ("GET", "POST") for call in _calls(step))
    assert step["account_id"] == name
    assert step["query"] == {"user_id": name}
    assert "http" not in step["path"] + step["method"]


def test_a_key_is_blocked_by_its_hash(one, results):
    """An account that is a key hash gets the call, a check before it and a way back; nothing has been done."""
    step = json.loads(litellm.line(one | {"account_id": KEY}, results.run))
    assert (step["method"], step["path"], step["body"]) == ("POST", "/key/block", {"key": KEY})
    assert step["check_first"] == {"method": "GET", "path": "/key/info", "query": {"key": KEY}}
    assert step["undo"] == {"method": "POST", "path": "/key/unblock", "body": {"key": KEY}}
    assert step["is_done"] is False
    assert "This has not been done." in step["note"]
    assert step["evidence_for"][0] == "what shared_payment means (+6.50)"
    assert step["evidence_against"] == ["what gap_regularity means (-0.75)"]


def test_an_owner_of_keys_is_looked_up(one, results):
    """Of an account that is no key, nothing is blocked before its keys are known: the plan asks for them."""
    step = json.loads(litellm.line(one, results.run))
    assert (step["method"], step["path"], step["query"], step["body"]) == (
        "GET",
        "/key/list",
        {"user_id": "acct-1"},
        None,
    )
