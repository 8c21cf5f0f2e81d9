"""The `stillwatch` command: options in, library calls, a table out. Heavy imports happen inside commands."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from detector import __version__
from detector.errors import StillwatchError, system_fault
from detector.formats_cli import formats_app
from detector.guard import limit
from detector.options import (
    AccountBy,
    Assignments,
    Config,
    KeyFile,
    Logs,
    Quiet,
    mapped_columns,
    pseudonyms_of,
    resolve,
    rungs_of,
)
from detector.watching.command import watch

app = typer.Typer(
    help="Find the accounts that are distilling your model, see the evidence, rehearse the revocation.",
    epilog="Start with: stillwatch generate configs/quickstart.toml --out log && "
    "stillwatch score log/events.parquet --accounts log/accounts.parquet --out scored",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(formats_app, name="formats")

#: Objects made between two searches for unreachable ones; at the default, a fifth of the reporting went there.
_YOUNG_OBJECTS = 100_000


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"stillwatch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def score(
    logs: Logs,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for the results.")],
    form: Annotated[
        str | None, typer.Option("--format", metavar="NAME|FILE", help="Preset; see `stillwatch formats list`.")
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="NAME=COLUMN", help="Which column is which; repeat.")
    ] = None,
    account_by: AccountBy = None,
    accounts: Annotated[
        list[Path] | None,
        typer.Option("--accounts", metavar="FILE", help="Sign-up time, payment, ... per account; repeat."),
    ] = None,
    allow: Annotated[
        Path | None, typer.Option("--allow", metavar="FILE", help="Accounts under contract: shown, never acted on.")
    ] = None,
    audits: Annotated[
        list[Path] | None,
        typer.Option("--audit", metavar="FILE", help="OpenAI audit log: where users sign in from; repeat."),
    ] = None,
    asn: Annotated[
        Path | None,
        typer.Option("--asn", metavar="FILE.mmdb", help="Database of network operators, shown as context."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Expected share of honest accounts flagged.", show_default="0.001")
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option("--fdr", metavar="Q", help="Or: expected share of honest ones among the flagged."),
    ] = None,
    capacity: Annotated[
        float | None, typer.Option("--capacity", metavar="N", help="Or: cases per day that reviewers can open.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option("--history", metavar="DIR", help="Results of the look before this one.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option("--detector", metavar="NAME", help="Instead of combined; any PyOD model as pyod:NAME.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", metavar="FILE", help="Made by `stillwatch fit`.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="Zone of timestamps that carry none.")
    ] = None,
    max_rejects: Annotated[
        float | None, typer.Option("--max-rejects", help="Share of malformed rows borne.", show_default="0.01")
    ] = None,
    config: Config = None,
    assignments: Assignments = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="Do not read prompts and completions.")] = False,
    key_file: KeyFile = None,
    include_excerpts: Annotated[
        bool, typer.Option("--include-excerpts", help="Show a few redacted prompts of flagged accounts.")
    ] = False,
    engine: Annotated[str | None, typer.Option("--engine", help="Where rows live.", show_default="embedded")] = None,
    master: Annotated[
        str | None, typer.Option("--master", metavar="URL", help="Of Spark: spark://HOST:PORT, local[*], ...")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="Reading, folding and linking threads.")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="What the process may hold, as in 2GB.")
    ] = None,
    temp: Annotated[Path | None, typer.Option("--temp", metavar="DIR", help="Where it may spill to disk.")] = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run record as JSON.")] = False,
) -> None:
    """Say which accounts look like distillation, and why.

    Example: stillwatch score 'logs/2026-11-*.csv.gz' --accounts accounts.csv --out scored --budget 0.001

    Example: stillwatch score log.parquet --out scored --fdr 0.05

    Example: stillwatch score log.parquet --out scored --capacity 20

    Example: stillwatch score last_14_days.parquet --out today --history yesterday

    Example: stillwatch score /mnt/logs/2026-11 --out scored --memory 2GB --temp /mnt/scratch

    Example: stillwatch score /mnt/logs/2026-11 --out scored --engine spark --master spark://head:7077
    """
    from detector.process import use_memory_again

    if memory is None:
        use_memory_again()
    pseudonyms = pseudonyms_of(key_file)
    looked = _looked(history, pseudonyms.key_id if pseudonyms else None)
    options = {
        "engine": engine,
        "spark": {"master": master},
        "input": {
            "format": form,
            "map": mapped_columns(mapped),
            "account_by": rungs_of(account_by),
            "timezone": timezone,
            "max_rejects": max_rejects,
            "threads": threads,
            "process_memory": memory,
            "temp": None if temp is None else str(temp),
            "text": False if no_text else None,
        },
        "policy": {"budget": budget, "fdr": fdr, "capacity": capacity},
        "detector": {"name": detector, "model": model},
        "report": {"include_excerpts": True if include_excerpts else None},
    }
    from detector.reports.atomic import claimed

    with claimed(out):
        settings = resolve(config, assignments, options)
        limit(settings.limits.memory_bytes, settings.limits.cpu_s)
        from detector.keeping import kept_beside
        from detector.progress import progress
        from detector.reports.artist import drawing_aside

        # What is kept holds accounts by their names.
        kept_at = None if pseudonyms else out
        with (
            drawing_aside(threads=settings.input.n_threads) as draw,
            progress(quiet=quiet or as_json) as tell,
            kept_beside(kept_at, _aside(quiet=quiet)) as kept,
        ):
            from detector.pipeline import score as run

            results = run(
                logs,
                settings,
                accounts=accounts,
                allow=allow,
                audits=audits or (),
                asn=asn,
                history=looked,
                pseudonyms=pseudonyms,
                kept=kept,
                tell=tell,
            )
            tell("writing the report")
            # Its libraries are loaded by now, beside the reading.
            from detector.reports.publish import write_results

            write_results(results, out, report_accounts=settings.report.accounts, draw=draw)
    _say(results, out, quiet=quiet, as_json=as_json)


def _aside(*, quiet: bool) -> Callable[[str], None]:
    """Say things to people on standard error, or not at all."""
    from detector.reports.safe import safe_text

    return lambda text: None if quiet else typer.echo(f"stillwatch: {safe_text(text)}", err=True)


def _looked(history: Path | None, key_id: str | None) -> Any:
    if history is None:
        return None
    from detector.reports.loading import load_history

    return load_history(history, key_id)


def _say(results: Any, out: Path, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        from detector.reports.findings import to_json

        typer.echo(to_json(results.run))
    elif not quiet:
        from detector.reports.safe import safe_text
        from detector.reports.terminal import summary

        typer.echo(summary(results))
        typer.echo(f"report: {safe_text(str(out / 'report.html'))}")


@app.command()
def explain(
    scored: Annotated[Path, typer.Argument(metavar="SCORED_DIR", help="Output of `stillwatch score`.")],
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account_id of the log.")],
    case: Annotated[bool, typer.Option("--case", help="Print a case file in Markdown.")] = False,
    key_file: KeyFile = None,
) -> None:
    """Show the evidence for and against one account.

    Example: stillwatch explain scored acct_5f3a9c

    Example: stillwatch explain scored acct_5f3a9c --case > case.md

    Example: stillwatch explain scored acct_5f3a9c --pseudonymize key
    """
    import shutil

    from detector.reports.case import case_file
    from detector.reports.loading import check_key, load_results
    from detector.reports.terminal import explain as explained

    results, pseudonyms = load_results(scored), pseudonyms_of(key_file)
    if pseudonyms is not None:
        check_key(scored, pseudonyms.key_id)
        account = pseudonyms.name("account", account)
    width = shutil.get_terminal_size((100, 24)).columns
    typer.echo(case_file(results, account) if case else explained(results, account, width=width), nl=not case)


@app.command()
def export(
    scored: Annotated[Path, typer.Argument(metavar="SCORED_DIR", help="Output of `stillwatch score`.")],
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="ocsf, ocsf-1.1, ecs, cef or litellm-plan; one line each.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="New file for the findings.")],
    least: Annotated[
        str | None,
        typer.Option(
            "--least",
            metavar="LEVEL",
            help="Weakest recommendation written: none, review, throttle or revoke.",
            show_default="all flagged; of litellm-plan, revoke",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the findings of a scored log for another tool. The log is not read again, and no account is touched.

    Example: stillwatch export scored --format ocsf --out findings.ocsf.jsonl

    Example: stillwatch export scored --format litellm-plan --out plan.jsonl
    """
    from detector.files import check_absent
    from detector.reports.exports.registry import check_named, write_export
    from detector.reports.loading import load_results
    from detector.reports.safe import safe_text
    from detector.reports.words import counted

    check_named(form, least)
    check_absent(out)
    n_lines = write_export(load_results(scored), form, out, least=least)
    if not quiet:
        typer.echo(
            safe_text(f"{out}: {counted(n_lines, 'finding')}; recommendations only, no account has been touched")
        )


