"""Audit logs tell where users sign in: read with the care of a log, named as its accounts are, never counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from detector.errors import AuditError, StillwatchError
from detector.logs.audit import SEEN, read_audits
from detector.logs.identity import account_name

AT = 1_772_000_000


def signed_in(user: str | None, ip: str | None, **seen: Any) -> dict[str, Any]:
    """Make the event of a session."""
    session = {"user": {"id": user, "email": "x@example.test"}, "ip_address": ip, **seen}
    return {"id": "audit_log-1", "type": "login.succeeded", "effective_at": AT, "actor": {"session": session}}


def acted(key: str, user: str) -> dict[str, Any]:
    """Make the event of a key."""
    return {"type": "project.updated", "effective_at": AT, "actor": {"api_key": {"id": key, "user": {"id": user}}}}


def written(path: Path, *lines: object) -> Path:
    """Write lines, texts as they are."""
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), encoding="utf-8")
    return path


def told(path: Path, *account_by: str) -> dict[str, set[object]]:
    """Give the addresses by account."""
    found: dict[str, set[object]] = {}
    for row in read_audits([path], account_by)[0].accounts.to_pylist():
        found.setdefault(row["account_id"], set()).add(row["ip"])
    return found


EVENTS = (
    signed_in("ann", "192.0.2.1", user_agent="Mozilla", ja3="j3", ja4="j4", ip_address_details={"asn": "64500"}),
    signed_in("bob", "2001:db8::1"),
    acted("key_1", "ann"),
    acted("key_2", "ann"),
    acted("key_2", "bob"),
)


def test_events_and_pages_say_the_same(tmp_path: Path) -> None:
    """An event a line and a page a line give equal tables, and a thing seen twice is there once."""
    events = read_audits([written(tmp_path / "events.jsonl", *EVENTS, EVENTS[0])])[0]
    pages = read_audits([written(tmp_path / "p.jsonl", {"data": EVENTS[:2]}, {"data": EVENTS[2:], "has_more": False})])
    order = [(name, "ascending") for name in ("account_id", *SEEN)]
    assert events.accounts.sort_by(order).equals(pages[0].accounts.sort_by(order))
    assert (events.n_rows, pages[0].n_rows, len(events.rejected)) == (6, 5, 0)
    ann = {"account_id": "ann", "ip": "192.0.2.1", "asn": 64500, "user_agent": "Mozilla", "tls_fingerprint": "j4"}
    assert events.accounts.to_pylist().count(ann) == 1


def test_a_key_has_what_its_one_user_has(tmp_path: Path) -> None:
    """A key that acted for one user signs in where he does; one of two users is known by none of their addresses."""
    found = told(written(tmp_path / "a.jsonl", *EVENTS))
    assert found["key_1"] - {None} == {"192.0.2.1"}
    assert found.get("key_2", set()) - {None} == set()


def test_accounts_are_named_as_in_the_log(tmp_path: Path) -> None:
    """By user, by key, or the one standing in for the other with its mark; by something else it is refused."""
    path = written(tmp_path / "a.jsonl", *EVENTS)
    assert set(told(path)) == {"ann", "bob", "key_1"}
    assert set(told(path, "user")) == {"ann", "bob"}
    assert set(told(path, "key")) == {"key_1"}
    assert set(told(path, "key", "user")) == {"user:ann", "user:bob", "key_1"}
    assert account_name("user", "key:1", ["user", "key"]) == "user:key:1", "nobody becomes another by a name"
    with pytest.raises(AuditError, match="accounts are by team"):
        read_audits([path], ["team"])


def test_bad_records_are_set_aside(tmp_path: Path) -> None:
    """Half a record, no actor, no instant, an actor named twice: each is named by its line, and costs no other."""
    twice = json.dumps(EVENTS[1]).replace('"id": "bob"', '"id": "bob", "id": "ann"')
    bad = ['{"actor": ', signed_in(None, "192.0.2.7"), {**EVENTS[0], "effective_at": "soon"}, twice, "[1]"]
    read = read_audits([written(tmp_path / "a.jsonl", EVENTS[0], *bad, EVENTS[1])])[0]
    assert {row["account_id"] for row in read.accounts.to_pylist()} == {"ann", "bob"}
    assert read.rejected["line"].to_pylist() == [2, 3, 4, 5, 6]
    assert "192.0.2.7" not in str(read.rejected.to_pylist())


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ({"timestamp": AT, "prompt": "secret"}, AuditError, r"is no OpenAI audit log: no event of it has an actor"),
        ("", StillwatchError, "a.jsonl"),
        ("[1, 2]", StillwatchError, "a.jsonl"),
        (signed_in(None, "192.0.2.7"), StillwatchError, "all 1 records are malformed"),
    ],
)
def test_what_is_no_audit_log_is_refused(
    tmp_path: Path, content: object, error: type[StillwatchError], says: str
) -> None:
    """Another log, nothing, a list, events without actors: one error that names the file or says why."""
    with pytest.raises(error, match=says) as refusal:
        read_audits([written(tmp_path / "a.jsonl", content)])
    assert "secret" not in str(refusal.value)
