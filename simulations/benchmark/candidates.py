"""Detectors that take part in a benchmark: ours by name, a user's class, a command. What they say is checked first."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.base import Detector, Verdict, extras_of, within_log_reference
from detector.detectors.conformance import check_detector
from detector.detectors.registry import make_detector
from detector.errors import ConfigError, StillwatchError, UnknownDetectorError
from detector.features.extras import Extra
from detector.settings import DetectorSettings
from simulations.benchmark.suite import DetectorSpec

#: Profiles on which a detector shows that it keeps its promises. Chosen: few, since every feature is taken away once.
CHECKED = 60


class BadScoresError(StillwatchError):
    """What a detector returned cannot be scores of the accounts that it was given."""

    exit_code = 31


@dataclass(frozen=True)
class Brought:
    """A user's object as a detector; its `judge` gives a verdict, or scores of shape (n,)."""

    name: str
    inner: Any

    @property
    def extras(self) -> tuple[Extra, ...]:
        """Statistics that it brings along."""
        return extras_of(self.inner)

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`."""
        return as_verdict(self.inner.judge(features, level), features, self.name)


@dataclass(frozen=True)
class Command:
    """A program that reads features from a CSV file and writes `account_id` and `score` to another."""

    name: str
    command: tuple[str, ...]
    timeout_s: float

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`.

        Raises
        ------
        BadScoresError
            The program fails, takes too long, or writes no scores of these accounts.
        """
        with tempfile.TemporaryDirectory(prefix="stillwatch-") as folder:
            places = {name: str(Path(folder) / f"{name}.csv") for name in ("features", "scores")}
            features.rename_axis("account_id").to_csv(places["features"])
            words = [places.get(word.strip("{}"), word) if word.startswith("{") else word for word in self.command]
            try:
                ended = subprocess.run(words, capture_output=True, timeout=self.timeout_s, check=False)  # noqa: S603
            except subprocess.TimeoutExpired as error:
                raise BadScoresError(f"the program took longer than {self.timeout_s:g} s") from error
            except OSError as error:
                raise BadScoresError(f"the program does not start ({error.strerror})") from error
            if ended.returncode:
                raise BadScoresError(f"the program ended with {ended.returncode}")
            return as_verdict(_written(Path(places["scores"])), features, self.name)


def _written(path: Path) -> "pd.Series[float]":
    try:
        rows = pd.read_csv(path, dtype={"account_id": str, "score": float})
        return rows.set_index("account_id")["score"]
    except (OSError, ValueError, KeyError) as error:
        raise BadScoresError("the program wrote no table of account_id and score") from error


def as_verdict(said: Any, features: pd.DataFrame, name: str) -> Verdict:
    """Take a verdict as it is, and make one of plain scores.

    Raises
    ------
    BadScoresError
        Scores are not of these accounts, in their order, or are no numbers.
    """
    if isinstance(said, Verdict):
        return said
    if isinstance(said, pd.Series) and not said.index.equals(features.index):
        raise BadScoresError(f"scores of the wrong accounts: {_difference(said.index, features.index)}")
    try:
        scores = np.asarray(said, np.float64)
    except (TypeError, ValueError) as error:
        raise BadScoresError(f"it gives {type(said).__name__}, which are no scores") from error
    if scores.shape != (len(features),):
        raise BadScoresError(f"scores have the shape {scores.shape} and {len(features)} accounts were given")
    check_finite(scores)
    piece = pd.DataFrame({"score": scores}, index=features.index)
    return Verdict(0.0, piece, {"score": ""}, within_log_reference(scores))


def _difference(got: "pd.Index[Any]", wanted: "pd.Index[Any]") -> str:
    missing, foreign = len(wanted.difference(got)), len(got.difference(wanted))
    return f"{missing} are missing and {foreign} unknown" if missing or foreign else "they are in another order"


def check_finite(scores: Any) -> None:
    """Refuse what is no number.

    Raises
    ------
    BadScoresError
        A score is not finite.
    """
    n_bad = int((~np.isfinite(scores)).sum())
    if n_bad:
        raise BadScoresError(f"{n_bad} of {len(scores)} scores are not finite numbers")


def check_scores(scores: Any) -> None:
    """Refuse what ranks nobody.

    Raises
    ------
    BadScoresError
        A score is not finite, or all are equal.
    """
    check_finite(scores)
    if len(scores) > 1 and np.ptp(scores) == 0:
        raise BadScoresError("it gives every account the same score")


def make_candidate(spec: DetectorSpec, *, timeout_s: float) -> Detector:
    """Make a detector.

    Raises
    ------
    UnknownDetectorError
        Nothing has this name.
    ConfigError
        The module or class is not there, or refuses its parameters.
    """
    if spec.name is not None:
        return make_detector(DetectorSettings(name=spec.name, model=spec.model, parameters=spec.parameters))
    if spec.command:
        return Command(spec.id, spec.command, timeout_s)
    module, _, attribute = (spec.object or "").partition(":")
    try:
        inner = getattr(import_module(module), attribute)(**spec.parameters)
    except (ImportError, AttributeError, ValueError) as error:
        raise UnknownDetectorError(f"detector {spec.id!r}: {module}:{attribute} cannot be imported") from error
    except TypeError as error:
        raise ConfigError(f"detector {spec.id!r}: {attribute} refuses {sorted(spec.parameters)}") from error
    if not callable(getattr(inner, "judge", None)):
        raise ConfigError(f"detector {spec.id!r}: {attribute} has no judge(features, level)")
    return Brought(spec.id, inner)


def broken_promises(detector: Detector, features: pd.DataFrame, level: int) -> list[str]:
    """Check a detector on a few profiles; what it does not keep, in words."""
    some = features.iloc[np.unique(np.linspace(0, len(features) - 1, CHECKED).astype(int))]
    return [f"{one.name}: {one.found}" for one in check_detector(detector, some, level) if not one.is_kept]


def check_names(specs: Sequence[DetectorSpec]) -> None:
    """Find detectors that cannot be made before anything is measured.

    Raises
    ------
    UnknownDetectorError, ConfigError
        See `make_candidate`.
    """
    for spec in specs:
        make_candidate(spec, timeout_s=1.0)
