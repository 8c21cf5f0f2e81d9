"""The commands of simulations: options in, library calls, a line or a table out. Imports stay light."""

from pathlib import Path
from typing import Annotated, Any

import typer

from detector.options import KeyFile, pseudonyms_of

Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeat.")]


def generate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="What to simulate.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for the log and its truth.")],
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Instead of the scenario's seed.")] = None,
    log_format: Annotated[
        str, typer.Option("--log-format", metavar="FORMAT", help="parquet, csv or jsonl.")
    ] = "parquet",
    shape: Annotated[
        str, typer.Option("--shape", metavar="SHAPE", help="Whose columns: stillwatch or litellm.")
    ] = "stillwatch",
    daily: Annotated[bool, typer.Option("--daily", help="A folder with a file for each day, UTC.")] = False,
    no_text: Annotated[bool, typer.Option("--no-text", help="Leave prompts out; all else is as with them.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Threads; changes no byte.")] = 2,
    assignments: Assignments = None,
) -> None:
    """Make a labelled log in which nobody defends.

    Example: stillwatch generate configs/quickstart.toml --out log --log-format csv --set cohorts.fleet.accounts=40
    """
    from detector.errors import GateError
    from simulations.generate import generate as write
    from simulations.settings import read_scenario

    changes = [*(assignments or ()), *(["text=false"] if no_text else [])]
    settings = read_scenario(scenario, seed=seed, assignments=changes)
    audit = write(settings, out, log_format=log_format, shape=shape, is_daily=daily, workers=workers)
    typer.echo(f"{out}: {audit['counts']['events']} requests, seed {settings.seed}")
    if not audit["is_clean"]:
        raise GateError(f"{out / 'audit.json'}: the log gives its truth away or lacks what it declares; see there")


def simulate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The world.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for all outputs.")],
    defence: Annotated[
        Path | None, typer.Option("--defence", metavar="FILE.toml", help="Who defends; without it the default defence.")
    ] = None,
    attack: Annotated[
        Path | None, typer.Option("--attack", metavar="FILE.toml", help="How campaigns react; without it they do not.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Instead of the scenario's seed.")] = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="No prompts, as many logs have none: faster.")] = False,
    no_log: Annotated[bool, typer.Option("--no-log", help="Do not keep the log itself.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Threads; changes no byte.")] = 2,
    sweeps: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=V,V,...",
            help="Rehearse with each value; the end of a key will do; repeat for a grid.",
        ),
    ] = None,
    n_seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="Rehearse N seeds of each; 5 or more tell something.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, max=256, help="Processes of a sweep, one thread each.", show_default="processors"
        ),
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Rehearse: a world goes on, a defender looks and acts, attackers react.

    DIR gets the log, its truth, ledger.parquet, outcome.json and report.html, the page to look at. Keys of --set begin
    with defence. or attack., or are the scenario's. A run that was cut off goes on where it was.

    Example: stillwatch simulate configs/scenarios/deepseek_sync.toml --attack configs/attacks/adaptive.toml --out run

    Example: stillwatch simulate configs/quickstart.toml --sweep budget=1e-4,1e-3,1e-2 --seeds 5 --out grid
    """
    if sweeps or n_seeds is not None:
        _sweep(
            scenario, out, sweeps or [], n_seeds=1 if n_seeds is None else n_seeds, jobs=jobs, defence=defence,
            attack=attack, seed=seed, assignments=[*(assignments or ()), *(["text=false"] if no_text else [])],
        )  # fmt: skip
        return
    if jobs is not None:
        from detector.errors import UsageError

        raise UsageError("--jobs: is of a sweep; give --sweep or --seeds with it, or --workers for one rehearsal")
    from detector.progress import progress
    from simulations.loop.lines import lines
    from simulations.loop.rehearsal import read_rehearsal
    from simulations.loop.simulate import simulate as rehearse

    changes = [*(assignments or ()), *(["text=false"] if no_text else [])]
    rehearsal = read_rehearsal(scenario, defence=defence, attack=attack, seed=seed, assignments=changes)
    with progress() as tell:
        outcome = rehearse(
            rehearsal, out, keeps_log=not no_log, workers=workers, tell=tell,
            say=lambda text: typer.echo(text, err=True),
        )  # fmt: skip
    typer.echo("\n".join([*lines(outcome), f"report: {out / 'report.html'}, figures: {out / 'outcome.json'}"]))


def _sweep(scenario: Path, out: Path, sweeps: list[str], *, jobs: int | None, **options: Any) -> None:
    import os

    from detector.errors import GateError
    from detector.progress import progress
    from simulations.loop.sweep import sweep as run
    from simulations.loop.sweep_lines import lines
    from simulations.loop.sweep_plan import plan_sweep

    plan = plan_sweep(scenario, sweeps, **options)
    with progress() as tell:
        summary = run(
            plan, out, jobs=jobs or os.cpu_count() or 1, tell=tell, say=lambda text: typer.echo(text, err=True)
        )
    typer.echo("\n".join([*lines(summary), f"report: {out / 'report.html'}"]))
    if summary["n_failed"]:
        raise GateError(
            f"{out / 'sweep.parquet'}: {summary['n_failed']} of {summary['n_cells']} cells failed; see there"
        )


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="Folder of simulate; SWEEP@N is grid point N of a sweep.")],
    b: Annotated[str | None, typer.Argument(metavar="[B]", help="Another; a sweep of two points needs none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say which of two rehearsed defences is better, by how much, how sure.

    Both must have met the same scenario, attack and seeds.

    Example: stillwatch compare run_a run_b

    Example: stillwatch compare grid@1 grid@3
    """
    from detector.reports.safe import safe_text
    from simulations.benchmark.sheet import json_text
    from simulations.loop.compare import compare as weigh
    from simulations.loop.compare import lines
    from simulations.loop.sides import read_side, sides_of

    figures = weigh(*(sides_of(a) if b is None else (read_side(a), read_side(b))))
    if as_json:
        typer.echo(json_text(figures), nl=False)
    else:
        typer.echo("\n".join(safe_text(line) for line in lines(figures)))


