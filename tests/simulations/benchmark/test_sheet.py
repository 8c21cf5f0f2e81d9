"""Figures are printed plainly, whatever the names in the data hold."""

import io

import pandas as pd
from rich.console import Console

from simulations.benchmark.evaluate import judge
from simulations.benchmark.sheet import json_text, show


def printed(persona: str) -> str:
    """What is shown when an honest persona has this name."""
    rows = {"persona": [persona, "fleet"], "is_extraction": [False, True], "score": [0.0, 1.0]}
    page = io.StringIO()
    show(judge(pd.DataFrame(rows).assign(is_flagged=[True, True])), Console(file=page, width=200))
    return page.getvalue()


def test_names_are_never_markup() -> None:
    """Markup, terminal codes and line breaks in a name are shown, not obeyed."""
    page = printed("[bold red]x[/] \x1b[31m\nfleet [link=y]")
    assert "[bold red]x[/]" in page and "[link=y]" in page
    assert "\x1b" not in page


def test_shares_come_with_their_interval() -> None:
    """Every share has its bounds and its count; what was refused is said."""
    page = printed("hobby_chat")
    assert "1 [0.025, 1]" in page
    assert "fpr_0.001: not given, 1 honest accounts cannot show" in page


def test_json_has_no_nan() -> None:
    """An empty class is null in JSON."""
    rows = {"persona": ["fleet"], "is_extraction": [True], "score": [1.0]}
    assert '"auc_all": null' in json_text(judge(pd.DataFrame(rows)))
