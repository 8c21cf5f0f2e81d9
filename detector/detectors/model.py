"""Additive models as data: per evidence level, a prior, one piecewise-linear curve per feature, and pairs of features.

A model file is JSON with a digest of itself. Nothing in it is executed; a changed file is refused.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.detectors.base import Cohorts, Reference, Values, Verdict
from detector.detectors.lookalikes import Kind, read, written
from detector.detectors.population import QUANTILES
from detector.errors import ModelError
from detector.features.catalogue import FEATURES

SCHEMA = "stillwatch-additive-2"
#: Without cohorts, counts, population and kinds: read as ever, and what they are needed for is left unsaid.
OLDER_SCHEMA = "stillwatch-additive-1"


@dataclass(frozen=True)
class Curve:
    """What a feature adds, in log-odds: straight lines between knots, flat beyond, 0 where the feature is absent."""

    knots: Values
    values: Values

    def at(self, x: Values) -> Values:
        """Evaluate; shape (n,)."""
        return np.where(np.isnan(x), 0.0, np.interp(x, self.knots, self.values))


@dataclass(frozen=True)
class Pairs:
    """What two features of one family add together: a weight times the product of their places.

    A long prompt is nothing much and neither is a long answer; long answers to long prompts are.
    Half of what a pair adds is told with either feature, so evidence stays one row a feature, and within its family.

    Attributes
    ----------
    scales: feature -> its place among the training profiles, -1 to 1, 0 on average and where it is absent.
    weights: log-odds of each pair of features in `scales`.
    """

    scales: dict[str, Curve] = field(default_factory=dict)
    weights: dict[tuple[str, str], float] = field(default_factory=dict)

    def products(self, features: pd.DataFrame) -> Iterator[Values]:
        """Multiply the places of each pair, in the order of `weights`; shape (n,) each, one at a time."""
        places = {name: _at(features, name, scale) for name, scale in self.scales.items()}
        return (places[a] * places[b] for a, b in self.weights)


def _at(features: pd.DataFrame, name: str, curve: Curve) -> Values:
    return curve.at(features[name].to_numpy(np.float64)) if name in features else np.zeros(len(features))


def contribute(features: pd.DataFrame, curves: dict[str, Curve], pairs: Pairs) -> dict[str, Values]:
    """Give the log-odds that each feature adds, its share of pairs included; shape (n,) each."""
    added = {name: _at(features, name, curve) for name, curve in curves.items()}
    for (pair, weight), product in zip(pairs.weights.items(), pairs.products(features), strict=True):
        for name in pair:
            added[name] = added[name] + weight / 2 * product
    return added


@dataclass(frozen=True)
class Level:
    """The model for logs of one evidence level."""

    prior: float
    curves: dict[str, Curve]
    reference: Reference
    pairs: Pairs = field(default_factory=Pairs)


@dataclass(frozen=True)
class AdditiveModel:
    """Curves per evidence level, with what they were fitted on.

    Attributes
    ----------
    levels: evidence level -> its curves.
    fitted_on: digests and counts of the training logs, for the record.
    population: quantiles of the features of the honest training accounts, see `detectors.population`.
    kinds: kinds of honest customers that it knows, see `detectors.lookalikes`.
    sha256: digest of the content, as the file states it.
    """

    levels: dict[int, Level]
    fitted_on: dict[str, Any]
    population: Mapping[str, Values] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    sha256: str = ""

    def usable_level(self, level: int) -> int:
        """Give the level whose curves a log is judged by: its own, or the next lower one that has any.

        Raises
        ------
        ModelError
            The model needs more than the log has.
        """
        usable = [known for known in self.levels if known <= level]
        if not usable:
            raise ModelError(f"the model starts at evidence level {min(self.levels)}, the log is of level {level}")
        return max(usable)

    def for_level(self, level: int) -> Level:
        """Give the curves for a log; see `usable_level`."""
        return self.levels[self.usable_level(level)]

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        chosen = self.for_level(level)
        contributions = pd.DataFrame(contribute(features, chosen.curves, chosen.pairs), index=features.index)
        families = {name: FEATURES[name].family for name in chosen.curves}
        return Verdict(chosen.prior, contributions, families, chosen.reference)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _rounded(values: Values) -> list[float]:
    return [float(f"{v:.6g}") for v in values]


def _reference_json(reference: Reference) -> dict[str, Any]:
    """Lay out a reference; its shares are kept to the last digit, so that no p-value flatters."""
    stored: dict[str, Any] = {
        "n": reference.n,
        "scores": _rounded(reference.scores),
        "p_values": reference.p_values.tolist(),
        "floor": reference.floor,
    }
    if reference.n_above is not None:
        stored["n_above"] = reference.n_above.tolist()
    if reference.cohorts is not None:
        cohorts = reference.cohorts
        stored["cohorts"] = {
            "sizes": dict(cohorts.sizes),
            "worst": list(cohorts.worst),
            "n_above": cohorts.n_above.tolist(),
        }
    return stored


def _written(curves: dict[str, Curve]) -> dict[str, Any]:
    return {n: {"knots": _rounded(c.knots), "values": _rounded(c.values)} for n, c in curves.items()}


def _written_pairs(pairs: Pairs) -> dict[str, Any]:
    weights = [[a, b, float(f"{weight:.6g}")] for (a, b), weight in sorted(pairs.weights.items())]
    return {"scales": _written(pairs.scales), "weights": weights}


def to_json(model: AdditiveModel) -> str:
    """Write a model as text; the same model gives the same bytes."""
    levels = {
        str(level): {
            "prior": float(f"{part.prior:.6g}"),
            "curves": _written(part.curves),
            **({"pairs": _written_pairs(part.pairs)} if part.pairs.weights else {}),
            "reference": _reference_json(part.reference),
        }
        for level, part in sorted(model.levels.items())
    }
    population = {name: _rounded(quantiles) for name, quantiles in model.population.items()}
    content = {"schema": SCHEMA, "fitted_on": model.fitted_on, "levels": levels, "population": population}
    if model.kinds:
        content["kinds"] = {name: written(kind) for name, kind in model.kinds.items()}
    return json.dumps({**content, "sha256": _digest(content)}, indent=1, sort_keys=True) + "\n"


def _curve(name: str, raw: dict[str, Any]) -> Curve:
    if name not in FEATURES:
        raise ValueError(f"no feature {name!r}")
    knots, values = np.array(raw["knots"], np.float64), np.array(raw["values"], np.float64)
    is_curve = knots.shape == values.shape and knots.ndim == 1 and len(knots) > 1
    if not (is_curve and np.isfinite(values).all() and bool(np.all(np.diff(knots) > 0))):
        raise ValueError(f"the curve of {name!r} is not one")
    return Curve(knots, values)


def _falling(counts: Values | npt.NDArray[np.int64], n_kept: int) -> bool:
    return counts.shape == (n_kept,) and bool(np.all(counts >= 0) and np.all(np.diff(counts) <= 0))


def _cohorts(raw: dict[str, Any], n_kept: int) -> Cohorts:
    sizes = {str(name): int(size) for name, size in raw["sizes"].items()}
    cohorts = Cohorts(sizes, tuple(str(name) for name in raw["worst"]), np.array(raw["n_above"], np.int64))
    if not (set(cohorts.worst) <= set(sizes) and cohorts.n_above.shape == (n_kept,) == (len(cohorts.worst),)):
        raise ValueError("the cohorts are none")
    return cohorts


def _pairs(raw: dict[str, Any], curves: dict[str, Curve]) -> Pairs:
    scales = {name: _curve(name, scale) for name, scale in raw["scales"].items()}
    weights = {(str(a), str(b)): float(weight) for a, b, weight in raw["weights"]}
    is_known = all({a, b} <= set(scales) & set(curves) and a != b for a, b in weights)
    is_within = is_known and all(FEATURES[a].family == FEATURES[b].family for a, b in weights)
    if not (is_within and np.isfinite(list(weights.values())).all()):
        raise ValueError("the pairs are not pairs of one family's curves")
    return Pairs(scales, weights)


def _reference(raw: dict[str, Any]) -> Reference:
    scores, p_values = np.array(raw["scores"], np.float64), np.array(raw["p_values"], np.float64)
    floor = float(raw["floor"]) if "floor" in raw else float(p_values[-1])
    n_above = np.array(raw["n_above"], np.int64) if "n_above" in raw else None
    is_ordered = scores.ndim == 1 and bool(np.all(np.diff(scores) >= 0)) and _falling(p_values, len(scores))
    is_share = bool(np.all((p_values > 0) & (p_values <= 1))) and 0 <= floor <= 1
    if not (len(scores) and is_ordered and is_share and (n_above is None or _falling(n_above, len(scores)))):
        raise ValueError("the reference is not one")
    cohorts = _cohorts(raw["cohorts"], len(scores)) if "cohorts" in raw else None
    return Reference(int(raw["n"]), scores, p_values, floor, n_above, cohorts)


def _population(raw: dict[str, Any]) -> dict[str, Values]:
    population = {str(name): np.array(values, np.float64) for name, values in raw.items()}
    if not all(q.shape == (QUANTILES,) and bool(np.all(np.diff(q) >= 0)) for q in population.values()):
        raise ValueError("the population is not one")
    return population


def _level(part: dict[str, Any]) -> Level:
    curves = {name: _curve(name, raw) for name, raw in part["curves"].items()}
    pairs = _pairs(part["pairs"], curves) if "pairs" in part else Pairs()
    return Level(float(part["prior"]), curves, _reference(part["reference"]), pairs)


def from_json(text: str, *, where: str) -> AdditiveModel:
    """Read a model.

    Parameters
    ----------
    where: file the text came from, for the error.

    Raises
    ------
    ModelError
        It is not a model, of another schema, or not what its digest says.
    """
    try:
        stored = json.loads(text)
        sha256 = stored.pop("sha256")
        if stored["schema"] not in (SCHEMA, OLDER_SCHEMA):
            raise ModelError(f"{where}: schema {stored['schema']!r}, {SCHEMA!r} is needed; fit the model again")
        if _digest(stored) != sha256:
            raise ModelError(f"{where}: changed after it was made, its digest differs; fit the model again")
        levels = {int(level): _level(part) for level, part in stored["levels"].items()}
        population = _population(stored.get("population", {}))
        kinds = {str(name): read(raw) for name, raw in stored.get("kinds", {}).items()}
        if not levels:
            raise ValueError("no levels")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ModelError(f"{where}: is not a model of this version; fit the model again") from error
    return AdditiveModel(levels, stored["fitted_on"], population, kinds, sha256)


def load_model(path: Path | None) -> AdditiveModel:
    """Read a model file; the shipped one when no path is given.

    Raises
    ------
    ModelError
        The file cannot be read or is refused by `from_json`.
    """
    if path is None:
        shipped = resources.files("detector.detectors").joinpath("combined.json")
        return from_json(shipped.read_text(encoding="utf-8"), where="the shipped model")
    try:
        return from_json(path.read_text(encoding="utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read; give a file made by `stillwatch fit`") from error
