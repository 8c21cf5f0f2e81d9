"""Better or worse than a baseline, and how sure: figures are compared on the same accounts, resample by resample."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError
from scipy.stats import norm, permutation_test

from detector.errors import ConfigError, InputUnreadableError
from detector.settings import Settings
from simulations.benchmark.figures import Figure, Figures
from simulations.benchmark.metrics import METRICS
from simulations.benchmark.resampling import N_RESAMPLES, Reals
from simulations.benchmark.run import Gathered
from simulations.benchmark.suite import ALL, Suite

FORM = "stillwatch-baseline/1"
#: Chance that a run fails whose detectors are no worse, over all comparisons of a gate (one in twenty, as asked for).
ALPHA = 0.05
#: Its share that figures over all scenarios get. Chosen: they are few, so each is told from chance with little.
_SHARE_OF_FOREMOST = 0.5
#: Swaps behind a permutation test. Chosen: a chance of 1e-4 is then known to a third; up to 2**16 all are tried.
_N_SWAPS, _BATCH, _SEED = 99_999, 4_000, 0


class Baseline(Settings):
    """Figures of an earlier run; no account and no score is in it.

    `figures` holds, by key, the value and then its replicates; `campaigns` how many accounts of each campaign a figure
    counts, and `honest` its replicates with honest accounts alone resampled, where a figure is told by campaign.
    """

    form: Literal["stillwatch-baseline/1"]
    suite: str
    suite_version: int
    suite_digest: str
    workloads: dict[str, str]
    failures: dict[str, str]
    figures: dict[str, tuple[float, ...]] = Field(description="key -> value, then replicates")
    campaigns: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    honest: dict[str, tuple[float, ...]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Something that the gate has to say.

    Attributes
    ----------
    kind: worse, better, below a floor, missing, error or workload; skipped is what was asked for and not compared.
    row: scenario, evidence level and detector, empty where it is about the run.
    fails: whether the gate fails by it.
    """

    kind: Literal["worse", "better", "floor", "missing", "error", "workload", "skipped"]
    row: tuple[str, int, str] | None
    text: str
    fails: bool
    metric: str = ""
    difference: float | None = None
    margin: float | None = None


def baseline_of(suite: Suite, gathered: Gathered, figures: Figures) -> Baseline:
    """Keep of a run what later ones are compared with."""
    return Baseline(
        form=FORM,
        suite=suite.settings.name,
        suite_version=suite.settings.version,
        suite_digest=suite.digest,
        workloads=_workloads(gathered),
        failures=_failures(gathered),
        figures={one.key: (one.value, *one.replicates) for one in figures.figures},
        campaigns={one.key: one.found for one in figures.figures if one.found},
        honest={one.key: one.honest for one in figures.figures if one.found},
    )


def _workloads(gathered: Gathered) -> dict[str, str]:
    return {f"{scenario}/{seed}": one.digest for (scenario, seed), one in sorted(gathered.workloads.items())}


def _failures(gathered: Gathered) -> dict[str, str]:
    found = {f"{s}|{level}|{d}": reason for (d, level, s, _), reason in sorted(gathered.failures.items())}
    return dict(sorted(found.items()))


