"""The report for people: one page, no script, no remote asset. Every text goes through `shown`; none is trusted.

What is said is decided here and in `dossiers`; how it looks is decided in `report.html.jinja` and `page.css`, the style
sheet of all pages.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup, escape

from detector.reports import instants, units, words
from detector.reports.caveats import alike, like, reading, remark, weaknesses
from detector.reports.charts import request_timeline, score_histogram
from detector.reports.conditions import drifted, errors_expected, gathered, identified, put_together, unmatched
from detector.reports.dossiers import Dossier, dossiers, flagged
from detector.reports.drawing import Draw, draw_here
from detector.reports.safe import hex_bytes, safe_name, safe_text
from detector.reports.waterfall import Waterfall
from detector.results import Results

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATE = Path(__file__).with_name("report.html.jinja")
STYLE = Path(__file__).with_name("page.css")

#: What a reader must know of the run before any account of it.
_CONDITIONS = (identified, put_together, unmatched, errors_expected, gathered)
#: Rows that a table of the page shows (chosen: what a person scrolls through); the files have all.
MOST_ACCOUNTS = 200
MOST_CLUSTERS = 50
MOST_LINKS = 12
MOST_REASONS = 10


@dataclass(frozen=True)
class Axis:
    """The log-odds axis of one waterfall, for placing bars in per cent of its width."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Give where a value lies, 0 to 100."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def span(self, one: float, other: float) -> str:
        """Give the place of a bar between two values as CSS."""
        left, right = sorted((self.place(one), self.place(other)))
        return f"left:{left:.2f}%;width:{right - left:.2f}%"


def axis_of(fall: Waterfall, threshold: float | None) -> Axis:
    """Choose an axis that holds all running totals and the threshold, with some air."""
    marks = [0.0, fall.score, *(step.before for step in fall.steps), *(step.after for step in fall.steps)]
    marks += [] if threshold is None else [threshold]
    air = 0.03 * (max(marks) - min(marks)) or 1.0
    return Axis(min(marks) - air, max(marks) + air)


def shown(value: Any) -> Any:
    """Make a template value harmless: escapes visible, markup escaped, addresses not even recognisable as such."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return words.NOTHING if value is None else value
    return _markup(safe_text(value))


def _markup(visible: str) -> Markup:
    return Markup(str(escape(visible)).replace("://", "&#58;//"))  # noqa: S704 - escaped here


def _name(text: str) -> Markup:
    return _markup(safe_name(text))


def environment() -> "Environment":
    """Give what templates of pages are rendered by: every value goes through `shown`, `style` is the style sheet."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, finalize=shown, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    plain = (words.number, words.signed, words.fixed, words.share, words.rarity, instants.instant, instants.day)
    made.filters.update({function.__name__: function for function in plain})
    made.filters.update(name=_name, remark=remark, hexed=hex_bytes, listed=words.listed)
    made.globals.update(
        measure=units.measure,
        usual=units.usual,
        among=words.among,
        kind=words.kind,
        counted=words.counted,
        period=instants.period,
        recommendation=words.RECOMMENDATION,
        style=drawn(STYLE.read_text(encoding="utf-8").rstrip()),
    )
    return made


def drawn(own: str) -> Markup:
    """Let a chart or a style sheet of our own into a page as it is; it holds nothing from a log."""
    return Markup(own)  # noqa: S704 - made by us from numbers


def log_domain(run: Mapping[str, Any]) -> tuple[int, int] | None:
    """Give the period of the log in ms since 1970, where the run says it."""
    period = run.get("period") or {}
    try:
        begin, end = (datetime.fromisoformat(str(period[key])).timestamp() for key in ("from", "to"))
    except (KeyError, ValueError):
        return None
    return (int(1000 * begin), int(1000 * end)) if begin < end else None


def _section(dossier: Dossier, run: Mapping[str, Any], domain: tuple[int, int] | None, draw: Draw) -> dict[str, Any]:
    fall = dossier.waterfall
    measured = [step for step in fall.steps if step.n_peers is not None]
    busiest = max(dossier.timeline, key=lambda row: row["n_events"], default=None)
    return {
        "account": dossier.account,
        "dossier": dossier,
        "fall": fall,
        "axis": axis_of(fall, run.get("threshold")),
        "weaknesses": weaknesses(dossier, run),
        "like": like(dossier),
        "alike": alike(dossier),
        "among": Counter(words.among(step.n_peers, step.peers) for step in measured).most_common(1)[0][0]
        if measured
        else "",
        "links": dossier.links[:MOST_LINKS],
        "n_links": len(dossier.links),
        "busiest": busiest,
        "timeline": drawn(request_timeline(dossier.timeline, domain=domain, draw=draw)) if dossier.timeline else None,
    }


def _reasons(rejected: pa.Table) -> list[tuple[str, int]]:
    counts = rejected.group_by("reason").aggregate([([], "count_all")]).to_pylist()
    return Counter({row["reason"] or "": row["count_all"] for row in counts}).most_common(MOST_REASONS)


def _counts(results: Results, suspects: pa.Table) -> dict[str, int | None]:
    """Give the counts of the page; those of the tables where the run does not say."""
    counted = dict(results.run.get("counts") or {})
    own: dict[str, int | None] = {
        "n_accounts": results.scored.num_rows,
        "n_flagged": suspects.num_rows,
        "n_clusters": results.clusters.num_rows,
        "n_rejected": results.rejected.num_rows,
        "n_read": None,
        "n_rows": None,
    }
    return own | counted


def _actions(suspects: pa.Table) -> list[tuple[str, int]]:
    counts = Counter(suspects["action"].to_pylist())
    return [(action, counts[action]) for action in ("revoke", "throttle", "review", "none") if counts[action]]


def page(results: Results, *, report_accounts: int, draw: Draw = draw_here) -> dict[str, Any]:
    """Gather all that the page says.

    Parameters
    ----------
    report_accounts: flagged accounts that get a section of their own.
    draw: makes its charts.
    """
    run, suspects = results.run, flagged(results.scored)
    domain = log_domain(run)
    shown_accounts: Sequence[Dossier] = dossiers(results, suspects.slice(0, report_accounts))
    scores = pc.drop_null(results.scored["score"]).to_numpy()
    return {
        "run": run,
        "counts": _counts(results, suspects),
        "actions": _actions(suspects),
        "threshold": run.get("threshold"),
        "level": run.get("evidence_level"),
        "level_words": words.LEVEL.get(run.get("evidence_level", -1), ""),
        "off": run.get("off") or [],
        "errors_expected": [line for told in _CONDITIONS for line in told(run)],
        "drifted": drifted(run),
        "log_period": run.get("period") or {},
        "histogram": drawn(score_histogram(scores, run.get("threshold"), draw=draw)) if len(scores) else None,
        "suspects": suspects.slice(0, MOST_ACCOUNTS).to_pylist(),
        "clusters": results.clusters.slice(0, MOST_CLUSTERS).to_pylist(),
        "n_clusters": results.clusters.num_rows,
        "sections": [_section(dossier, run, domain, draw) for dossier in shown_accounts],
        "reasons": _reasons(results.rejected),
        "reading": reading(run),
    }


def write_report(results: Results, path: Path, *, report_accounts: int, draw: Draw = draw_here) -> None:
    """Write `report.html`.

    Parameters
    ----------
    report_accounts: flagged accounts shown in full.
    draw: makes its charts.
    """
    template = environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
    text = template.render(page(results, report_accounts=report_accounts, draw=draw))
    path.write_text(text, encoding="utf-8", newline="\n")
