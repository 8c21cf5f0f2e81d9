"""A rehearsal as a page for people: one file, no script, no remote asset. Made from plain values, so made again from a
folder. What is said is decided here; how it looks in `page.html.jinja`, over the style sheet of the detector's reports.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.intervals import share_with_interval
from detector.reports.html import drawn, environment
from detector.reports.words import counted, share
from simulations.loop import pictures, words
from simulations.loop.assumptions import assumed, changed
from simulations.loop.purse import USES
from simulations.loop.story import MOST_DAYS, stop_of, story

TEMPLATE = Path(__file__).with_name("page.html.jinja")

#: Pieces of evidence that a campaign's section names. Chosen.
MOST_EVIDENCE = 5
#: What is summed over cohorts.
HARM = (
    "n", "flagged", "hide_reasoning", "degrade", "throttle", "verify", "suspend", "revoke",
    "requests_lost", "usd_lost", "usd_without", "appeals", "reinstated",
)  # fmt: skip


def harm_of(honest: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Sum what was done to honest accounts up over all cohorts, keys as of one cohort in the outcome."""
    total = {name: sum(row[name] for row in honest.values()) for name in HARM}
    return {**total, "revoked_share": share_with_interval(total["revoke"], total["n"])}


def headline(outcome: Mapping[str, Any]) -> str:
    """Say in one sentence what was prevented, and whom it hurt."""
    harm = harm_of(outcome["honest"])
    taken, alone = (sum(row[name] for row in outcome["campaigns"].values()) for name in ("taken", "taken_without"))
    if not harm["n"]:
        hurt = "no honest account took part"
    elif harm["revoke"]:
        hurt = f"{harm['revoke']:,} of {counted(harm['n'], 'honest account')} {_were(harm['revoke'])} revoked"
    else:
        hurt = f"none of {counted(harm['n'], 'honest account')} was revoked"
    if not alone:
        return f"Nothing would have been taken, with or without a defence; {hurt}"
    if taken >= alone:
        return f"The defence prevented nothing of the harvest; {hurt}"
    return f"The defence prevented {share(1 - taken / alone)} of the harvest; {hurt}"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def leads(outcome: Mapping[str, Any]) -> list[str]:
    """Say the same at more length: what leaked, what it cost the campaigns, whom it hurt, what it cost us."""
    told = [_leaked(name, row) for name, row in outcome["campaigns"].items()]
    harm, work = harm_of(outcome["honest"]), f"Reviewers worked {outcome['work']['reviewer_hours']:.1f} hours."
    if harm["n"]:
        told.append(
            f"Of {counted(harm['n'], 'honest account')}, {harm['throttle']:,} {_were(harm['throttle'])} throttled, "
            f"{harm['verify']:,} had to verify, {harm['suspend']:,} {_were(harm['suspend'])} suspended and "
            f"{harm['revoke']:,} {_were(harm['revoke'])} revoked; they lost "
            f"{counted(harm['requests_lost'], 'request')} worth {words.usd(harm['usd_lost'])}. "
            + " ".join([*filter(None, [words.hardest_hit(outcome["honest"])]), work])
        )
    return told


def _leaked(name: str, row: Mapping[str, Any]) -> str:
    text = f"Campaign {name} took {row['taken']:,.0f} answers"
    text += f" where it would have taken {row['taken_without']:,.0f} without a defence"
    if row["days_to_first_flags"] is None:
        text += ", and was never found."
    else:
        text += (
            f"; it was found after {words.span(row['days_to_first_flags'])}, with "
            f"{row['taken_before_first_flags']:,.0f} taken."
        )
    if row["cost_multiplier"] is not None:
        text += (
            f" A useful million tokens cost it {words.usd(row['usd_per_useful_million_tokens'])} instead of "
            f"{words.usd(row['usd_per_useful_million_tokens_without'])}."
        )
    elif not row["taken"] and row["taken_without"]:
        text += f" It spent {words.usd(row['spent_usd']['total'])} for nothing."
    return text


