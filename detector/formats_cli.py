"""The `stillwatch formats` commands: which log formats are known, and how a log would be read."""

from typing import Annotated

import typer

from detector.options import AccountBy, Logs, mapped_columns, resolve, rungs_of

formats_app = typer.Typer(help="The log formats that are known.", no_args_is_help=True)


@formats_app.command("list")
def formats_list(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page: what each carries, and its traps.")] = False,
) -> None:
    """List the presets.

    Example: stillwatch formats list

    Example: stillwatch formats list --markdown > formats.md
    """
    from detector.logs.sheets import list_text, markdown_text

    typer.echo(markdown_text() if markdown else list_text(), nl=not markdown)


@formats_app.command("show")
def formats_show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A preset.")],
) -> None:
    """Show a preset: which columns it reads, from where.

    Example: stillwatch formats show litellm-spend
    """
    from detector.logs.sheets import show_text
    from detector.reports.safe import safe_text

    typer.echo("\n".join(safe_text(line) for line in show_text(name).split("\n")))


@formats_app.command("check")
def formats_check(
    logs: Logs,
    form: Annotated[str | None, typer.Option("--format", metavar="NAME|FILE", help="Preset.")] = None,
    mapped: Annotated[list[str] | None, typer.Option("--map", metavar="NAME=COLUMN", help="Repeat.")] = None,
    account_by: AccountBy = None,
    timezone: Annotated[str | None, typer.Option("--timezone", metavar="ZONE", help="Of naive timestamps.")] = None,
) -> None:
    """Say how a log would be read: preset, coverage, three redacted rows, evidence level, what is off, known traps.

    Example: stillwatch formats check export.csv --map account_id=user
    """
    from detector.engines.embedded import EmbeddedEngine
    from detector.logs.sheets import check_text
    from detector.reports.safe import safe_text

    options = {
        "input": {
            "format": form,
            "map": mapped_columns(mapped),
            "account_by": rungs_of(account_by),
            "timezone": timezone,
        }
    }
    with EmbeddedEngine(resolve(None, None, options).input).open(logs) as log:
        typer.echo("\n".join(safe_text(line) for line in check_text(log).split("\n")))
