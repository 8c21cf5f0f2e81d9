"""Models as files: they come back as they went, and a changed one is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.detectors.combined import Combined
from detector.detectors.modelfile import OLDER_SCHEMA, SCHEMA, from_json, load_model, sealed, to_json
from detector.errors import ModelError
from detector.features.catalogue import FEATURES
from tests.detector.detectors.small_models import paired_model, small_model

TEXT = to_json(small_model())
DIGITS = [i for i, character in enumerate(TEXT) if character.isdigit() and TEXT[i - 1 : i + 1] != "-1"]


def test_round_trip_gives_the_same_bytes() -> None:
    """Reading and writing a model changes nothing; its digest is the file's."""
    read = from_json(TEXT, where="here")
    assert to_json(read) == TEXT
    assert read.sha256 == json.loads(TEXT)["sha256"]


def test_the_shipped_model_is_whole() -> None:
    """It loads, writes back to its own bytes, knows levels 0 to 3, and uses features of no higher level."""
    model = Combined().model
    assert sorted(model.levels) == [0, 1, 2, 3]
    assert json.loads(to_json(model)) == json.loads(to_json(from_json(to_json(model), where="again")))
    assert model.sha256 == json.loads(to_json(model))["sha256"]
    for level, part in model.levels.items():
        assert {FEATURES[name].level for name in part.curves} <= set(range(level + 1))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(DIGITS), st.sampled_from("0123456789"))
def test_any_changed_digit_is_refused(place: int, digit: str) -> None:
    """One digit changed anywhere, in a number, a name or the digest: the file is refused."""
    if TEXT[place] == digit:
        digit = str((int(digit) + 1) % 10)
    with pytest.raises(ModelError):
        from_json(TEXT[:place] + digit + TEXT[place + 1 :], where="here")


@pytest.mark.parametrize(
    ("old", "new"), [('"prior": -5.0', '"prior": 5.0'), ("0.25", "0.26"), ("3.5", "3.51"), ('"n": 100', '"n": 10')]
)
def test_a_changed_number_is_named_as_such(old: str, new: str) -> None:
    """The text says what happened and what to do."""
    assert old in TEXT
    with pytest.raises(ModelError, match="here: changed after it was made, its digest differs; fit the model again"):
        from_json(TEXT.replace(old, new, 1), where="here")


@pytest.mark.parametrize(
    ("old", "new"),
    [('"n": 100', '"n":  100'), ("0.25", "0.250"), ("0.25", "25e-2"), ("{", '{"sha256": "",'), ("\n", "\r\n")],
)
def test_what_means_the_same_is_refused_too(old: str, new: str, tmp_path: Path) -> None:
    """A file is taken to the byte: another spelling of a number, a blank, a key given twice are changes."""
    assert old in TEXT
    (tmp_path / "model.json").write_bytes(TEXT.replace(old, new, 1).encode())
    with pytest.raises(ModelError, match=r"model\.json: (changed after it was made|is not a model)"):
        load_model(tmp_path / "model.json")


def resealed(change: "callable") -> str:  # type: ignore[valid-type]
    """Change a model's content and give it a digest that fits."""
    content = json.loads(TEXT)
    del content["sha256"]
    change(content)
    return sealed(content)


def test_another_schema_is_refused() -> None:
    """A file of another version names both schemas."""
    text = resealed(lambda content: content.update(schema="stillwatch-additive-9"))
    with pytest.raises(ModelError, match=f"here: schema 'stillwatch-additive-9', '{SCHEMA}' is needed"):
        from_json(text, where="here")


def _curve(content: dict) -> dict:  # type: ignore[type-arg]
    return content["levels"]["2"]["curves"]


def _scores(content: dict) -> dict:  # type: ignore[type-arg]
    return content["levels"]["0"]["reference"]


def older(content: dict) -> None:  # type: ignore[type-arg]
    """Turn a model into one of the older schema."""
    content["schema"] = OLDER_SCHEMA
    del content["population"], content["kinds"]
    for part in content["levels"].values():
        for name in ("floor", "n_above", "cohorts"):
            del part["reference"][name]