def _section(name: str, row: Mapping[str, Any], days: float, ledger: pa.Table, begins_us: int) -> dict[str, Any]:
    told = story(name, row, ledger, begins_us)
    first = list(row["first_evidence"].items())
    return {
        "name": name,
        "row": row,
        "leak": drawn(pictures.leak(row, days)),
        "alive": drawn(pictures.alive(row, days)),
        "spending": drawn(pictures.spending(row, days)),
        "evidence": [(words.evidence(piece), n) for piece, n in first[:MOST_EVIDENCE]],
        "n_evidence": len(first),
        "spent": [(use, row["spent_usd"].get(use, 0.0)) for use in USES],
        "story": told[:MOST_DAYS],
        "n_story": len(told),
        "ended": words.ended(row, stop_of(name, ledger, begins_us, len(row["daily"]["taken"]))),
    }


def _work(outcome: Mapping[str, Any], ledger: pa.Table, *, is_mandatory: bool) -> list[tuple[str, str]]:
    """Give what reviewers did, and what became of it; where review is not mandatory, recommendations stand unread."""
    work, confirmed = outcome["work"], "confirmed" if is_mandatory else "taken as confirmed, without a reviewer"
    rows = {
        "Cases closed": f"{work['cases']:,}",
        "Hours, on cases and appeals": f"{work['reviewer_hours']:.1f}",
        "Hours a day": f"{work['reviewer_hours'] / outcome['days']:.1f}",
        "Accounts that waited for a reviewer when the log ended": f"{work['waiting']:,}",
    }
    for title, what in ((f"Recommendations {confirmed}", "confirms"), ("Recommendations cleared", "clears")):
        rows[title] = f"{_n_rows(ledger, what):,}"
    answered = f"{_n_rows(ledger, 'reinstates'):,} granted, {_n_rows(ledger, 'refuses an appeal'):,} refused"
    rows["Appeals, of anybody"] = f"{work['appeals']:,}: {answered}"
    return list(rows.items())


def _n_rows(ledger: pa.Table, what: str) -> int:
    return int(pc.sum(pc.and_(pc.equal(ledger["who"], "reviewer"), pc.equal(ledger["what"], what))).as_py() or 0)


def page(outcome: Mapping[str, Any], ledger: pa.Table, record: Mapping[str, Any]) -> dict[str, Any]:
    """Gather all that the page says.

    Parameters
    ----------
    outcome: see `outcome.outcome_of`.
    ledger: columns of `ledger.LEDGER`.
    record: see `rehearsal.Rehearsal.record`.
    """
    begins_us = round(datetime.fromisoformat(record["scenario"]["starts_at"]).timestamp() * 1e6)
    days = outcome["days"]
    return {
        "outcome": outcome,
        "headline": headline(outcome),
        "leads": leads(outcome),
        "harm": harm_of(outcome["honest"]),
        "sections": [_section(name, row, days, ledger, begins_us) for name, row in outcome["campaigns"].items()],
        "work": _work(outcome, ledger, is_mandatory=record["defence"]["review"]["is_mandatory"]),
        "changed": changed(record),
        "assumed": assumed(record),
        "has_text": record["scenario"]["text"],
        "published": words.PUBLISHED,
    }


def write_page(outcome: Mapping[str, Any], ledger: pa.Table, record: Mapping[str, Any], path: Path) -> None:
    """Write `report.html`; parameters as of `page`."""
    made = environment()
    made.filters.update(usd=words.usd, span=words.span, times=words.times, setting=_setting)
    text = made.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page(outcome, ledger, record))
    path.write_text(text, encoding="utf-8", newline="\n")


def rewrite_page(folder: Path, path: Path) -> None:
    """Write the page of a rehearsal's folder again; the same bytes as the rehearsal has written."""
    outcome, record = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("outcome", "rehearsal"))
    write_page(outcome, pq.read_table(folder / "ledger.parquet"), record, path)


def _setting(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
