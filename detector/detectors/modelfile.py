"""Models as files: JSON with a digest of itself. Nothing in it is executed; a changed file is refused."""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.detectors.base import Cohorts, Reference, Values
from detector.detectors.lookalikes import read, written
from detector.detectors.model import AdditiveModel, Curve, Level, Pairs
from detector.detectors.population import QUANTILES
from detector.errors import ModelError
from detector.features.catalogue import FEATURES

SCHEMA = "stillwatch-additive-2"
#: Without cohorts, counts, population and kinds: read as ever, and what they are needed for is left unsaid.
OLDER_SCHEMA = "stillwatch-additive-1"


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sealed(content: dict[str, Any]) -> str:
    """Write a model's content with its digest; there is one text for a content."""
    return json.dumps({**content, "sha256": _digest(content)}, indent=1, sort_keys=True) + "\n"


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
    return sealed(content)


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
        It is not a model, of another schema, or not to the byte what was written.
    """
    try:
        stored = json.loads(text)
        sha256 = stored.pop("sha256")
        if stored["schema"] not in (SCHEMA, OLDER_SCHEMA):
            raise ModelError(f"{where}: schema {stored['schema']!r}, {SCHEMA!r} is needed; fit the model again")
        if sealed(stored) != text:
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
        return from_json(path.read_bytes().decode("utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read; give a file made by `stillwatch fit`") from error
