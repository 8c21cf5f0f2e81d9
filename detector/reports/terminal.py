"""A case, or a run, as plain text for a terminal. Nothing of the log reaches it unescaped; no markup is interpreted."""

from collections import Counter
from collections.abc import Sequence
from math import floor

import pyarrow as pa

from detector.reports import instants, units, words
from detector.reports.caveats import alike, like, oddity, reading, remark, weaknesses, whence
from detector.reports.conditions import drifted, errors_expected, gathered, identified, put_together, unmatched
from detector.reports.dossiers import Dossier, dossiers, find_account, flagged
from detector.reports.safe import safe_name, safe_text
from detector.reports.waterfall import Step
from detector.results import Results

#: Accounts that `summary` lists (chosen: fits a terminal of 24 lines).
MOST_SUMMARY = 12

NARROWEST, WIDEST = 40, 200

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def _fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or pad to a number of terminal cells; wide characters count twice."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        text = set_cell_size(text, max(width - 1, 0)).rstrip() + "…"
    room = " " * (width - cell_len(text))
    return room + text if right else text + room


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Break a text into lines of at most `width` terminal cells."""
    from textwrap import wrap

    from rich.cells import chop_cells

    lines = wrap(text, width, initial_indent=indent, subsequent_indent=" " * len(indent), break_on_hyphens=False)
    return [piece for line in lines for piece in chop_cells(line, width)]


def _bar(size: float, largest: float, width: int) -> str:
    """Draw a bar in eighths of a cell; the smallest is still seen."""
    eighths = max(1, floor(8 * width * min(abs(size) / largest, 1.0))) if largest and size else 0
    return ("█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")).ljust(width)


def _meaning(step: Step) -> str:
    text = "start: " + (step.meaning or "before any evidence") if step.kind == "prior" else step.meaning or step.feature
    value = "" if step.value is None else f": {units.measure(step.value, step.unit)}"
    usual = units.usual(step.reference, step.usual_low, step.usual_high, step.unit)
    typical = "" if step.reference is None else f" (typical {usual})"
    scope = ", whole cluster" if step.subject == "cluster" else ""
    family = f"[{step.family}{scope}] " if step.family else ""
    return safe_text(f"{family}{text}{value}{typical}")


def _steps(dossier: Dossier, width: int) -> list[str]:
    """Draw the waterfall: meaning, bar, contribution, running total; long meanings run on below."""
    steps = dossier.waterfall.steps
    room = max(6, min(24, width // 6))
    text = width - room - 18
    largest = max((abs(step.contribution) for step in steps), default=0.0)
    lines = []
    for step in steps:
        sign = "+" if step.contribution >= 0 else words.MINUS
        bar = _bar(step.contribution, largest, room)
        first, *more = _wrapped(_meaning(step), text)
        lines.append(
            f"{_fit(first, text)} {sign}{bar} {words.signed(step.contribution):>7} {words.fixed(step.after):>7}"
        )
        lines += [f"  {line}" for line in more]
    lines.append(f"{'score':<{width - 8}} {words.fixed(dossier.waterfall.score):>7}")
    return lines


def _heading(dossier: Dossier, results: Results) -> list[str]:
    account, threshold = dossier.account, results.run.get("threshold")
    verdict = "flagged" if account["is_flagged"] else "not flagged"
    limit = "" if threshold is None else f", flagged from {words.fixed(threshold)}"
    families = (
        f"supported by {words.listed(list(dossier.families))} evidence" if dossier.families else "no family supports it"
    )
    seen = instants.period(account["first_seen_at"], account["last_seen_at"])
    lines = [
        f"account {safe_name(dossier.account_id)}: {verdict}",
        *filter(None, [remark(dossier.account_id), alike(dossier)]),
        f"score {words.fixed(account['score'])} (log-odds{limit}), rank {words.number(account['rank'])}"
        f" of {words.counted(results.scored.num_rows, 'account')}; as high is {words.rarity(account['p_value'])}"
        + (f"; {bet}" if (bet := words.betting(account["e_value"])) else ""),
        f"recommended: {safe_text(words.RECOMMENDATION.get(account['action'], str(account['action'])))}; {families}",
        f"{words.counted(account['n_events'], 'request')}, {seen}",
    ]
    if dossier.cluster:
        cluster = dossier.cluster
        n_accounts = words.counted(cluster["n_accounts"], "account")
        lines.append(f"cluster {safe_name(cluster['cluster_id'])}: {n_accounts}, {cluster['n_flagged']} flagged")
    return lines


def _shown(points: Sequence[str]) -> list[str]:
    """Make points printable: kinds of customer are named by whoever labelled the log that a model was fitted on."""
    return [safe_text(point) for point in points]


def _bullets(title: str, points: Sequence[str], width: int) -> list[str]:
    if not points:
        return []
    return ["", title, *(line for point in points for line in _wrapped(point, width, "- "))]


def _links(dossier: Dossier) -> list[str]:
    return [
        f"{safe_text(words.kind(one.kind))}: {safe_name(one.thing)}, {words.counted(one.n_accounts, 'account')}"
        + (", such as " + ", ".join(safe_name(other) for other in one.others[:4]) if one.others else "")
        for one in dossier.links[:8]
    ]


def explain(results: Results, account_id: str, *, width: int) -> str:
    """Explain the score of one account.

    Parameters
    ----------
    account_id: exactly as in the log.
    width: columns of the terminal; held between 40 and 200.

    Returns
    -------
    Printable lines, each ended by a newline, none wider than `width`.

    Raises
    ------
    UnknownAccountError
        No scored account has this name; the nearest are named.
    """
    width = min(max(width, NARROWEST), WIDEST)
    dossier = dossiers(results, find_account(results, account_id))[0]
    lines = [line for text in _heading(dossier, results) for line in _wrapped(text, width)]
    lines += ["", *_steps(dossier, width)]
    lines += _bullets("how to read this", reading(results.run), width)
    lines += _bullets("most like, of the honest customers that the model knows", _shown(like(dossier)), width)
    lines += _bullets("what would weaken the case", _shown(weaknesses(dossier, results.run)), width)
    lines += _bullets("linked by", _links(dossier), width)
    lines += _bullets("from where, which moved no score", _shown(whence(dossier)), width)
    lines += _bullets("redacted prompts", _shown(dossier.excerpts), width)
    off = [f"{one.get('what', '')}: {one.get('why', '')}" for one in results.run.get("off") or []]
    lines += _bullets("what is missing", _shown(off), width)
    return "\n".join(lines) + "\n"


def _actions(suspects: pa.Table) -> str:
    counts = Counter(suspects["action"].to_pylist())
    texts = [f"{n:,} × {words.RECOMMENDATION.get(which, str(which))}" for which, n in sorted(counts.items())]
    return safe_text(f" (recommended: {'; '.join(texts)})") if texts else ""


def _summary_rows(suspects: pa.Table) -> list[str]:
    lines = [f"{'score':>7}  {'recommended':<19}  {'cluster':<12}  {'requests':>10}  account"]
    for row in suspects.slice(0, MOST_SUMMARY).to_pylist():
        action = _fit(safe_text(words.RECOMMENDATION.get(row["action"], str(row["action"]))), 19)
        cluster = _fit(safe_text(row["cluster_id"] or words.NOTHING), 12)
        odd = oddity(row["account_id"])
        name = safe_name(row["account_id"]) + (f"  ({odd})" if odd else "")
        lines.append(
            f"{words.fixed(row['score']):>7}  {action}  {cluster}  {words.number(row['n_events']):>10}  {name}"
        )
    if suspects.num_rows > MOST_SUMMARY:
        lines.append(f"{'':>7}  and {suspects.num_rows - MOST_SUMMARY:,} more in accounts.csv")
    return lines


def summary(results: Results) -> str:
    """Sum up a run: how many accounts are flagged, the first of them, and where to read on."""
    suspects = flagged(results.scored)
    n_accounts = words.counted(results.scored.num_rows, "account")
    lines = [f"{suspects.num_rows:,} of {n_accounts} flagged{_actions(suspects)}", ""]
    if suspects.num_rows:
        lines += [*_summary_rows(suspects), ""]
    run = results.run
    conditions = (identified, put_together, unmatched, errors_expected, gathered, drifted)
    lines += [safe_text(line) for told in conditions for line in told(run)]
    lines.append(
        "Reasons: report.html, or `stillwatch explain DIR ACCOUNT`. Recommendations only: no account has been touched."
    )
    return "\n".join(lines) + "\n"
