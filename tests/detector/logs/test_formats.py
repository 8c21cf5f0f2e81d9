from pathlib import Path

import pytest

from detector.errors import ConfigError, UnknownFormatError
from detector.logs.formats import choose_format, list_formats, load_format
from detector.tables import EVENTS, REQUIRED

MINIMAL = 'name = "mine"\ntitle = "Mine"\n[columns]\noccurred_at = ["t"]\naccount_id = ["a"]\n'


@pytest.mark.parametrize("name", list_formats())
def test_every_preset_is_whole(name: str) -> None:
    """A preset is named after its file, recognises itself, and maps what every log needs or refuses to be one."""
    form = load_format(name)
    assert form.name == name
    assert bool(form.detect) != bool(form.lines)
    assert form.refusal or set(form.columns) >= set(REQUIRED)
    assert form.traps or name == "stillwatch"


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
        ('model = [{ path = "m", value = {} }]', r"unknown key 'columns\.model\.0\.value'; nearest: 'values'"),
        ('[[parts]]\nname = "p"\npath = "x"\nkind = "row"', r"parts\.0\.kind = 'row'.*'rows'"),
        ('[[parts]]\nname = "p"\npath = "x"\nkidn = "rows"', r"unknown key 'parts\.0\.kidn'; nearest: 'kind'"),
        ('[[parts]]\nname = "p"\npath = "x"\nkind = "rows"\nkeys = ["a.#"]', "takes 0 keys, not 1"),
        ('[[parts]]\nname = "p"\npath = "x"\nkind = "messages"\nkeys = ["a", "b.#"]', "needs one #"),
        ('[keep]\npath = "x"\nvalues = []', r"keep\.values = \[\]"),
        ('[[traps]]\nwhen = "w"\nsays = "s"\nif_empty = ["promt"]', r"traps: no canonical column.*nearest: 'prompt'"),
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
        ("lines = '(a)'", "every group needs a name"),
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


def test_the_preset_that_knows_more_wins() -> None:
    """In every file of the log, and the reason is said; failing that, canonical names are expected."""
    less, more = (load_format(name).detect for name in ("langfuse-v2", "langfuse-ui"))
    assert set(less) < set(more)
    form, reason = choose_format("auto", [more, more])
    assert (form.name, reason) == ("langfuse-ui", "the columns " + ", ".join(more) + " are all present")
    assert choose_format("auto", [more, less])[0].name == "langfuse-v2"
    form, reason = choose_format("auto", [["x"]])
    assert (form.name, reason) == (
        "stillwatch",
        "no preset recognised the columns, so canonical names are expected",
    )
    assert choose_format("stillwatch", [less])[1] == "named by --format"


def test_columns_of_two_presets_are_not_guessed() -> None:
    """Neither knows more than the other, so the user says which it is."""
    both = [*load_format("litellm-spend").detect, "occurred_at", "account_id"]
    with pytest.raises(UnknownFormatError, match=r"fit several presets \(litellm-spend, stillwatch\); say which it is"):
        choose_format("auto", [both, both])
    assert choose_format("auto", [both, ["occurred_at", "account_id"]])[0].name == "stillwatch"


def test_no_preset_claims_the_columns_of_another() -> None:
    """The columns by which one is told recognise no other, unless that one is told by fewer of the same."""
    told = {name: set(load_format(name).detect) for name in list_formats() if load_format(name).detect}
    claimed = {(one, other) for one in told for other in told if one != other and told[one] <= told[other]}
    assert claimed == {("langfuse-v2", "langfuse-ui")}
