from pathlib import Path

import pytest

from detector.errors import ConfigError, UnknownFormatError
from detector.logs.formats import choose_format, list_formats, load_format
from detector.tables import EVENTS, REQUIRED

MINIMAL = 'name = "mine"\ntitle = "Mine"\n[columns]\noccurred_at = ["t"]\naccount_id = ["a"]\n'


@pytest.mark.parametrize("name", list_formats())
def test_every_preset_is_whole(name: str) -> None:
    """A preset is named after its file, recognises itself and maps what every log needs."""
    form = load_format(name)
    assert form.name == name
    assert form.detect
    assert set(form.columns) >= set(REQUIRED)


def test_the_default_preset_maps_each_canonical_column_to_itself() -> None:
    """It lists all columns, each as it is called."""
    columns = load_format("stillwatch").columns
    assert {name: places[0].path for name, places in columns.items()} == {name: [name] for name in EVENTS.names}


def test_a_user_writes_a_preset_without_code(tmp_path: Path) -> None:
    """A TOML file is a preset; a candidate is a name, or a table with a reader."""
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL + 'prompt = ["p", { path = "body.messages", reader = "last_user_message" }]\n')
    form = load_format(str(path))
    assert [(place.path, place.reader) for place in form.columns["prompt"]] == [
        (["p"], None),
        (["body.messages"], "last_user_message"),
    ]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('prompts = ["p"]', r"no canonical column is called 'prompts'; nearest: 'prompt'"),
        ('prompt = [{ path = "p", reader = "last_message" }]', r"no reader has the name 'last_message'; nearest"),
        ('prompt = [{ path = "p", sql = "1" }]', r"unknown key 'columns\.prompt\.0\.sql'"),
        ('latency_ms = [{ path = ["a"], reader = "elapsed_ms" }]', r"takes 2 path\(s\), not 1"),
    ],
)
def test_a_wrong_preset_says_what_is_wrong(extra: str, message: str, tmp_path: Path) -> None:
    """No SQL, no unknown column, no unknown reader."""
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL + extra + "\n")
    with pytest.raises(ConfigError, match=message):
        load_format(str(path))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('timezone = "Mars"', "no time zone has the name 'Mars'"),
        ('truncation = "("', "is not a pattern"),
        ('delimiter = "ab"', "delimiter = 'ab'"),
        ("sampling_rate = 0", "sampling_rate = 0"),
        ("detct = []", "unknown key 'detct'; nearest: 'detect'"),
    ],
)
def test_wrong_keys_of_a_preset_are_refused(key: str, message: str, tmp_path: Path) -> None:
    """A value out of range is an error, never a guess."""
    path = tmp_path / "mine.toml"
    path.write_text(key + "\n" + MINIMAL)
    with pytest.raises(ConfigError, match=message):
        load_format(str(path))


def test_an_unknown_preset_names_the_nearest() -> None:
    """And says that a file would do."""
    with pytest.raises(UnknownFormatError, match=r"'litelm-spend'.*nearest: 'litellm-spend'.*\.toml file"):
        load_format("litelm-spend")


def test_the_preset_with_most_columns_present_wins() -> None:
    """In every file of the log, and the reason is said; failing that, canonical names are expected."""
    spend = load_format("litellm-spend").detect
    both = [*spend, "occurred_at", "account_id"]
    form, reason = choose_format("auto", [both, both])
    assert (form.name, reason) == ("litellm-spend", "the columns " + ", ".join(spend) + " are all present")
    assert choose_format("auto", [both, ["occurred_at", "account_id"]])[0].name == "stillwatch"
    form, reason = choose_format("auto", [["x"]])
    assert (form.name, reason) == (
        "stillwatch",
        "no preset recognised the columns, so canonical names are expected",
    )
    assert choose_format("stillwatch", [spend])[1] == "named by --format"
