"""Defences as settings: what could never work is refused with its key; who only looks changes nothing."""

import re
from typing import Any

import pytest

from detector.errors import ConfigError
from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import STATES
from tests.simulations.loop.play import OBSERVE, defence_of


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"review": {"capacity_per_day": 0}}, "review.capacity_per_day = 0 with review.is_mandatory = true"),
        ({"measures": {"review": {"at_once": "ban"}}}, "ban"),
        ({"measures": {"reviews": {}}}, "unknown key 'measures.reviews'; nearest: 'review'"),
        ({"cadence_days": 0}, "cadence_days"),
        ({"window_days": 1e9}, "window_days"),
        ({"by": "person"}, "by"),
        ({"review": {"p_wrongs": 1.5}}, "p_wrongs"),
        ({"throttled": {"per_day": -1}}, "per_day"),
    ],
)
def test_nonsense_is_refused(values: dict[str, Any], told: str) -> None:
    """A value out of range, an unknown action or reviewers without hours are errors that name their key."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        defence_of(**values)


def test_nobody_needs_reviewers_who_confirms_nothing() -> None:
    """Without hours a defence works where nothing waits for a reviewer, or where the policy's word is enough."""
    no_hours = {"capacity_per_day": 0.0}
    measures = {name: {"at_once": "throttle", "confirmed": "observe"} for name in OBSERVE}
    assert defence_of(review=no_hours, measures=measures).acts
    assert defence_of(review={**no_hours, "is_mandatory": False}).acts


def test_who_acts() -> None:
    """A defence acts where a measure, a gate or the word of another provider changes what happens; else it looks."""
    assert DefenceSettings().acts
    assert not defence_of(measures=OBSERVE).acts
    assert not defence_of(measures=OBSERVE, indicators={"revoked_before_verify": 2}).acts
    assert not defence_of(measures=OBSERVE, indicators={"revoked_before_verify": 0, "received_share": 1.0}).acts
    assert defence_of(measures=OBSERVE, indicators={"revoked_before_verify": 1, "received_share": 0.1}).acts
    assert defence_of(measures=OBSERVE, gate={"models": ["large"]}).acts


def test_every_action_is_a_state() -> None:
    """Every action but observing puts a key into the state of its name, and all are taken."""
    for action in STATES[1:]:
        assert defence_of(measures={"review": {"at_once": action}}).acts
