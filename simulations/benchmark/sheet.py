"""Showing and storing figures. Names come from data: they are printed as they are, never read as markup."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detector.errors import UsageError
from detector.files import new_file
from detector.reports.safe import safe_name

#: Columns of a page that is no terminal. Chosen.
PAGE_WIDTH = 140


def json_text(figures: dict[str, Any]) -> str:
    """Write figures as JSON."""
    return json.dumps(figures, indent=1, allow_nan=False) + "\n"


def write_json(figures: dict[str, Any], out: Path) -> None:
    """Write figures to a file, whole or not at all; an earlier file is replaced.

    Raises
    ------
    UsageError
        No file can be written there.
    """
    try:
        with new_file(out, replaces=True) as staging:
            staging.write_text(json_text(figures), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}); give another --out") from error


def show(figures: dict[str, Any], console: Console | None = None) -> None:
    """Print the figures as tables: a line per persona, then what was refused."""
    console = console or _console()
    ranking = ("auc_all", "auc_vs_people", "auc_vs_machines", "average_precision", "precision_of_flags")
    counts = ("n_accounts", "n_honest", "n_missing", "flagged")
    overall = Table("figure", "value", box=None)
    for name in (*counts, *ranking):
        if name in figures:
            overall.add_row(name, _figure(figures[name]))
    for name in ("honest_flagged", "false_discovery_proportion"):
        if name in figures:
            overall.add_row(name, _with_interval(figures[name]))
    console.print(overall)
    console.print()
    console.print(_personas(figures))
    for name, reason in figures["refused"].items():
        console.print(Text(f"{name}: not given, {reason}"))


def _console() -> Console:
    plain = Console(highlight=False, markup=False, emoji=False)
    return plain if plain.is_terminal else Console(highlight=False, markup=False, emoji=False, width=PAGE_WIDTH)


def _personas(figures: dict[str, Any]) -> Table:
    recalls = {f"recall at fpr {rate}": found for rate, found in figures["recall_intervals"].items()}
    columns = {**recalls, "flagged": figures.get("flagged_intervals", {})}
    columns["wrongly revoked of 10,000"] = figures.get("wrongful_revocations_per_10000", {})
    columns = {title: found for title, found in columns.items() if found}
    table = Table("persona", "accounts", *columns, box=None)
    for name in sorted({name for found in columns.values() for name in found}):
        shown = [found.get(name) for found in columns.values()]
        n_accounts = next(str(found["n"]) for found in shown if found)
        table.add_row(Text(safe_name(name)), n_accounts, *(_with_interval(found) for found in shown))
    return table


def _figure(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _with_interval(found: dict[str, Any] | None) -> str:
    if found is None or found["share"] is None:
        return ""
    return f"{found['share']:.4g} [{found['low']:.3g}, {found['high']:.3g}]"