def evaluate(
    scored: Annotated[Path, typer.Argument(metavar="SCORED_DIR", help="Output of score, or its accounts file.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="truth.parquet of a simulation.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.json", help="Where the figures go.")],
    machine: Annotated[
        list[str] | None, typer.Option("--machine", metavar="PERSONA", help="Count a persona as a machine; repeat.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    key_file: KeyFile = None,
) -> None:
    """Measure scored accounts against the truth.

    Example: stillwatch evaluate scored log/truth.parquet --out figures.json

    Example: stillwatch evaluate scored log/truth.parquet --out figures.json --pseudonymize key
    """
    from simulations.benchmark.evaluate import evaluate as measure
    from simulations.benchmark.sheet import json_text, show

    figures = measure(scored, truth, out=out, machines=machine or (), pseudonyms=pseudonyms_of(key_file))
    if as_json:
        typer.echo(json_text(figures), nl=False)
    else:
        show(figures)


def schema(
    what: Annotated[str, typer.Argument(metavar="[WHAT]", help="scenario, or findings.")] = "scenario",
) -> None:
    """Print the JSON Schema of scenario files, for editors, or of findings.jsonl, for those who read it.

    Example: stillwatch schema > scenario.schema.json

    Example: stillwatch schema findings > finding.schema.json
    """
    import json

    from simulations.schema import schema_of

    typer.echo(json.dumps(schema_of(what), indent=1))


def fidelity(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Events of a log, as Parquet.")],
    against: Annotated[list[Path], typer.Option("--against", metavar="FILE", help="A real trace; repeat.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for figures and picture.")],
    truth: Annotated[
        Path | None, typer.Option("--truth", metavar="FILE", help="Truth of the log, to compare like with like.")
    ] = None,
) -> None:
    """Compare a log with real traces, figure by figure.

    Example: stillwatch fidelity log/events.parquet --truth log/truth.parquet --against trace.parquet --out fidelity
    """
    from detector.errors import GateError
    from simulations.fidelity.compare import compare

    figures = compare(log, against, truth=truth, out=out)
    for name, row in figures["distances"].items():
        verdict = "" if row["is_within"] else "   beyond its tolerance"
        typer.echo(f"{name:<42} {row['distance']:>8.3f}  of {row['tolerance']:.3f}{verdict}")
    if not figures["is_within"]:
        raise GateError(f"{out / 'fidelity.json'}: the log is further from the real traces than its tolerances allow")


def transfer(
    train: Annotated[list[str], typer.Option("--train", metavar="NAME=DIR", help="A log of a model; repeat.")],
    judge: Annotated[list[Path], typer.Option("--judge", metavar="DIR", help="A log to judge on; repeat.")],
    rate: Annotated[float, typer.Option("--rate", min=1e-6, max=0.5, help="False-positive rate of recall.")] = 1e-3,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.json", help="Where the figures go.")] = None,
) -> None:
    """Train a model on each set of labelled logs and judge all on others, side by side.

    Example: stillwatch transfer --train generated=log1 --train generated=log2 --train replay=real1 --judge real2
    """
    from detector.errors import UsageError
    from simulations.benchmark.sheet import write_json
    from simulations.benchmark.transfer import lines, read_labelled
    from simulations.benchmark.transfer import transfer as measure

    folders: dict[str, list[Path]] = {}
    for given in train:
        name, is_named, folder = given.partition("=")
        if not (name and is_named and folder):
            raise UsageError(f"--train {given!r}: give NAME=DIR, the model's name and the folder of a labelled log")
        folders.setdefault(name, []).append(Path(folder))
    training = {name: [read_labelled(folder) for folder in some] for name, some in folders.items()}
    figures = measure(training, [read_labelled(folder) for folder in judge], rate=rate)
    typer.echo("\n".join(lines(figures)))
    if out is not None:
        write_json(figures, out)


def delay(
    log: Annotated[list[str], typer.Argument(metavar="LOG...", help="Files in order of time.")],
    truth: Annotated[Path, typer.Option("--truth", metavar="FILE", help="truth.parquet of the log.")],
    accounts: Annotated[Path | None, typer.Option("--accounts", metavar="FILE", help="What is known of them.")] = None,
    window_days: Annotated[float, typer.Option("--window", min=0.01, help="Days between looks.")] = 1.0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.json", help="Where the figures go.")] = None,
    assignments: Assignments = None,
) -> None:
    """Score a labelled log again and again as it grows: how much is taken before a campaign is seen.

    Example: stillwatch delay log/events.parquet --truth log/truth.parquet --accounts log/accounts.parquet
    """
    from detector.progress import progress
    from detector.settings import ScoreSettings, load, parse_assignments
    from simulations.benchmark.delay import delay as measure
    from simulations.benchmark.delay import lines
    from simulations.benchmark.sheet import write_json

    settings = load(ScoreSettings, parse_assignments(assignments or ()), where="--set")
    with progress() as tell:
        figures = measure(log, truth, settings, accounts=accounts, window_days=window_days, tell=tell)
    typer.echo("\n".join(lines(figures)))
    if out is not None:
        write_json(figures, out)


def benchmark(
    suite: Annotated[Path, typer.Argument(metavar="SUITE.toml", help="Or one of ours: smoke, ci, full, replay.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder for all outputs.")],
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Fail where figures are worse than these.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write the baseline anew instead.")] = False,
    detector: Annotated[
        list[str] | None, typer.Option("--detector", metavar="NAME", help="Besides: a name or module:Class; repeat.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, max=64, help="Processes; 0 is none besides.", show_default="all"),
    ] = None,
    cache: Annotated[
        Path, typer.Option("--cache", metavar="DIR", help="What is kept between runs; a run cut off goes on from it.")
    ] = Path(".stillwatch-cache"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    assignments: Assignments = None,
) -> None:
    """Measure detectors on scenarios, and fail where they got worse: for CI.

    DIR gets benchmark.json, timings.json, baseline.json, junit.xml, summary.md, bencher.json and leaderboard.html.
    Exit codes: 0 passed, 1 the gate failed, 2 usage, 3 data.

    Example: stillwatch benchmark smoke --out benchmark

    Example: stillwatch benchmark ci --out benchmark --baseline baseline.json --detector mine.rules:Fast
    """
    from detector.errors import GateError, UsageError
    from detector.progress import progress
    from detector.reports.atomic import check_free
    from simulations.benchmark.bench import accept as write_baseline
    from simulations.benchmark.bench import benchmark as measure
    from simulations.benchmark.bench import lines, write
    from simulations.benchmark.codes import plain_codes

    with plain_codes():
        check_free(out)
        if accept and baseline is None:
            raise UsageError("--accept: no file is named; give --baseline FILE, the file to write")
        with progress(quiet=quiet) as tell:
            outcome = measure(
                suite, baseline=None if accept else baseline, cache=cache, workers=workers,
                detectors=detector or (), assignments=assignments or (), tell=tell,
            )  # fmt: skip
        write(outcome, out)
        if accept and baseline is not None:
            write_baseline(outcome.baseline, baseline, timings=outcome.timings if outcome.gates_timings else None)
    if not quiet:
        typer.echo("\n".join([*lines(outcome), f"leaderboard: {out / 'leaderboard.html'}"]))
    if outcome.has_failed and not accept:
        raise GateError(f"{out / 'benchmark.json'}: the gate failed; summary.md says where")


def register(app: typer.Typer) -> None:
    """Add the commands of this package to an application."""
    app.command()(generate)
    app.command()(simulate)
    app.command()(compare)
    app.command()(evaluate)
    app.command()(schema)
    app.command()(fidelity)
    app.command()(transfer)
    app.command()(delay)
    app.command()(benchmark)
