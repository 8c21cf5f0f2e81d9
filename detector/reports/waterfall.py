"""How a score came about: where it started, what was added, what was taken away. The steps sum to the score, exactly.

Nothing is dropped: pieces too small to read are folded into one step that still carries their sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Any, NamedTuple

#: Contributions below this, in log-odds, are folded together (chosen: they move the odds by less than 5 %).
SMALL = 0.05

#: Below this a difference between score and sum is rounding of doubles (chosen: far above n additions of 1e-16 x 100).
ROUNDING = 1e-9


class Step(NamedTuple):
    """One line of the waterfall.

    Attributes
    ----------
    kind: `prior`, `for`, `against`, `small` or `unexplained`.
    contribution: what the step adds, log-odds.
    before: running total above this line.
    after: running total below this line.
    n_pieces: rows of evidence in the step; more than one for `small`.
    """

    kind: str
    family: str
    feature: str
    subject: str
    meaning: str
    value: float | None
    unit: str
    reference: float | None
    percentile: float | None
    contribution: float
    before: float
    after: float
    n_pieces: int = 1
    usual_low: float | None = None
    usual_high: float | None = None
    n_peers: int | None = None
    peers: str = ""


@dataclass(frozen=True, eq=False)
class Waterfall:
    """All steps of one account, in reading order: prior, for, against, smaller pieces. Accounts may share one."""

    steps: tuple[Step, ...]
    score: float

    @cached_property
    def evidence_for(self) -> tuple[Step, ...]:
        """Steps that raise the score, strongest first."""
        return tuple(step for step in self.steps if step.kind == "for")

    @cached_property
    def evidence_against(self) -> tuple[Step, ...]:
        """Steps that lower the score, strongest first."""
        return tuple(step for step in self.steps if step.kind == "against")


def _kind(row: Mapping[str, Any]) -> str:
    if row["feature"] == "prior" and not row["family"]:
        return "prior"
    if abs(row["contribution"]) < SMALL:
        return "small"
    return "for" if row["contribution"] > 0 else "against"


def _folded(kind: str, meaning: str, contributions: list[float]) -> dict[str, Any]:
    empty = {"family": "", "feature": "", "subject": "", "value": None, "unit": "", "reference": None}
    return empty | {
        "percentile": None,
        "kind": kind,
        "meaning": meaning,
        "contribution": fsum(contributions),
        "n_pieces": len(contributions),
    }


def _ordered(rows: list[dict[str, Any]], score: float) -> list[dict[str, Any]]:
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ("prior", "for", "against", "small")}
    for row in rows:
        by_kind[row["kind"]].append(row)
    small = [row["contribution"] for row in by_kind["small"]]
    ordered = by_kind["prior"]
    ordered += sorted(by_kind["for"], key=lambda row: (-row["contribution"], row["feature"], row["subject"]))
    ordered += sorted(by_kind["against"], key=lambda row: (row["contribution"], row["feature"], row["subject"]))
    if small:
        noun = "smaller piece" if len(small) == 1 else "smaller pieces"
        ordered.append(_folded("small", f"{len(small)} {noun} of evidence", small))
    gap = score - fsum(row["contribution"] for row in ordered)
    if abs(gap) > ROUNDING:
        why = "not explained by the stored evidence" if rows else "no evidence was stored for this account"
        ordered.append(_folded("unexplained", why, [gap]))
    return ordered


def waterfall(evidence: Iterable[Mapping[str, Any]], score: float) -> Waterfall:
    """Lay out the evidence of one account as a waterfall.

    Parameters
    ----------
    evidence: rows of `tables.EVIDENCE`, all of one account, in any order.
    score: the account's score, log-odds.

    Returns
    -------
    Steps whose contributions sum to `score`; what the evidence leaves open is a step of its own.
    """
    rows = [{**row, "kind": _kind(row)} for row in evidence]
    steps: list[Step] = []
    done: list[float] = []
    after = 0.0
    for row in _ordered(rows, score):
        before = after
        done.append(row["contribution"])
        after = fsum(done)
        steps.append(
            Step(
                row["kind"],
                row["family"] or "",
                row["feature"] or "",
                row["subject"] or "",
                row["meaning"] or "",
                row["value"],
                row["unit"] or "",
                row["reference"],
                row["percentile"],
                row["contribution"],
                before,
                after,
                row.get("n_pieces", 1),
                row.get("usual_low"),
                row.get("usual_high"),
                row.get("n_peers"),
                row.get("peers") or "",
            )
        )
    return Waterfall(tuple(steps), score)
