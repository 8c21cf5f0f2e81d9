"""Attacks as settings: what makes no sense is refused with its key; campaigns without reactions are not adaptive."""

import re
from typing import Any, get_args

import pytest

from detector.errors import ConfigError
from detector.tables import FAMILIES
from simulations.loop.attack import COUNTERS, AttackSettings, Tactic
from tests.simulations.loop.play import attack_of


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"purse_usd": 0}, "purse_usd = 0: an attacker without money does nothing"),
        ({"purse_usd": -5.0}, "purse_usd = -5"),
        ({"pathways": []}, "pathways = []: an attacker needs a way to accounts"),
        ({"pathways": [{"name": "a"}, {"name": "a", "pool": 1.0}]}, "pathways: name = 'a' is used twice"),
        ({"pathways": [{"name": "a", "pool": "many"}]}, "pool"),
        ({"pathways": [{"pool": 1.0}]}, "name"),
        ({"tactics": [{"do": "slow_dwon"}]}, "slow_dwon"),
        ({"tactics": [{"do": "split", "factor": 1.0}]}, "factor"),
        ({"respawn": {"per_day": 0}}, "per_day"),
        ({"value": {"regime": "everything"}}, "regime"),
        ({"tolerate": 0.5}, "unknown key 'tolerate'; nearest: 'tolerates'"),
    ],
)
def test_nonsense_is_refused(values: dict[str, Any], told: str) -> None:
    """A value out of range, an empty purse or a twin is an error that names its key."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        attack_of(**values)


def test_every_tactic_says_what_it_answers() -> None:
    """Each tactic is listed with the families that it answers, which exist."""
    assert set(COUNTERS) == set(get_args(Tactic))
    assert {family for families in COUNTERS.values() for family in families} <= set(FAMILIES)


def test_who_reacts() -> None:
    """A campaign is adaptive where it replaces accounts, has tactics, or weighs its cost."""
    assert not AttackSettings().is_adaptive
    for values in ({"respawn": {"is_on": True}}, {"tactics": [{"do": "stop"}]}, {"stops_at_cost": True}):
        assert attack_of(**values).is_adaptive
