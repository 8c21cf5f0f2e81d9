"""Small results to write: a few accounts whose numbers can be checked by hand, some with hostile names."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from detector import tables
from detector.results import Results

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
STRINGS = Path(__file__).parents[3] / ".." / "shared" / "torture" / "dev" / "strings"

#: Contributions per account in turn; each row with its prior is the account's score.
PIECES = (
    {"shared_payment": 6.5, "lockstep": 4.25, "prompt_reuse": 2.0, "gap_regularity": -0.75, "night_share": 0.03},
    {"shared_payment": 5.0, "prompt_reuse": 3.0, "burstiness": -1.5, "spend": 0.02, "limits": -0.01},
    {"prompt_reuse": 1.0, "burstiness": -2.0},
)
FAMILY = {"shared_payment": "economy", "spend": "economy", "lockstep": "network", "prompt_reuse": "content"}
PRIOR = -4.0
PEERS = {"usual_low": 0.05, "usual_high": 0.25, "n_peers": 214, "peers": "volume and client"}
LIKE = {"kind": "bulk_work", "distance": 2.7, "typical": 1.0, "far": 1.5, "n_accounts": 640}
THRESHOLD = 2.0


def _evidence(account_id: str, place: int) -> list[dict[str, Any]]:
    pieces = PIECES[place % len(PIECES)]
    row = {"account_id": account_id, "subject": "account", "unit": "share", "meaning": "before any evidence"}
    rows = [row | {"family": "", "feature": "prior", "contribution": PRIOR}]
    for feature, contribution in pieces.items():
        texts = {"family": FAMILY.get(feature, "rate"), "feature": feature, "meaning": f"what {feature} means"}
        rows.append(
            row | texts | {"value": 0.5, "reference": 0.1, "percentile": 0.99, "contribution": contribution} | PEERS
        )
    return rows


def _account(account_id: str, place: int) -> dict[str, Any]:
    pieces = PIECES[place % len(PIECES)]
    score = PRIOR + sum(pieces.values())
    sums = {f"score_{family}": 0.0 for family in tables.FAMILIES}
    for feature, contribution in pieces.items():
        sums[f"score_{FAMILY.get(feature, 'rate')}"] += contribution
    is_flagged = score >= THRESHOLD
    return sums | {
        "account_id": account_id,
        "score": score,
        "p_value": 0.0005 * (place + 1),
        "e_value": 500.0 / (place + 1),
        "rank": place + 1,
        "is_flagged": is_flagged,
        "action": ("revoke", "review")[place % 2] if is_flagged else "none",
        "cluster_id": "cluster-1" if place % 3 == 0 else None,
        "n_events": 100 + place,
        "first_seen_at": BEGIN,
        "last_seen_at": BEGIN + timedelta(days=3),
    }


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


def _run(n_accounts: int, n_flagged: int) -> dict[str, Any]:
    return {
        "stillwatch": "0.1.0",
        "command": "score",
        "settings": {"policy": {"family_support": 1.0, "revoke_events": 50}},
        "settings_digest": "ab" * 32,
        "versions": {"python": "3.11"},
        "inputs": [{"file": "usage.csv", "sha256": "cd" * 32, "n_bytes": 1234}],
        "format": {"name": "generic", "reason": "columns match"},
        "evidence_level": 2,
        "off": [{"what": "content features", "why": "the log has no prompt column"}],
        "counts": {"n_rows": 903, "n_read": 900, "n_rejected": 3, "n_accounts": n_accounts, "n_flagged": n_flagged},
        "threshold": THRESHOLD,
        "budget": 0.001,
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-04T00:00:00Z"},
        "model": {"name": "shipped", "sha256": "ef" * 32, "has_pairs": True},
    }


@pytest.fixture
def make_results() -> Callable[..., Results]:
    """Give a maker of results for any account names: two of three accounts are flagged, by `PIECES`."""

    def make(names: Sequence[str] = ("acct-1", "acct-2", "acct-3"), things: Sequence[str] = ("10.0.0.1",)) -> Results:
        accounts = [_account(name, place) for place, name in enumerate(names)]
        accounts.sort(key=lambda row: -row["score"])
        links = [
            {"account_id": name, "kind": "ip", "thing": things[place % len(things)], "n_accounts": 4, "n_events": 10}
            for place, name in enumerate(names)
        ]
        timeline = [
            {"account_id": name, "begins_at": BEGIN + timedelta(hours=2 * hour), "width_s": 7200, "n_events": hour + 1}
            for name in names[:2]
            for hour in range(5)
        ]
        cluster = {"cluster_id": "cluster-1", "n_accounts": 2, "n_events": 203, "score": 9.0, "n_flagged": 1}
        cluster |= {"link_kinds": "ip,payment_id", "n_shared_things": 2, "first_seen_at": BEGIN, "last_seen_at": BEGIN}
        evidence = [row for place, name in enumerate(names) for row in _evidence(name, place)]
        rejected = [{"file": names[0], "line": 7, "reason": "not a number"}, {"file": "", "line": None, "reason": None}]
        return Results(
            scored=_table(accounts, tables.SCORED),
            clusters=_table([cluster], tables.CLUSTERS),
            evidence=_table(evidence, tables.EVIDENCE),
            links=_table(links, tables.LINKS),
            timeline=_table(timeline, tables.TIMELINE),
            rejected=_table(rejected, tables.REJECTED),
            excerpts=_table([{"account_id": name, "excerpt": names[0]} for name in names], tables.EXCERPTS),
            lookalikes=_table([LIKE | {"account_id": name} for name in names], tables.LOOKALIKES),
            run=_run(len(names), sum(row["is_flagged"] for row in accounts)),
        )

    return make


@pytest.fixture
def results(make_results: Callable[..., Results]) -> Results:
    """Give results of three plain accounts."""
    return make_results()


@pytest.fixture(scope="session")
def hostile_strings() -> list[str]:
    """Give every hostile string of the shared material, once."""
    if not STRINGS.is_dir():
        pytest.skip("no hostile strings: the shared material is not beside the checkout")
    strings: set[str] = set()
    for path in sorted(STRINGS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            value = json.loads(line) if line else None
            if isinstance(value, str):
                strings.add(value.encode("utf-8", "replace").decode())
    return sorted(strings)
