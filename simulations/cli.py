"""The commands `generate` and `evaluate`: options in, library calls, a line or a table out. Imports stay light."""

from pathlib import Path
from typing import Annotated

import typer

Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeat.")]


def generate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="What to simulate.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for the log and its truth.")],
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Instead of the scenario's seed.")] = None,
    log_format: Annotated[
        str, typer.Option("--log-format", metavar="FORMAT", help="parquet, csv or jsonl.")
    ] = "parquet",
    assignments: Assignments = None,
) -> None:
    """Make a labelled log in which nobody defends.

    Example: stillwatch generate configs/quickstart.toml --out log --log-format csv --set cohorts.fleet.accounts=40
    """
    from simulations.generate import generate as write
    from simulations.settings import read_scenario

    settings = read_scenario(scenario, seed=seed, assignments=assignments or ())
    audit = write(settings, out, log_format=log_format)
    typer.echo(f"{out}: {audit['counts']['events']} requests, seed {settings.seed}")
    if not audit["is_clean"]:
        typer.echo(f"{out / 'audit.json'}: the log gives its truth away; do not judge a detector by it", err=True)


def evaluate(
    scored: Annotated[Path, typer.Argument(metavar="SCORED_DIR", help="Output of score, or its accounts file.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="truth.parquet of a simulation.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.json", help="Where the figures go.")],
    machine: Annotated[
        list[str] | None, typer.Option("--machine", metavar="PERSONA", help="Count a persona as a machine; repeat.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure scored accounts against the truth.

    Example: stillwatch evaluate scored log/truth.parquet --out figures.json
    """
    from simulations.benchmark.evaluate import evaluate as measure
    from simulations.benchmark.sheet import json_text, show

    figures = measure(scored, truth, out=out, machines=machine or ())
    if as_json:
        typer.echo(json_text(figures), nl=False)
    else:
        show(figures)


def register(app: typer.Typer) -> None:
    """Add the commands of this package to an application."""
    app.command()(generate)
    app.command()(evaluate)
