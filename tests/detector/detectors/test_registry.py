"""Detectors by name: ours, third parties' by entry point, and the nearest name for any other."""

from typing import Any

import pytest

from detector.detectors import registry
from detector.detectors.anomaly import Anomaly
from detector.detectors.combined import Combined
from detector.detectors.registry import DETECTORS, make_detector
from detector.detectors.rules import Rules
from detector.errors import UnknownDetectorError
from detector.settings import DetectorSettings


@pytest.mark.parametrize("name", DETECTORS)
def test_every_name_makes_a_detector(name: str) -> None:
    """Each registered name makes something that has a name and judges."""
    made = make_detector(DetectorSettings(name=name))
    assert made.name
    assert callable(made.judge)


def test_the_default_is_the_combined_model() -> None:
    """Nothing asked for is `combined`; other names make what they say."""
    assert isinstance(make_detector(DetectorSettings()), Combined)
    assert isinstance(make_detector(DetectorSettings(name="rules")), Rules)
    forest = make_detector(DetectorSettings(name="isolation_forest", parameters={"n_estimators": 5}))
    assert isinstance(forest, Anomaly)
    assert (forest.name, forest.parameters) == ("pyod:iforest", {"n_estimators": 5})
    assert make_detector(DetectorSettings(name="pyod:IForest")).name == "pyod:iforest"


@pytest.mark.parametrize(("name", "near"), [("combind", "combined"), ("rule", "rules"), ("isolation", "isolation_for")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    """The error quotes what came and what was probably meant."""
    with pytest.raises(UnknownDetectorError, match=f"no detector {name!r}; nearest: .*'{near}"):
        make_detector(DetectorSettings(name=name))


class _Entry:
    """Stands in for an installed entry point."""

    name = "acme"

    def load(self) -> Any:
        """Give a factory, as a third party would."""
        return lambda settings: Rules(name=f"acme {settings.parameters['depth']}")


def test_third_parties_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed detector is made with the settings, and its name is offered in errors."""
    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda *, group: asked.append(group) or [_Entry()])
    assert make_detector(DetectorSettings(name="acme", parameters={"depth": 3})).name == "acme 3"
    with pytest.raises(UnknownDetectorError, match="nearest: 'acme'"):
        make_detector(DetectorSettings(name="acmee"))
    assert set(asked) == {"stillwatch.detectors"}


def test_third_parties_do_not_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point that takes one of our names is passed over."""
    entry = _Entry()
    entry.name = "combined"
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [entry])
    assert isinstance(make_detector(DetectorSettings(name="combined")), Combined)