@app.command()
def purge(
    scored: Annotated[Path, typer.Argument(metavar="DIR", help="Output of `stillwatch score`.")],
    quiet: Quiet = False,
) -> None:
    """Remove what a run wrote, and what killed runs left beside it; say what was removed.

    Example: stillwatch purge scored
    """
    from detector.reports.purge import purge as remove
    from detector.reports.safe import safe_text

    removed = remove(scored)
    if not quiet:
        typer.echo("\n".join(f"removed {safe_text(str(path))}" for path in removed))
        if scored.is_dir():
            typer.echo(f"kept {safe_text(str(scored))}: it holds what no run wrote")


@app.command()
def fit(
    logs: Logs,
    truth: Annotated[list[Path], typer.Option("--truth", "--labels", metavar="FILE", help="Who was what; one a log.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL.json", help="Where the model goes.")],
    accounts: Annotated[
        list[Path] | None, typer.Option("--accounts", metavar="FILE", help="One per log, or none.")
    ] = None,
    windows: Annotated[
        str, typer.Option("--windows", metavar="DAYS,...", help="Windows to learn from beside whole logs, as in 1,2,7.")
    ] = "",
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", metavar="COHORT", help="Of the labels, not to learn from; repeat."),
    ] = None,
    config: Config = None,
    assignments: Assignments = None,
    quiet: Quiet = False,
) -> None:
    """Fit the combined detector on labelled logs.

    Example: stillwatch fit log/events.parquet --truth log/truth.parquet --accounts log/accounts.parquet --out mine.json
    """
    from detector.progress import progress
    from detector.training import fit_logs, sources_of
    from detector.windows import lengths_of

    settings, lengths = resolve(config, assignments, {}), lengths_of(windows)
    limit(settings.limits.memory_bytes, settings.limits.cpu_s)
    sources = sources_of(logs, truth, accounts or ())
    with progress(quiet=quiet) as tell:
        sha256 = fit_logs(sources, settings, out, windows=lengths, leave_out=leave_out or (), tell=tell)
    if not quiet:
        typer.echo(f"{out}: model {sha256[:12]}")


app.command()(watch)


def _add_plugins() -> None:
    for entry in entry_points(group="stillwatch.commands"):
        entry.load()(app)


def _leave(error: StillwatchError) -> NoReturn:
    from detector.reports.safe import safe_text

    sys.stderr.write(f"stillwatch: {safe_text(str(error))}\n")
    sys.exit(error.exit_code)


def main() -> None:
    """Run the command line; the one place that exits, with `_leave`."""
    import gc

    gc.set_threshold(_YOUNG_OBJECTS)
    _add_plugins()
    try:
        app()
    except StillwatchError as error:
        _leave(error)
    except BrokenPipeError:
        sys.exit(0)
    except (OSError, MemoryError, RuntimeError, SystemError, ImportError) as error:
        fault = system_fault(error)
        if fault is None:
            raise
        _leave(fault)
    except KeyboardInterrupt:
        sys.stderr.write("stillwatch: stopped; nothing was written\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
