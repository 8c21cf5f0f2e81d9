"""What a person could run against a LiteLLM proxy's administration, as a plan: a file to read, check and edit.

Nothing of it is run here: no host, no credential, no client. Paths are constants; what comes from a log stands in
bodies and queries alone.

References: LiteLLM proxy, key management: POST /key/block and /key/unblock take a key or its hash; GET /key/info and
/key/list tell whose it is. Spend logs hold hashes: SHA-256, 64 hex digits.
"""

import re
from typing import Any

from detector.reports.caveats import remark
from detector.reports.exports import telling
from detector.reports.exports.telling import Finding, Run
from detector.reports.findings import to_json

NOT_DONE = "This has not been done. Read the case, ask the account's holder, then decide; nobody runs this but you."

_KEY_HASH = re.compile(r"[0-9a-f]{64}")


def line(finding: Finding, run: Run) -> str:
    """Write one call that is recommended for one account, with its reasons, how to check it and how to undo it."""
    call = _block(finding["account_id"]) if _KEY_HASH.fullmatch(finding["account_id"]) else _find(finding["account_id"])
    return to_json(
        call
        | {
            "is_done": False,
            "note": NOT_DONE,
            "account_id": finding["account_id"],
            "account_remark": remark(finding["account_id"]),
            "recommended": finding["action_recommended"],
            "reason": telling.gist(finding),
            "evidence_for": telling.pieces(finding["evidence_for"]),
            "evidence_against": telling.pieces(finding["evidence_against"]),
            "families": finding["families"],
            "held_back": finding["held_back"],
            "score": finding["score"],
            "finding_uid": telling.uid(finding, run),
        }
    )


def _block(key: str) -> dict[str, Any]:
    """Block one key; see first whose it is, since the log may call an account by another's hash."""
    return {
        "method": "POST",
        "path": "/key/block",
        "body": {"key": key},
        "check_first": {"method": "GET", "path": "/key/info", "query": {"key": key}},
        "undo": {"method": "POST", "path": "/key/unblock", "body": {"key": key}},
    }


def _find(owner: str) -> dict[str, Any]:
    """The account is the owner of keys, not a key: find them, and decide on each."""
    return {
        "method": "GET",
        "path": "/key/list",
        "query": {"user_id": owner},
        "body": None,
        "then": 'POST /key/block, body {"key": ...}, for each key of this account that you decide to block; an '
        "account that is a team is found by team_id instead of user_id",
        "undo": None,
    }
