"""What an account is can be chosen: key, user, team, organisation or payment, the next where one is empty."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.engines.embedded import EmbeddedEngine
from detector.errors import ConfigError, MissingColumnError
from detector.logs.formats import list_formats, load_format
from detector.logs.identity import COLUMN_OF, account_sql
from detector.logs.sheets import show_text
from detector.settings import RUNGS, InputSettings, load
from tests.detector.engines.preset_logs import CASES
from tests.detector.leaks import csv_text, jsonl_text, write_parquet

AT = "2026-03-02T00:00:00Z"
#: LiteLLM's columns: who sent four requests.
ROWS = [
    {"api_key": "k1", "user": "ann", "team_id": "t1", "organization_id": "o1"},
    {"api_key": "k2", "user": "bob", "team_id": "", "organization_id": "o1"},
    {"api_key": "k3", "user": "", "team_id": "", "organization_id": "o2"},
    {"api_key": "k1", "user": "ann", "team_id": "ann", "organization_id": None},
]
SPENT = [
    {"request_id": f"r{i}", "call_type": "c", "spend": 1, "startTime": AT, "endTime": AT, **row}
    for i, row in enumerate(ROWS)
]


def written(folder: Path, kind: str) -> Path:
    """Write the requests."""
    path = folder / f"log.{kind}"
    if kind == "parquet":
        return write_parquet(SPENT, path)
    path.write_text(csv_text(SPENT) if kind == "csv" else jsonl_text(SPENT), encoding="utf-8")
    return path


def read(path: Path, **settings: object) -> tuple[list[str], list[dict[str, object]]]:
    """Give the accounts of a log, row by row, and what was counted."""
    with EmbeddedEngine(load(InputSettings, {"threads": 1, **settings}, where="test")).open([str(path)]) as log:
        names = [name for batch in log.batches(["account_id"]) for name in batch.column(0).to_pylist()]
        return names, log.identity()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("asked", "names", "n_rows"),
    [
        (["key"], ["k1", "k2", "k3", "k1"], [4]),
        (["organisation", "key"], ["o1", "o1", "o2", "key:k1"], [3, 1]),
        (["team", "user", "key"], ["t1", "user:bob", "key:k3", "ann"], [2, 1, 1]),
        (["user", "team", "organisation"], ["ann", "bob", "organisation:o2", "ann"], [3, 0, 1]),
    ],
)
def test_the_first_that_is_not_empty_names_the_account(
    tmp_path: Path, kind: str, asked: list[str], names: list[str], n_rows: list[int]
) -> None:
    """In each kind of file, and what stood in for what is counted; a stand-in says of what kind it is."""
    found, counted = read(written(tmp_path, kind), account_by=asked)
    assert found == names
    assert [(one["by"], one["n_rows"]) for one in counted] == list(zip(asked, n_rows, strict=True))


def test_without_being_asked_the_preset_decides(tmp_path: Path) -> None:
    """Nothing is counted, and the owner of the key comes first."""
    assert read(written(tmp_path, "csv")) == (["ann", "bob", "k3", "ann"], [])


def test_a_row_without_any_is_rejected_as_before(tmp_path: Path) -> None:
    """An account is never made up: of four requests two have no team."""
    path = written(tmp_path, "csv")
    settings = load(InputSettings, {"threads": 1, "account_by": ["team"], "max_rejects": 1.0}, where="test")
    with EmbeddedEngine(settings).open([str(path)]) as log:
        assert sum(batch.num_rows for batch in log.batches()) == 2
        assert [row["reason"].split(";")[0] for row in log.rejected().to_pylist()] == ["account_id is missing"] * 2
        assert log.identity()[0]["n_rows"] == 2


def test_what_a_file_lacks_is_passed_over_and_said(tmp_path: Path) -> None:
    """LiteLLM knows no payment; the key stands in, and the record says that there is no such column."""
    names, counted = read(written(tmp_path, "csv"), account_by=["payment", "key"])
    assert names == ["k1", "k2", "k3", "k1"]
    assert counted == [
        {"by": "payment", "columns": [], "n_rows": 0},
        {"by": "key", "columns": ["api_key"], "n_rows": 4},
    ]


def test_a_log_with_none_is_refused_and_says_how_to_name_one(tmp_path: Path) -> None:
    """The nearest columns are told, and the option that names one; a wrong name for one is refused too."""
    path = tmp_path / "log.csv"
    path.write_text(f"occurred_at,account_id,teem,x\n{AT},a,t,1\n{AT},b,,2\n")
    with pytest.raises(MissingColumnError, match=r"by team .*nearest: 'teem'; say which with --map team=<column>"):
        read(path, account_by=["team"])
    with pytest.raises(MissingColumnError, match=r"looked for 'tim'.*--map team=<column>"):
        read(path, account_by=["team", "user"], map={"team": "tim"})
    assert read(path, account_by=["team", "user"], map={"team": "teem"})[0] == ["t", "user:b"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"account_by": ["teem"]}, "'team'"),
        ({"account_by": ["team", "team"]}, "twice"),
        ({"account_by": ["team"], "map": {"account_id": "x"}}, "both say"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, object], says: str) -> None:
    """An unknown kind, one named twice, and two ways to say what an account is."""
    with pytest.raises(ConfigError, match=says):
        load(InputSettings, settings, where="test")


ids = st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["user:a", "team:a", "key:", "a", "team:user:a"]))


@given(st.lists(st.tuples(ids, ids, ids), min_size=2, max_size=2))
def test_nobody_becomes_another_by_his_name(pair: list[tuple[str | None, ...]]) -> None:
    """Two rows are one account only if the same kind named both, with the same name, whatever names look like."""
    sql = account_sql({"team": "t", "user": "u", "key": "k"})
    with duckdb.connect() as session:
        names = [session.execute(f"SELECT {sql} FROM (SELECT ? AS t, ? AS u, ? AS k)", row).fetchone() for row in pair]
    meant = [next(((kind, n) for kind, n in enumerate(row) if n is not None), None) for row in pair]
    assert (names[0] == names[1]) == (meant[0] == meant[1])


@pytest.mark.parametrize("name", [name for name in list_formats() if load_format(name).refusal is None])
def test_every_preset_can_be_asked(tmp_path: Path, name: str) -> None:
    """In the log that each preset is tested on, each kind comes first in turn, and every row has a name."""
    form, case = load_format(name), CASES.get(name)
    assert show_text(name).count("account by ") >= 1
    if case is None:
        return
    path = tmp_path / case.file
    path.write_text(case.text, encoding="utf-8")
    for rung in RUNGS:
        names, counted = read(path, account_by=[rung, *(other for other in RUNGS if other != rung)], max_rejects=1.0)
        has_place = rung in form.identity or COLUMN_OF.get(rung, "") in form.columns
        assert len(names) == sum(one["n_rows"] for one in counted) > 0
        assert has_place or not counted[0]["columns"]