def baseline_text(baseline: Baseline) -> str:
    """Write a baseline, a line per figure, so that a difference can be read."""
    values = baseline.model_dump(mode="json")
    tables = {name: values.pop(name) for name in ("figures", "campaigns", "honest")}
    text = json.dumps(values, indent=1)[:-2]
    for name, rows in tables.items():
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in sorted(rows.items()))
        text += f',\n "{name}": {{\n{lines}\n }}'
    return text + "\n}\n"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises
    ------
    InputUnreadableError
        The file cannot be read or is no baseline.
    """
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputUnreadableError(f"{path}: cannot be read ({reason}); make one with --accept") from error
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise InputUnreadableError(f"{path}: is no baseline ({place or 'not JSON'}); make one with --accept") from error


def check_fits(baseline: Baseline, suite: Suite, where: Path) -> None:
    """Refuse a baseline of another suite or another version.

    Raises
    ------
    ConfigError
        It does not fit; the text says what differs.
    """
    own = suite.settings
    pairs = (("suite", baseline.suite, own.name), ("version", baseline.suite_version, own.version),
             ("budget, fdr or capacity", baseline.suite_digest, suite.digest))  # fmt: skip
    for what, theirs, ours in pairs:
        if theirs != ours:
            shown = "differs" if what.startswith("budget") else f"is {theirs!r} there and {ours!r} here"
            raise ConfigError(f"{where}: {what} {shown}; accept a new baseline with --accept")


def compare(suite: Suite, gathered: Gathered, figures: Figures, baseline: Baseline | None) -> list[Finding]:
    """Find all that speaks for or against a run, what fails first.

    Notes
    -----
    A figure is worse where the whole interval of its paired difference lies beyond the tolerance: mean difference plus
    z standard deviations of the paired replicates. All comparisons of a gate together fail a detector that is no worse
    with a chance of `ALPHA` at most: half of it is shared evenly by the figures over all scenarios, half by the others
    (Bonferroni), so z grows with their number. Detectors of which no figure differs are not counted. The normal
    approximation is rough where few campaigns are resampled.

    Shares of campaigns' accounts over all scenarios are held to each other campaign by campaign instead, see
    `is_lost_by_campaigns`, where the baseline tells them so.
    """
    found = [*_floors(suite, figures), *_errors(gathered, baseline)]
    if baseline is not None:
        found += [*_gone(suite, gathered, baseline, figures), *_differences(suite, figures, baseline)]
    return sorted(found, key=lambda one: (not one.fails, one.kind, one.row or ("", 0, ""), one.metric))


def _errors(gathered: Gathered, baseline: Baseline | None) -> list[Finding]:
    known = baseline.failures if baseline else {}
    found = []
    for (detector, level, scenario, seed), reason in gathered.failures.items():
        is_new = f"{scenario}|{level}|{detector}" not in known
        text = f"seed {seed}: {reason}" + ("" if is_new else "; it failed in the baseline, too")
        found.append(Finding("error", (scenario, level, detector), text, is_new))
    return found


def _floors(suite: Suite, figures: Figures) -> list[Finding]:
    values = {one.key: one.value for one in figures.figures}
    found = []
    for floor in suite.settings.floors:
        row = (floor.scenario, floor.level, floor.detector)
        value = values.get("|".join((floor.scenario, str(floor.level), floor.detector, floor.metric, "")))
        sign = _sign(floor.metric)
        if value is None:
            found.append(Finding("floor", row, f"{floor.metric} has a floor and was not measured", True, floor.metric))
        elif sign * value < sign * floor.value:
            text = f"{floor.metric} is {value:g}, and {floor.value:g} is the worst that passes"
            found.append(Finding("floor", row, text, True, floor.metric))
    return found


def _gone(suite: Suite, gathered: Gathered, baseline: Baseline, figures: Figures) -> list[Finding]:
    """Tell what the baseline has and this run has not, and logs that are not the same."""
    now, found = _workloads(gathered), []
    for name, digest in baseline.workloads.items():
        if name not in now:
            found.append(Finding("missing", None, f"scenario {name} of the baseline was not run", True))
        elif now[name] != digest:
            text = f"the log of {name} is not the one of the baseline; a changed scenario needs the next version"
            found.append(Finding("workload", None, text, True))
    here, failed = {one.key for one in figures.figures}, set(_failures(gathered))
    rows = {key.rsplit("|", 2)[0] for key in baseline.figures if key not in here}
    for row in sorted(rows):
        scenario, level, detector = row.split("|", 2)
        is_told = row in failed or (scenario == ALL and any(f.endswith(f"|{level}|{detector}") for f in failed))
        if not is_told:
            missing = sorted(
                key.split("|")[3] for key in baseline.figures if key.startswith(row + "|") and key not in here
            )
            text = f"not measured, and the baseline has it: {', '.join(dict.fromkeys(missing))}"
            found.append(Finding("missing", (scenario, int(level), detector), text, True))
    return found


def _sign(metric: str) -> float:
    return 1.0 if METRICS[metric].goal == "high" else -1.0


def _differences(suite: Suite, figures: Figures, baseline: Baseline) -> list[Finding]:
    """Compare figure by figure; rows of which nothing differs cannot fail and take no share of the chance to."""
    notes = set(suite.settings.notes)
    judged = [one for one in _shared(figures, baseline) if one.metric not in notes]
    touched = {(one.level, one.detector) for one in judged if _differs(one, baseline)}
    judged = [one for one in judged if (one.level, one.detector) in touched]
    n_foremost = sum(is_foremost(one) for one in judged)
    found = []
    for one in judged:
        tolerance = suite.settings.tolerances.get(one.metric, METRICS[one.metric].tolerance)
        z = margin_of(n_foremost, len(judged) - n_foremost, is_first=is_foremost(one))
        told = Told(baseline.figures[one.key], baseline.campaigns.get(one.key, ()), baseline.honest.get(one.key, ()))
        if (finding := _difference(one, told, tolerance, z)) is not None:
            found.append(finding)
    return found


def is_foremost(one: Figure) -> bool:
    """Tell a figure over all scenarios and cohorts from the many others."""
    return one.scenario == ALL and not one.cohort


def margin_of(n_foremost: int, n_others: int, *, is_first: bool) -> float:
    """Give how many standard deviations a difference must lie beyond its tolerance.

    Examples
    --------
    >>> round(margin_of(25, 250, is_first=True), 2), round(margin_of(25, 250, is_first=False), 2)
    (3.09, 3.72)
    """
    share = _SHARE_OF_FOREMOST if n_foremost and n_others else 1.0
    share = share if is_first or not n_foremost else 1.0 - share
    return float(norm.isf(ALPHA * share / max(n_foremost if is_first else n_others, 1)))


def _differs(one: Figure, baseline: Baseline) -> bool:
    return (one.value, *one.replicates) != baseline.figures[one.key]


def _shared(figures: Figures, baseline: Baseline) -> list[Figure]:
    """Give the figures that the baseline has, drawn as often."""
    return [one for one in figures.figures if len(baseline.figures.get(one.key, ())) == N_RESAMPLES + 1]


@dataclass(frozen=True)
class Told:
    """What a baseline says of a figure: value and replicates, and what `Figure` calls `found` and `honest`."""

    values: tuple[float, ...]
    found: tuple[int, ...] = ()
    honest: tuple[float, ...] = ()


def is_lost_by_campaigns(one: Figure, before: Told, tolerance: float, z: float) -> bool:
    """Tell whether a share of campaigns' accounts is worse than its tolerance, and that beyond chance.

    Chance is twofold, and both kinds are to be ruled out: which campaigns a change happens to hit, by a permutation
    test that swaps before and after campaign by campaign; and which honest accounts set the threshold, which moves all
    campaigns at once, by an interval that resamples honest accounts alone.

    References
    ----------
    Good, "Permutation, parametric and bootstrap tests of hypotheses" (3rd ed., 2005), section 3.6: matched pairs. With
    one account to a campaign it is McNemar's exact test.

    Notes
    -----
    Where k campaigns lost and none gained, its p-value is 2**-k at best, whatever they hold: see `campaigns_needed`.
    """
    lost = before.values[0] - one.value
    if lost <= tolerance or lost <= _spread(one.honest, before.honest, z):
        return False
    pairs = np.array([before.found, one.found], np.float64)
    pairs = pairs[:, pairs[0] != pairs[1]]
    if not pairs.shape[1]:
        return False
    found = permutation_test(
        tuple(pairs), _fewer, permutation_type="samples", alternative="greater", n_resamples=_N_SWAPS,
        vectorized=True, batch=_BATCH, random_state=np.random.default_rng(_SEED),
    )  # fmt: skip
    return bool(found.pvalue < norm.sf(z))


def _fewer(before: Reals, now: Reals, axis: int = -1) -> Reals:
    return np.asarray((before - now).sum(axis=axis))


def _spread(now: tuple[float, ...], before: tuple[float, ...], z: float) -> float:
    return z * float(np.std(np.array(now) - np.array(before), ddof=1))


def campaigns_needed(p_chance: float) -> int:
    """Give how many campaigns must be lost, and none gained, before that can be told from chance.

    Examples
    --------
    >>> campaigns_needed(norm.sf(margin_of(27, 290, is_first=True)))
    11
    """
    return int(np.floor(-np.log2(p_chance))) + 1


def _difference(one: Figure, before: Told, tolerance: float, z: float) -> Finding | None:
    sign = _sign(one.metric)
    mean = sign * (one.value - before.values[0])
    margin = _spread(one.replicates, before.values[1:], z)
    name = one.metric + (f" of {one.cohort}" if one.cohort else "")
    changed = f"{name} was {before.values[0]:g} and is {one.value:g}, {sign * mean:+.4g} ± {margin:.2g}"
    text = f"{changed}; tolerance {tolerance:g}"
    row = (one.scenario, one.level, one.detector)
    is_told = bool(one.found) and len(one.found) == len(before.found) and len(one.honest) == len(before.honest)
    is_worse = is_lost_by_campaigns(one, before, tolerance, z) if is_told else mean + margin < -tolerance
    if is_worse:
        return Finding("worse", row, text, True, one.metric, sign * mean, margin)
    if mean - margin > tolerance:
        return Finding("better", row, text, False, one.metric, sign * mean, margin)
    return None


def has_failed(findings: list[Finding]) -> bool:
    """Tell whether the gate fails."""
    return any(one.fails for one in findings)


def gate_record(findings: list[Finding], baseline: Baseline | None) -> Mapping[str, Any]:
    """Spell the gate out, plain JSON values."""
    rows = [
        {
            "kind": one.kind,
            "scenario": one.row[0] if one.row else None,
            "level": one.row[1] if one.row else None,
            "detector": one.row[2] if one.row else None,
            "metric": one.metric or None,
            "fails": one.fails,
            "text": one.text,
        }
        for one in findings
    ]
    return {"has_baseline": baseline is not None, "passed": not has_failed(findings), "findings": rows}
