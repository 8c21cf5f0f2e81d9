"""Flagged accounts as JSON lines, one finding each: the machine-readable form that others are derived from.

Names are exact here, escaped only as JSON escapes. A finding recommends; it must never read as if something was done.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.reports.dossiers import Dossier, dossiers, flagged
from detector.reports.techniques import techniques
from detector.reports.waterfall import Step, Waterfall
from detector.results import Results

#: Version of `finding.schema.json`: the first number changes when a reader could break.
SCHEMA_VERSION = "1.1"

SCHEMA_PATH = Path(__file__).with_name("finding.schema.json")

#: Nearest kinds of honest customer in a finding (chosen: the rest are further still).
MOST_KINDS = 3

#: Flagged accounts gathered at once: bounds memory when a budget is generous.
BATCH = 5000

#: Texts of evidence kept for the accounts after, some kB each (chosen: members of a cluster score alike, so they come
#: one after another).
_KEPT = 256

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, sort_keys=True)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON of printable ASCII, keys sorted."""
    if indent is None:
        return _ENCODER.encode(value)
    return json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True, indent=indent)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _piece(step: Step) -> dict[str, Any]:
    return {
        "family": step.family,
        "feature": step.feature,
        "subject": step.subject,
        "meaning": step.meaning,
        "value": _finite(step.value),
        "unit": step.unit,
        "reference": _finite(step.reference),
        "usual_low": _finite(step.usual_low),
        "usual_high": _finite(step.usual_high),
        "percentile": _finite(step.percentile),
        "n_peers": step.n_peers,
        "peers": step.peers,
        "contribution": step.contribution,
    }


def _sum_of(fall: Waterfall, kind: str) -> float:
    return sum((step.contribution for step in fall.steps if step.kind == kind), start=0.0)


def _evidence(fall: Waterfall) -> dict[str, Any]:
    return {
        "prior": _sum_of(fall, "prior"),
        "evidence_for": [_piece(step) for step in fall.evidence_for],
        "evidence_against": [_piece(step) for step in fall.evidence_against],
        "smaller_pieces": _sum_of(fall, "small"),
        "unexplained": _sum_of(fall, "unexplained"),
    }


def _missing(run: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"what": str(off.get("what", "")), "why": str(off.get("why", ""))} for off in run.get("off") or []]


def finding(dossier: Dossier, run: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out one flagged account as `finding.schema.json` says.

    Parameters
    ----------
    run: `Results.run`.
    """
    return _account(dossier, run) | _evidence(dossier.waterfall)


def _account(dossier: Dossier, run: Mapping[str, Any]) -> dict[str, Any]:
    """All of a finding but its evidence."""
    account = dossier.account
    return {
        "schema_version": SCHEMA_VERSION,
        "account_id": dossier.account_id,
        "score": account["score"],
        "threshold": run.get("threshold"),
        "p_value": _finite(account["p_value"]),
        "e_value": _finite(account["e_value"]),
        "rank": account["rank"],
        "action_recommended": account["action"],
        "families": list(dossier.families),
        "cluster_id": account["cluster_id"],
        "cluster_n_accounts": dossier.cluster["n_accounts"] if dossier.cluster else None,
        "n_events": account["n_events"],
        "first_seen_at": _iso(account["first_seen_at"]),
        "last_seen_at": _iso(account["last_seen_at"]),
        "evidence_level": run.get("evidence_level"),
        "missing": _missing(run),
        "links": [
            {"kind": one.kind, "thing": one.thing, "n_accounts": one.n_accounts, "n_events": one.n_events}
            for one in dossier.links
        ],
        "techniques": [one._asdict() for one in techniques(dossier)],
        "looks_like": [
            {key: one[key] for key in ("kind", "distance", "typical", "far")} for one in dossier.lookalikes[:MOST_KINDS]
        ],
        "held_back": [name for name in str(account.get("held_back") or "").split(",") if name],
    }


def _suspects(results: Results) -> Iterator[Dossier]:
    suspects: pa.Table = flagged(results.scored)
    for start in range(0, suspects.num_rows, BATCH):
        yield from dossiers(results, suspects.slice(start, BATCH), with_neighbours=False)


def findings(results: Results) -> Iterator[dict[str, Any]]:
    """Give one finding per flagged account, most suspicious first."""
    for dossier in _suspects(results):
        yield finding(dossier, results.run)


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {key: to_json(item) for key, item in value.items()}


def write_findings(results: Results, path: Path) -> None:
    """Write `findings.jsonl`: one finding per line, as `to_json` writes it; evidence that accounts share, once."""
    evidence_texts = lru_cache(_KEPT)(lambda fall: _texts(_evidence(fall)))
    with path.open("w", encoding="ascii", newline="\n") as lines:
        for dossier in _suspects(results):
            texts = _texts(_account(dossier, results.run)) | evidence_texts(dossier.waterfall)
            lines.write("{" + ", ".join(f'"{key}": {texts[key]}' for key in sorted(texts)) + "}\n")
