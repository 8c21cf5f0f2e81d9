"""Keys and values of a sweep: short where that is plain, refused where it is not."""

import pytest

from detector.errors import ConfigError
from simulations.loop.attack import AttackSettings
from simulations.loop.axes import assignments_of, axes_of, full_key, grid, settable, settled
from simulations.loop.defence import DefenceSettings
from simulations.loop.rehearsal import Rehearsal
from simulations.settings import ScenarioSettings


@pytest.fixture(scope="module")
def allowed(small: ScenarioSettings) -> tuple[str, ...]:
    """Keys of a scenario with a fleet."""
    return settable(small)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("budget", "defence.policy.budget"),
        ("policy.budget", "defence.policy.budget"),
        ("capacity_per_day", "defence.review.capacity_per_day"),
        ("cadence_days", "defence.cadence_days"),
        ("purse_usd", "attack.purse_usd"),
        ("days", "days"),
        ("cohorts.fleet.parameters.per_day", "cohorts.fleet.parameters.per_day"),
        ("defence.detector.parameters.anything", "defence.detector.parameters.anything"),
    ],
)
def test_a_key_that_names_one_setting_is_enough(allowed: tuple[str, ...], short: str, full: str) -> None:
    """The end of a key names a setting when no other ends so; a full key always does."""
    assert full_key(short, allowed) == full


def test_a_key_that_several_settings_end_with_is_refused_with_all_of_them(allowed: tuple[str, ...]) -> None:
    """Nothing is guessed."""
    expected = r"'per_day': several.*attack\.respawn\.per_day, cohorts\.fleet\.parameters\.per_day, defence\.throttled"
    with pytest.raises(ConfigError, match=expected):
        full_key("per_day", allowed)


def test_a_misspelt_key_is_answered_with_the_nearest(allowed: tuple[str, ...]) -> None:
    """An unknown key is an error that names what was meant."""
    with pytest.raises(ConfigError, match=r"'bugdet': no setting is called so; nearest: 'budget'"):
        full_key("bugdet", allowed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("budget", "give it as KEY=VALUE"),
        ("=1", "give it as KEY=VALUE"),
        ("budget=", r"defence\.policy\.budget=: a value is missing"),
        ("budget=1,,2", "a value is missing"),
        ("budget=1e-3,nan", "no number to calculate with"),
        ("budget={a=1}", "no single value"),
        ("seed=1,2", "give --seeds"),
    ],
)
def test_what_is_no_value_is_refused_with_its_key(allowed: tuple[str, ...], text: str, reason: str) -> None:
    """Nothing is left out or repaired silently."""
    with pytest.raises(ConfigError, match=reason):
        axes_of([text], allowed)


def test_a_setting_is_swept_once(allowed: tuple[str, ...]) -> None:
    """Two axes of one setting would overwrite one another."""
    with pytest.raises(ConfigError, match="swept twice"):
        axes_of(["budget=1e-3", "policy.budget=1e-2"], allowed)


def test_several_axes_make_their_product(allowed: tuple[str, ...]) -> None:
    """Every value of one meets every value of the other; the last axis turns fastest."""
    points = grid(axes_of(["by=account,cluster", "budget=1e-4, 1e-3"], allowed))

    assert [tuple(point.values()) for point in points] == [
        ("account", 1e-4), ("account", 1e-3), ("cluster", 1e-4), ("cluster", 1e-3),
    ]  # fmt: skip
    assert assignments_of(points[0]) == ['defence.by="account"', "defence.policy.budget=0.0001"]


def test_without_an_axis_there_is_one_point() -> None:
    """Seeds alone are a sweep, too."""
    assert grid(()) == [{}]


def test_values_are_told_as_the_rehearsal_has_them(small: ScenarioSettings) -> None:
    """However a number was written, its column holds a number."""
    defence = DefenceSettings.model_validate({"policy": {"budget": ".1"}})
    record = Rehearsal(small, defence, AttackSettings()).record()
    keys = ("defence.policy.budget", "attack.purse_usd", "days", "cohorts.fleet.parameters.per_day")

    assert settled(dict.fromkeys(keys, "."), record) == dict(zip(keys, (0.1, None, 7.0, 10.0), strict=True))
