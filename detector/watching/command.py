"""The command `stillwatch watch`: options in, a watch run, signals heard. Heavy imports happen inside it."""

import re
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from detector.errors import UsageError
from detector.options import (
    AccountBy,
    Assignments,
    Config,
    KeyFile,
    Logs,
    Quiet,
    mapped_columns,
    resolve_as,
    rungs_of,
)

if TYPE_CHECKING:
    from detector.settings import FollowSettings

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def seconds_of(text: str, *, option: str) -> float:
    """Read a length of time such as 60s, 10m, 1h or 30d.

    Raises
    ------
    UsageError
        It is none.

    Examples
    --------
    >>> seconds_of("1.5h", option="--every")
    5400.0
    """
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text!r}: is no length of time; give a number and s, m, h or d, such as 60s or 30d")
    return float(found[1]) * _UNITS_S[found[2]]


def watch(
    logs: Logs,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Folder of what the watch knows; private.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for findings.jsonl and how all stand.")],
    every: Annotated[
        str | None, typer.Option("--every", metavar="TIME", help="Between two looks.", show_default="60s")
    ] = None,
    idle: Annotated[
        str | None,
        typer.Option(
            "--idle",
            metavar="TIME",
            help="Forget accounts without a request for so long; or never.",
            show_default="30d",
        ),
    ] = None,
    late: Annotated[
        str | None,
        typer.Option("--late", metavar="TIME", help="By which requests may come out of order.", show_default="1h"),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Take what is there, look, and end; as from cron.")] = False,
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
    budget: Annotated[
        float | None,
        typer.Option("--budget", help="Expected share of honest accounts flagged in a look.", show_default="0.001"),
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
    threads: Annotated[int | None, typer.Option("--threads", help="Reading, folding and linking threads.")] = None,
    quiet: Quiet = False,
) -> None:
    """Follow a log while it grows, and tell of each account once.

    Example: stillwatch watch /var/log/gateway --state state --out found

    Example: stillwatch watch /var/log/gateway --state state --out found --once

    Example: tail -F gateway.jsonl | stillwatch watch - --state state --out found --every 30s
    """
    if key_file is not None:
        raise UsageError(
            "--pseudonymize: a watch keeps names and fingerprints of texts, without a key, from one look to the next; "
            "leave it out and keep --state private, or use stillwatch score"
        )
    options = {
        "input": {
            "format": form,
            "map": mapped_columns(mapped),
            "account_by": rungs_of(account_by),
            "timezone": timezone,
            "max_rejects": max_rejects,
            "threads": threads,
            "text": False if no_text else None,
        },
        "policy": {"budget": budget},
        "detector": {"model": model},
        "watch": {
            "every_s": None if every is None else seconds_of(every, option="--every"),
            "idle_days": None if idle in (None, "never") else seconds_of(idle, option="--idle") / _UNITS_S["d"],
            "late_s": None if late is None else seconds_of(late, option="--late"),
        },
    }
    from detector.settings import FollowSettings

    settings = resolve_as(FollowSettings, config, assignments, options)
    if idle == "never":
        settings = settings.model_copy(update={"watch": settings.watch.model_copy(update={"idle_days": None})})
    if settings.report.include_excerpts or settings.engine != "embedded":
        raise UsageError("report.include_excerpts and engine: a watch keeps no prompts and runs here; leave them out")
    _run(logs, state, out, settings, accounts=accounts or [], allow=allow, once=once, quiet=quiet)


def _run(
    logs: list[str],
    state: Path,
    out: Path,
    settings: "FollowSettings",
    *,
    accounts: list[Path],
    allow: Path | None,
    once: bool,
    quiet: bool,
) -> None:
    from detector.claims import claim
    from detector.reports.safe import safe_text
    from detector.watching.follow import Place, Watch, stopped_by_signals

    def say(text: str) -> None:
        if not quiet:
            typer.echo(f"stillwatch: {safe_text(text)}", err=True)

    stop = Event()
    with stopped_by_signals(stop), claim(state), claim(out):
        prepare(state, out)
        watch = Watch(Place(logs, state, out, accounts, allow), settings, say, stop)
        watch.run(once=once)
        say(f"{watch.status()['n_accounts_known']:,} accounts known; findings: {out / 'findings.jsonl'}")


def prepare(state: Path, out: Path) -> None:
    """Make the folder of what is found; one that holds something must be that of this state.

    Raises
    ------
    OutputNotEmptyError
        It holds something, and there is no state that goes on.
    UsageError
        It cannot be made.
    """
    from detector.reports.atomic import check_free
    from detector.watching.generations import is_begun

    if not is_begun(state):
        check_free(out)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: no folder can be made there ({error.strerror}); give another --out") from error
