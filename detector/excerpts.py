"""A few prompts of flagged accounts, redacted. Read only when the user asks for it; nothing else keeps prompt text."""

import re
from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from detector.tables import EXCERPTS

#: Chosen: enough to see a template, too little to read a customer's work.
PER_ACCOUNT = 3
MOST_CHARACTERS = 160
_LOOKED_AT = 2000
#: What personal data looks like. No nested repetition, so that hostile text costs linear time.
_PATTERNS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "<EMAIL>"),
    (re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://\S{1,300}"), "<URL>"),
    (re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"), "<ADDRESS>"),
    (re.compile(r"\b(?=[A-Za-z_-]{0,200}\d)[A-Za-z0-9_-]{16,200}\b"), "<KEY>"),
    (re.compile(r"\+?\d(?:[ ()/.-]{0,3}\d){4,24}"), "<NUMBER>"),
)


def redact(text: str) -> str:
    """Cut a text short and take out what looks like addresses, numbers, links and keys.

    Examples
    --------
    >>> redact("Mail jo@example.org or call 030 1234567")
    'Mail <EMAIL> or call <NUMBER>'
    """
    shown = " ".join(text[:_LOOKED_AT].split())
    for pattern, mark in _PATTERNS:
        shown = pattern.sub(mark, shown)
    return shown if len(shown) <= MOST_CHARACTERS else shown[:MOST_CHARACTERS] + "…"


def collect_excerpts(batches: Iterable[pa.RecordBatch], accounts: Collection[str]) -> pa.Table:
    """Take the first distinct prompts of some accounts.

    Parameters
    ----------
    batches: events with `account_id` and `prompt`.
    accounts: whose prompts are wanted.

    Returns
    -------
    Columns of `tables.EXCERPTS`, at most `PER_ACCOUNT` rows an account, in the order of their names.
    """
    wanted = pa.array(sorted(accounts), pa.string())
    found: dict[str, dict[str, None]] = {}
    for batch in batches:
        rows = pc.and_(pc.is_in(batch.column("account_id"), value_set=wanted), pc.is_valid(batch.column("prompt")))
        kept = batch.filter(rows)
        if kept.num_rows == 0:
            continue
        for account, prompt in zip(kept["account_id"].to_pylist(), kept["prompt"].to_pylist(), strict=True):
            mine = found.setdefault(account, {})
            if len(mine) < PER_ACCOUNT:
                mine[redact(prompt)] = None
    pairs = [(account, text) for account in sorted(found) for text in found[account]]
    return pa.table([[a for a, _ in pairs], [t for _, t in pairs]], schema=EXCERPTS)
