"""What is said of a run as a whole: expected errors, looks, and a yardstick that does not fit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.reports.caveats import weaknesses
from detector.reports.conditions import MOST_NAMED, drifted, errors_expected, gathered, identified, put_together
from detector.reports.dossiers import dossiers, find_account
from detector.reports.html import write_report
from detector.reports.terminal import summary
from detector.results import Results

CONTROL: dict[str, Any] = {
    "method": "budget",
    "asked": 0.001,
    "is_met": True,
    "note": "",
    "budget": 0.0009,
    "honest_flags_at_most": 2.7,
    "honest_flags_interval": [0.44, 2.96],
    "reference": {"n": 10_000, "hits": 6, "share": 0.0006, "low": 0.0002, "high": 0.0013},
    "worst_cohort": {"name": "bulk <b>", "n": 640, "hits": 5, "share": 0.0078, "low": 0.0026, "high": 0.0181},
}
DRIFT = [{"feature": "prompt_reuse", "meaning": "what prompt_reuse means", "distance": 0.5}]


def test_a_budget_is_put_into_accounts() -> None:
    """Asked, expected with its interval, and who bears it."""
    assert errors_expected({"error_control": CONTROL}) == [
        "Threshold: a share of 0.001 of honest accounts may be flagged (--budget).",
        "That is a budget of 0.0009: at most 2.7 flagged honest accounts expected; 6 of 10,000 honest accounts behind "
        "the model score so high, exact 95 % interval 0.4 to 3.",
        "Worst served honest customers: bulk <b>, 5 of 640 score so high (0.3 % to 1.8 %).",
    ]


def test_what_is_unknown_is_left_unsaid() -> None:
    """Runs of older models have no counts, older runs no control at all."""
    bare = {key: value for key, value in CONTROL.items() if key not in ("reference", "worst_cohort")}
    assert errors_expected({"error_control": bare})[1].endswith("at most 2.7 flagged honest accounts expected.")
    assert errors_expected({}) == drifted({}) == gathered({}) == []


def test_an_unmet_bound_promises_nothing() -> None:
    """The note stands where the expectation would."""
    unmet = CONTROL | {"method": "fdr", "asked": 0.05, "is_met": False, "note": "Cannot be.", "worst_cohort": None}
    assert errors_expected({"error_control": unmet}) == [
        "Threshold: at most 5 % of the flagged accounts are expected to be honest (--fdr).",
        "Cannot be.",
    ]


def test_a_first_look_is_no_history() -> None:
    """From the second look on, alarms are counted."""
    history = {"look": 1, "looks": 30, "n_alarms": 2, "budget": 0.01}
    assert gathered({"history": history}) == []
    assert gathered({"history": history | {"look": 7}})[0].startswith("Look 7 of 30: 2 accounts gathered evidence")


def test_many_shifts_are_counted() -> None:
    """The furthest are named, the rest counted."""
    shifts = [{"feature": f"f{i}", "meaning": f"m{i}", "distance": 0.9} for i in range(MOST_NAMED + 2)]
    (line,) = drifted({"drift": shifts})
    assert "in 6 features: m0 (f0), m1 (f1), m2 (f2), m3 (f3) and 2 more. " in line


def test_all_of_it_reaches_screen_and_page(results: Results, tmp_path: Path) -> None:
    """Escaped on the page, plain on the screen; the account's own case names the shifted evidence it rests on."""
    run = results.run | {"error_control": CONTROL, "drift": DRIFT}
    changed = replace(results, run=run)
    write_report(changed, tmp_path / "report.html", report_accounts=1)
    page, screen = (tmp_path / "report.html").read_text(encoding="utf-8"), summary(changed)
    for text in (page, screen):
        assert "at most 2.7 flagged honest accounts expected" in text
        assert "differ from those behind the model in 1 feature: what prompt_reuse means (prompt_reuse)" in text
    assert "<b>" not in page and "bulk &lt;b&gt;" in page
    case = dossiers(changed, find_account(changed, "acct-1"))[0]
    assert any("was not behind the model: what prompt_reuse means" in point for point in weaknesses(case, run))


def test_a_run_without_shifts_has_no_such_weakness(make_results: Callable[..., Results]) -> None:
    """No drift, no caveat."""
    results = make_results()
    case = dossiers(results, find_account(results, "acct-1"))[0]
    assert not any("behind the model" in point for point in weaknesses(case, results.run))


def test_what_an_account_is_is_told_where_it_was_chosen():
    """What stood in for it, and for how many rows, and what the log lacks; nothing where the preset decided."""
    named = [
        {"by": "team", "columns": ["team_id"], "n_rows": 1200},
        {"by": "payment", "columns": [], "n_rows": 0},
        {"by": "user", "columns": ["user"], "n_rows": 1},
    ]
    told = "Accounts are by team (1,200 of 1,201 rows); where that is empty, by user for 1 row; the log has no payment."
    assert identified({"account_by": named}) == [told]
    assert identified({"account_by": named[:1]}) == ["Accounts are by team (1,200 of 1,200 rows)."]
    assert identified({"account_by": []}) == identified({}) == []


def test_a_log_put_together_of_several_is_told() -> None:
    """How often the header stands again, and whether rows then count twice; nothing where it stands once."""
    assert put_together({}) == put_together({"counts": {"n_headers": 0}}) == []
    (several,) = put_together({"counts": {"n_headers": 2, "n_begun_again": 0}})
    assert several.startswith("Caution: the header stands again in a file of the log, 2 times: it looks put together")
    (twice,) = put_together({"counts": {"n_headers": 1, "n_begun_again": 1}})
    assert twice.endswith("which then count twice.")
