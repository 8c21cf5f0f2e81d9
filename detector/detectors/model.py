"""Additive models as data: per evidence level, a prior and one piecewise-linear curve per feature.

A model file is JSON with a digest of itself. Nothing in it is executed; a changed file is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.base import Reference, Values, Verdict
from detector.errors import ModelError
from detector.features.catalogue import FEATURES

SCHEMA = "stillwatch-additive-1"


@dataclass(frozen=True)
class Curve:
    """What a feature adds, in log-odds: straight lines between knots, flat beyond, 0 where the feature is absent."""

    knots: Values
    values: Values

    def at(self, x: Values) -> Values:
        """Evaluate; shape (n,)."""
        return np.where(np.isnan(x), 0.0, np.interp(x, self.knots, self.values))


@dataclass(frozen=True)
class Level:
    """The model for logs of one evidence level."""

    prior: float
    curves: dict[str, Curve]
    reference: Reference


@dataclass(frozen=True)
class AdditiveModel:
    """Curves per evidence level, with what they were fitted on.

    Attributes
    ----------
    levels: evidence level -> its curves.
    fitted_on: digests and counts of the training logs, for the record.
    sha256: digest of the content, as the file states it.
    """

    levels: dict[int, Level]
    fitted_on: dict[str, Any]
    sha256: str = ""

    def for_level(self, level: int) -> Level:
        """Give the curves for a log, those of the next lower level when there are none for its own.

        Raises
        ------
        ModelError
            The model needs more than the log has.
        """
        usable = [known for known in self.levels if known <= level]
        if not usable:
            raise ModelError(f"the model starts at evidence level {min(self.levels)}, the log is of level {level}")
        return self.levels[max(usable)]

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        chosen = self.for_level(level)
        n = len(features)
        added = {
            name: curve.at(features[name].to_numpy(np.float64)) if name in features else np.zeros(n)
            for name, curve in chosen.curves.items()
        }
        contributions = pd.DataFrame(added, index=features.index)
        families = {name: FEATURES[name].family for name in chosen.curves}
        return Verdict(chosen.prior, contributions, families, chosen.reference)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _rounded(values: Values) -> list[float]:
    return [float(f"{v:.6g}") for v in values]


def to_json(model: AdditiveModel) -> str:
    """Write a model as text; the same model gives the same bytes."""
    levels = {
        str(level): {
            "prior": float(f"{part.prior:.6g}"),
            "curves": {n: {"knots": _rounded(c.knots), "values": _rounded(c.values)} for n, c in part.curves.items()},
            "reference": {
                "n": part.reference.n,
                "scores": _rounded(part.reference.scores),
                "p_values": _rounded(part.reference.p_values),
            },
        }
        for level, part in sorted(model.levels.items())
    }
    content = {"schema": SCHEMA, "fitted_on": model.fitted_on, "levels": levels}
    return json.dumps({**content, "sha256": _digest(content)}, indent=1, sort_keys=True) + "\n"


def _curve(name: str, raw: dict[str, Any]) -> Curve:
    if name not in FEATURES:
        raise ValueError(f"no feature {name!r}")
    knots, values = np.array(raw["knots"], np.float64), np.array(raw["values"], np.float64)
    is_curve = knots.shape == values.shape and knots.ndim == 1 and len(knots) > 1
    if not (is_curve and np.isfinite(values).all() and bool(np.all(np.diff(knots) > 0))):
        raise ValueError(f"the curve of {name!r} is not one")
    return Curve(knots, values)


def _reference(raw: dict[str, Any]) -> Reference:
    scores, p_values = np.array(raw["scores"], np.float64), np.array(raw["p_values"], np.float64)
    is_ordered = bool(np.all(np.diff(scores) >= 0) and np.all(np.diff(p_values) <= 0))
    is_share = bool(np.all((p_values > 0) & (p_values <= 1)))
    if not (scores.shape == p_values.shape and scores.ndim == 1 and len(scores) and is_ordered and is_share):
        raise ValueError("the reference is not one")
    return Reference(int(raw["n"]), scores, p_values)


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
        if stored["schema"] != SCHEMA:
            raise ModelError(f"{where}: schema {stored['schema']!r}, {SCHEMA!r} is needed; fit the model again")
        if _digest(stored) != sha256:
            raise ModelError(f"{where}: changed after it was made, its digest differs; fit the model again")
        levels = {
            int(level): Level(
                float(part["prior"]),
                {name: _curve(name, raw) for name, raw in part["curves"].items()},
                _reference(part["reference"]),
            )
            for level, part in stored["levels"].items()
        }
        if not levels:
            raise ValueError("no levels")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ModelError(f"{where}: is not a model of this version; fit the model again") from error
    return AdditiveModel(levels, stored["fitted_on"], sha256)


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
