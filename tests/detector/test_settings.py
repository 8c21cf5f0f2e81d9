"""Settings: frozen, strict, laid over one another in one order, and every slip answered with the nearest name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from detector.errors import ConfigError, nearest
from detector.settings import ScoreSettings, load, overlay, parse_assignments, read_toml

VALUES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3)
TABLES = st.builds(lambda plain, tables: {**plain, **tables}, VALUES, st.dictionaries(st.sampled_from("de"), VALUES))


def test_settings_are_frozen() -> None:
    """Nothing changes settings once they are made."""
    with pytest.raises(ValidationError):
        ScoreSettings().policy.budget = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"polcy": {}}, "conf.toml: unknown key 'polcy'; nearest: 'policy'"),
        ({"policy": {"bugdet": 1}}, "conf.toml: unknown key 'policy.bugdet'; nearest: 'budget'"),
        ({"policy": {"budget": 2}}, "conf.toml: policy.budget = 2: Input should be less than or equal to 0.5"),
        ({"policy": {"budget": float("nan")}}, "conf.toml: policy.budget = nan: "),
        ({"policy": 3}, "conf.toml: policy = 3: "),
        ({"policy": {"fdr": 0.1, "budget": 0.1}}, "conf.toml: policy = {'fdr': 0.1, 'budget': 0.1}: Value error, "),
        ({"policy": {"capacity": 0}}, "conf.toml: policy.capacity = 0: Input should be greater than 0"),
        ({"policy": {"fdr": 1}}, "conf.toml: policy.fdr = 1: Input should be less than 1"),
        ({"engine": 1}, "conf.toml: engine = 1: Input should be a valid string"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, object], text: str) -> None:
    """Where, what came, and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        load(ScoreSettings, values, where="conf.toml")
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("given", "budget"), [({}, 1e-3), ({"fdr": 0.1}, None), ({"capacity": 3}, None), ({"budget": 0.1}, 0.1)]
)
def test_one_way_sets_the_threshold(given: dict[str, float], budget: float | None) -> None:
    """The default budget holds where nothing else is asked for; resolved settings can be given again."""
    policy = load(ScoreSettings, {"policy": given}, where="test").policy
    assert policy.budget == budget
    assert type(policy).model_validate(policy.model_dump()) == policy


def test_assignments_are_read_as_toml() -> None:
    """Numbers, flags and tables are what they look like, everything else is text."""
    found = parse_assignments(["a.b=1", "a.c=true", "d=plain words", "e=[1, 2]", 'f="1"', "g=", "a.b=2"])
    assert found == {"a": {"b": 2, "c": True}, "d": "plain words", "e": [1, 2], "f": "1", "g": ""}


@pytest.mark.parametrize("assignment", ["budget", "=1", " =1", ""])
def test_an_assignment_needs_key_and_sign(assignment: str) -> None:
    """The text shows how it is given."""
    with pytest.raises(ConfigError, match=r"give it as section\.key=value, such as policy\.budget=0\.01"):
        parse_assignments([assignment])


def test_a_value_is_no_section() -> None:
    """A key below a value is refused, not silently dropped."""
    with pytest.raises(ConfigError, match=r"--set 'policy\.budget=1': 'policy' is a value already, not a section"):
        parse_assignments(["policy=1", "policy.budget=1"])


@given(TABLES, TABLES, TABLES)
def test_overlay_is_associative(a: dict, b: dict, c: dict) -> None:  # type: ignore[type-arg]
    """Which of three layers are joined first makes no difference; an empty layer changes nothing."""
    assert overlay(overlay(a, b), c) == overlay(a, overlay(b, c))
    assert overlay(a, {}) == overlay({}, a) == a


def test_overlay_leaves_its_layers_alone() -> None:
    """Inputs are not changed."""
    lower = {"policy": {"budget": 1}}
    assert overlay(lower, {"policy": {"budget": 2}}) == {"policy": {"budget": 2}}
    assert lower == {"policy": {"budget": 1}}


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Missing, not TOML, not text."""
    (tmp_path / "bad.toml").write_text("a = ", encoding="utf-8")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"none.toml: cannot be read \(No such file or directory\); give a TOML file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"bad\.toml: is not TOML: "):
        read_toml(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match=r"bytes.toml: cannot be read \(it is not UTF-8 text\)"):
        read_toml(tmp_path / "bytes.toml")


def test_deep_nesting_is_one_error(tmp_path: Path) -> None:
    """A file nested beyond what can be read is named like any other; such a value of --set is a text."""
    deep = "[" * 5000 + "]" * 5000
    (tmp_path / "deep.toml").write_text(f"x = {deep}")
    with pytest.raises(ConfigError, match=r"deep\.toml: is nested too deep"):
        read_toml(tmp_path / "deep.toml")
    assert parse_assignments([f"a.b={deep}"]) == {"a": {"b": deep}}


def test_nearest_lists_what_is_allowed_when_nothing_is_close() -> None:
    """A far-off name is answered with all names, none with the absence of any."""
    assert nearest("zzz", ["b", "a"]) == "allowed: 'a', 'b'"
    assert nearest("zzz", []) == "nothing is allowed here"
