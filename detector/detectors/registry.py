"""The detectors there are: ours in a dict, third parties' by the entry point group `stillwatch.detectors`."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from detector.detectors.anomaly import Anomaly
from detector.detectors.base import Detector
from detector.detectors.baselines.coverage import coverage
from detector.detectors.baselines.glasswally import Glasswally
from detector.detectors.baselines.mahalanobis import Mahalanobis
from detector.detectors.baselines.mmd import mmd
from detector.detectors.baselines.prada import prada
from detector.detectors.baselines.seat import seat
from detector.detectors.combined import Combined
from detector.detectors.rules import Rules
from detector.errors import UnknownDetectorError, nearest
from detector.settings import DetectorSettings

GROUP = "stillwatch.detectors"


def _combined(settings: DetectorSettings) -> Detector:
    return Combined(settings.model)


def _rules(settings: DetectorSettings) -> Detector:
    return Rules()


def _isolation_forest(settings: DetectorSettings) -> Detector:
    return Anomaly("iforest", dict(settings.parameters))


def _ecod(settings: DetectorSettings) -> Detector:
    return Anomaly("ecod", dict(settings.parameters))


def _mahalanobis(settings: DetectorSettings) -> Detector:
    return Mahalanobis()


def _glasswally(settings: DetectorSettings) -> Detector:
    return Glasswally()


DETECTORS: dict[str, Callable[[DetectorSettings], Detector]] = {
    "combined": _combined,
    "rules": _rules,
    "isolation_forest": _isolation_forest,
    "ecod": _ecod,
    "prada": prada,
    "seat": seat,
    "coverage": coverage,
    "mmd": mmd,
    "mahalanobis": _mahalanobis,
    "glasswally": _glasswally,
}


def make_detector(settings: DetectorSettings) -> Detector:
    """Make the detector that the settings name.

    Raises
    ------
    UnknownDetectorError
        Nothing has this name; the nearest is given.
    """
    if settings.name in DETECTORS:
        return DETECTORS[settings.name](settings)
    if settings.name.startswith("pyod:"):
        return Anomaly(settings.name.removeprefix("pyod:"), dict(settings.parameters))
    offered: dict[str, Any] = {e.name: e for e in entry_points(group=GROUP)}
    if settings.name in offered:
        made: Detector = offered[settings.name].load()(settings)
        return made
    names = [*DETECTORS, *offered, "pyod:NAME"]
    raise UnknownDetectorError(f"no detector {settings.name!r}; {nearest(settings.name, names)}")
