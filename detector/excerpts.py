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
#: Words before a secret, as in ``password: ...`` or ``api_key=...``.
_SECRETS = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|(?:api|access|secret|private)[ _-]?key|authorization|credentials?"
)
_AFTER = r"(?:(?:bearer|basic) )?\S{1,2000}"
_BASE64 = "A-Za-z0-9/+"
#: Before something that has both cases, as a path in lower case has not.
_MIXED = rf"(?<![{_BASE64}])(?=[a-z/+\d]{{0,80}}[A-Z])(?=[A-Z/+\d]{{0,80}}[a-z])"
#: What personal data and secrets look like, tried in this order. Repetitions are bounded, so that hostile text costs
#: linear time. Names of people and streets look like any other word, and are not found.
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|$)", re.DOTALL), "<KEY>"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "<EMAIL>"),
    (re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://\S{1,2000}"), "<URL>"),
    (
        re.compile(rf"(?i)\b(\w{{0,40}}(?:{_SECRETS})\w{{0,40}}[\"']?) ?[=:] ?{_AFTER}"),
        r"\1=<SECRET>",
    ),
    (re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,2000}"), r"\1 <SECRET>"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), "<NUMBER>"),
    (re.compile(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"), "<ADDRESS>"),
    (
        re.compile(r"(?<![\w:])(?=[0-9:]{0,40}(?:::|[A-Fa-f]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"),
        "<ADDRESS>",
    ),
    (re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"), "<ADDRESS>"),
    (
        re.compile(
            rf"(?<![{_BASE64}])(?=[a-z/+\d]{{0,80}}[A-Z])(?=[A-Z/+\d]{{0,80}}[a-z])[{_BASE64}]{{24,2000}}={{0,2}}"
        ),
        "<KEY>",
    ),
    (re.compile(r"\b(?=[A-Za-z_-]{0,200}\d)[A-Za-z0-9_-]{16,2000}"), "<KEY>"),
    (re.compile(r"\b(?:[A-Za-z0-9_-]{1,63}\.){2,8}[A-Za-z]{2,24}\b(?:/\S{0,300})?"), "<HOST>"),
    (re.compile(r"\+?\d(?:[ ()/.-]{0,3}\d){4,24}"), "<NUMBER>"),
)


def redact(text: str) -> str:
    """Cut a text short and take out what looks like addresses, numbers, links and keys.

    Examples
    --------
    >>> redact("Mail jo@example.org or call 030 1234567")
    'Mail <EMAIL> or call <NUMBER>'
    """
    words = text[:_LOOKED_AT].split()
    shown = " ".join(words[:-1] if len(text) > _LOOKED_AT and len(words) > 1 else words)
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
    return _table({account: list(found[account]) for account in sorted(found)})


def first_excerpts(collected: pa.Table) -> pa.Table:
    """Keep the first distinct excerpts of each account, of what was collected of parts of a log, in their order."""
    found: dict[str, dict[str, None]] = {}
    for account, text in zip(collected["account_id"].to_pylist(), collected["excerpt"].to_pylist(), strict=True):
        found.setdefault(account, {})[text] = None
    return _table({account: list(found[account])[:PER_ACCOUNT] for account in sorted(found)})


def _table(found: dict[str, list[str]]) -> pa.Table:
    pairs = [(account, text) for account, texts in found.items() for text in texts]
    return pa.table([[a for a, _ in pairs], [t for _, t in pairs]], schema=EXCERPTS)
