"""What a session's own books say of its queries: bytes that stages wrote to shuffles, and what they wrote."""

import json
import re
import urllib.request
from typing import Any

#: In a plan, what a node that moves rows between machines takes in.
_EXCHANGE = re.compile(r"\(\d+\) (?:Broadcast)?Exchange\nInput \[\d+\]: \[([^\]]*)\]")


def _ask(session: Any, what: str) -> Any:
    context = session.sparkContext
    address = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/{what}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


def shuffled(session: Any) -> tuple[int, int]:
    """Give the bytes and the records that all stages so far wrote to shuffles."""
    stages = [stage for stage in _ask(session, "stages") if stage["status"] == "COMPLETE"]
    return sum(s["shuffleWriteBytes"] for s in stages), sum(s["shuffleWriteRecords"] for s in stages)


def exchanged(session: Any) -> set[str]:
    """Give the columns that exchanges carried in the queries so far, as their plans name them."""
    queries = _ask(session, "sql?details=false&planDescription=true&length=1000")
    carried = [each for query in queries for each in _EXCHANGE.findall(query["planDescription"])]
    return {column.split("#")[0].strip() for columns in carried for column in columns.split(",")}