def test_a_model_of_the_older_schema_is_read() -> None:
    """It scores as ever; its least p-value is the last that it holds, and it knows no population and no kinds."""
    read = from_json(resealed(older), where="here")
    features = pd.DataFrame({"age": [0.5, 1.5], "repeats": [1.0, 3.0]})
    np.testing.assert_array_equal(read.judge(features, 2).scores, small_model().judge(features, 2).scores)
    reference = read.levels[0].reference
    assert (reference.least, reference.n_above, reference.cohorts) == (0.02, None, None)
    assert (read.population, read.kinds) == ({}, {})


@pytest.mark.parametrize(
    "change",
    [
        lambda c: _curve(c).update(unheard_of=_curve(c)["age"]),
        lambda c: _curve(c)["age"].update(knots=[0.0, 2.0, 1.0]),
        lambda c: _curve(c)["age"].update(knots=[0.0, 1.0, 1.0]),
        lambda c: _curve(c)["age"].update(knots=[0.0, float("nan"), 1.0]),
        lambda c: _curve(c)["age"].update(values=[1.0, float("inf"), 1.0]),
        lambda c: _curve(c)["age"].update(values=[1.0]),
        lambda c: _curve(c)["age"].update(knots=[1.0], values=[1.0]),
        lambda c: _scores(c).update(scores=[0.0, -3.0, 2.0]),
        lambda c: _scores(c).update(p_values=[0.9, 0.1, 0.0]),
        lambda c: _scores(c).update(p_values=[0.1, 0.9, 0.95]),
        lambda c: _scores(c).update(scores=[], p_values=[]),
        lambda c: _scores(c).update(floor=-1),
        lambda c: _scores(c).update(n_above=[1, 2, 3]),
        lambda c: _scores(c).update(n_above=[3, 2]),
        lambda c: _scores(c)["cohorts"].update(worst=["chat", "chat", "nobody"]),
        lambda c: _scores(c)["cohorts"].update(n_above=[1]),
        lambda c: c["population"].update(age=[1.0]),
        lambda c: c["kinds"]["chat"]["features"].update(age=[1.0, 0.0]),
        lambda c: c["kinds"]["chat"].pop("distances"),
        lambda c: c["population"].update(age=list(range(21, 0, -1))),
        lambda c: c.update(levels={}),
        lambda c: c.pop("levels"),
    ],
)
def test_what_is_no_model_is_refused_even_when_sealed(change: "callable") -> None:  # type: ignore[valid-type]
    """A fitting digest saves no unknown feature, disordered knots, uneven lengths or shares that are none."""
    with pytest.raises(ModelError, match="here: is not a model of this version; fit the model again"):
        from_json(resealed(change), where="here")


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '"text"', "{" * 10, "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """Any other text is an error of ours, however deep."""
    with pytest.raises(ModelError, match="is not a model of this version"):
        from_json(text, where="here")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text."""
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\xff")
    for path in (tmp_path / "missing.json", tmp_path, tmp_path / "bytes.json"):
        with pytest.raises(ModelError, match=f"{path}: cannot be read; give a file made by `stillwatch fit`"):
            load_model(path)


def test_pairs_come_back_as_they_went() -> None:
    """A model with a pair gives the same bytes and the same pair after a round trip."""
    text = to_json(paired_model())
    read = from_json(text, where="here")
    assert to_json(read) == text
    assert read.levels[0].pairs.weights == {("repeats", "answer_length"): 2.0}


@pytest.mark.parametrize(
    ("first", "second", "weight"),
    [("repeats", "age", 2.0), ("repeats", "repeats", 2.0), ("repeats", "answer_length", float("nan"))],
)
def test_pairs_stay_within_a_family(first: str, second: str, weight: float) -> None:
    """Evidence of two families is independent, so a file that pairs across them is refused, as is a square."""
    with pytest.raises(ModelError, match="here: is not a model of this version; fit the model again"):
        from_json(to_json(paired_model(first, second, weight)), where="here")


def test_a_pair_without_its_curves_is_refused() -> None:
    """What a pair adds is told with its features, so both need a curve."""
    content = json.loads(to_json(paired_model()))
    del content["sha256"], content["levels"]["0"]["curves"]["repeats"]
    with pytest.raises(ModelError, match="here: is not a model of this version; fit the model again"):
        from_json(sealed(content), where="here")
