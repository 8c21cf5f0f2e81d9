"""A case file: all that speaks for and against one account, as Markdown for a ticket, a reviewer or an appeal.

Names and things of the log stand in code spans, in which Markdown and HTML mean nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from detector.reports import instants, units, words
from detector.reports.caveats import alike, like, reading, remark, weaknesses, whence
from detector.reports.dossiers import Dossier, dossiers, find_account
from detector.reports.safe import safe_name, safe_text
from detector.reports.techniques import CASE_STUDY, techniques
from detector.reports.waterfall import Step
from detector.results import Results

_TICKS = re.compile("`+")
#: What Markdown or HTML could take for more than a letter, in words that are ours or a preset's.
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def code(text: str) -> str:
    """Write a text of the log as a code span, fit for a table; the fence is longer than any inside.

    Examples
    --------
    >>> code("acct_1"), code("a`|b")
    ('`acct_1`', '`` a`\\\\|b ``')
    """
    shown = safe_name(text).replace("|", "\\|")
    runs = [len(run) for run in _TICKS.findall(shown)]
    if not runs:
        return f"`{shown}`" if shown.strip() else words.NOTHING
    fence = "`" * (max(runs) + 1)
    return f"{fence} {shown} {fence}"


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", safe_text(text))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *lines] if lines else []


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _evidence(steps: Iterable[Step]) -> list[str]:
    heads = ("log-odds", "family", "what", "value", "typical", "percentile", "measured on")
    rows = [
        (
            words.signed(step.contribution),
            _plain(step.family),
            _plain(step.meaning),
            _plain(units.measure(step.value, step.unit)),
            _plain(units.usual(step.reference, step.usual_low, step.usual_high, step.unit)),
            _plain(f"{words.share(step.percentile)} {words.among(step.n_peers, step.peers)}".rstrip()),
            _plain(step.subject),
        )
        for step in steps
    ]
    return _table(heads, rows)


def _bet(e_value: float | None) -> str:
    told = words.betting(e_value)
    return f"; as an e\\-value: {_plain(told)}" if told else ""


def _verdict(dossier: Dossier, results: Results) -> list[str]:
    account, run = dossier.account, results.run
    verdict = "flagged" if account["is_flagged"] else "not flagged"
    action = words.RECOMMENDATION.get(account["action"], str(account["action"]))
    lines = [
        f"- Verdict: {verdict}. Recommended: {_plain(action)}. Nothing has been done to the account.",
        f"- Score: {words.fixed(account['score'])} log-odds; flagged from {words.fixed(run.get('threshold'))}. "
        f"As high is {_plain(words.rarity(account['p_value']))}{_bet(account['e_value'])}.",
        f"- Rank {words.number(account['rank'])} of {words.counted(results.scored.num_rows, 'account')}; "
        f"{words.counted(account['n_events'], 'request')}, "
        f"{instants.period(account['first_seen_at'], account['last_seen_at'])}.",
        f"- Families that support it on their own: {_plain(words.listed(list(dossier.families)) or 'none')}.",
    ]
    if dossier.cluster:
        n_accounts = words.counted(dossier.cluster["n_accounts"], "account")
        lines.append(f"- Member of cluster {code(dossier.cluster['cluster_id'])}: {n_accounts}.")
    odd = [text for text in (remark(dossier.account_id), alike(dossier)) if text]
    return [*lines, *(f"- The name: {_plain(text.removesuffix('.'))}." for text in odd)]


def _links(dossier: Dossier) -> list[str]:
    rows = [
        (
            _plain(words.kind(one.kind)),
            code(one.thing),
            words.number(one.n_accounts),
            words.number(one.n_events),
            ", ".join(map(code, one.others)) or words.NOTHING,
        )
        for one in dossier.links
    ]
    return _table(("why linked", "which", "accounts", "requests", "such as"), rows)


def _origin(run: Mapping[str, Any]) -> list[str]:
    """What is needed to get the same case again."""
    lines = [f"- Log {code(str(one['file']))}: SHA-256 {code(str(one['sha256']))}" for one in run.get("inputs") or []]
    model = run.get("model") or {}
    lines.append(f"- Detector {code(str(model.get('name', '')))}: SHA-256 {code(str(model.get('sha256', '')))}")
    lines.append(f"- Settings: SHA-256 {code(str(run.get('settings_digest', '')))}")
    return [*lines, f"- Stillwatch {code(str(run.get('stillwatch', '')))}"]


def case_file(results: Results, account_id: str) -> str:
    """Write the case file of one account.

    Parameters
    ----------
    account_id: exactly as in the log.

    Returns
    -------
    Markdown (GitHub flavour). Prompts are in it only where the run kept redacted ones.

    Raises
    ------
    UnknownAccountError
        No scored account has this name; the nearest are named.
    """
    dossier = dossiers(results, find_account(results, account_id))[0]
    fall = dossier.waterfall
    rest = [step for step in fall.steps if step.kind not in ("for", "against")]
    sums = _table(("log-odds", "what"), [(words.signed(s.contribution), _plain(s.meaning)) for s in rest])
    off = [
        f"- {_plain(str(one.get('what', '')))}: {_plain(str(one.get('why', '')))}"
        for one in results.run.get("off") or []
    ]
    called = [*techniques(dossier), CASE_STUDY._replace(name=f"{CASE_STUDY.name} (case study)")]
    lines = [
        f"# Case: {code(dossier.account_id)}",
        "",
        *_verdict(dossier, results),
        *_section("How to read the evidence", reading(results.run)),
        *_section("Evidence for", _evidence(fall.evidence_for)),
        *_section("Evidence against", _evidence(fall.evidence_against)),
        *_section("The rest of the score", sums),
        *_section("Honest customers it is most like", [f"- {_plain(text)}" for text in like(dossier)]),
        *_section("What would change the verdict", [f"- {_plain(p)}" for p in weaknesses(dossier, results.run)]),
        *_section("Shared with other accounts", _links(dossier)),
        *_section("From where, which moved no score", [f"- {_plain(text)}" for text in whence(dossier)]),
        *_section("Redacted prompts", [f"- {code(text)}" for text in dossier.excerpts]),
        *_section("What the log does not say", off),
        *_section("What it would be called", [f"- {t.framework} {t.id}: {t.name}" for t in called]),
        *_section("Where it comes from", _origin(results.run)),
    ]
    return "\n".join(lines) + "\n"
