"""Several files of what is known of accounts: each is joined, and a join that fails is said."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from detector.errors import AmbiguousColumnError, MissingColumnError, StillwatchError, WrongTypeError
from detector.logs.enrichment import enrich, read_enrichments
from detector.pipeline import score
from detector.profiles.store import Profiles
from detector.reports.conditions import unmatched
from detector.settings import ScoreSettings, load
from tests.detector.features.small_logs import draw_log, folded, write_log

SETTINGS = load(ScoreSettings, {"input": {"threads": 1}}, where="test")
KEYS = (
    "token,key_alias,user_id,team_id,organization_id,max_budget,created_at\n"
    "k1,prod,ann,t1,o1,,2026-01-05 10:00:00.5\n"
    "k2,test,ann,t1,o1,,2026-01-03 10:00:00\n"
    "k3,,bob,,,5,\n"
    "k4,,,t2,o2,,2026-02-01 00:00:00\n"
)


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def log_of(*accounts: str) -> Profiles:
    """Fold a request of each account."""
    frame = draw_log().head(len(accounts)).assign(account_id=list(accounts))
    return folded(frame)


def signed_up(profiles: Profiles) -> dict[str, str]:
    """Give the sign-up day of the accounts that have one."""
    state = profiles.trimmed()["membership"]
    days = zip(profiles.account_ids, state.n_signed_up, state.sign_up_sum, strict=True)
    return {name: str(pd.Timestamp(0) + pd.Timedelta(days=day))[:10] for name, n, day in days if n}


def rows_of(path: Path, *account_by: str) -> list[dict[str, object]]:
    """Read one file."""
    table: pa.Table = read_enrichments([path], account_by)[0].accounts
    return table.to_pylist()


def test_keys_of_litellm_are_its_accounts(tmp_path: Path) -> None:
    """A user is as old as the first key; a key without a user is the team's, as in the spend log; times are UTC."""
    found = {row["account_id"]: row for row in rows_of(written(tmp_path, "keys.csv", KEYS))}
    assert set(found) == {"ann", "bob", "t2"}
    assert (found["ann"]["created_at"], found["ann"]["org_id"]) == (pd.Timestamp("2026-01-03T10:00:00Z"), "o1")
    assert (found["bob"]["created_at"], found["bob"]["org_id"]) == (None, None)
    assert read_enrichments([tmp_path / "keys.csv"])[0].kind == "LiteLLM keys"


def test_names_are_put_together_as_in_the_log(tmp_path: Path) -> None:
    """With --account-by the same kinds in the same order, and stand-ins marked alike."""
    path = written(tmp_path, "keys.csv", KEYS)
    assert {row["account_id"] for row in rows_of(path, "key")} == {"k1", "k2", "k3", "k4"}
    assert {row["account_id"] for row in rows_of(path, "team", "user")} == {"t1", "user:bob", "t2"}
    with pytest.raises(MissingColumnError, match="for an account by payment"):
        rows_of(path, "payment")


def test_files_add_up(tmp_path: Path) -> None:
    """The earliest sign-up of any file counts, payments of one and organisations of another are both known."""
    files = [
        written(tmp_path, "a.csv", "account_id,created_at,payment_id\nann,2026-01-04T00:00:00Z,p1\nbob,,p1\n"),
        written(tmp_path, "keys.csv", KEYS),
        written(tmp_path, "b.csv", "account_id,created_at\nbob,2025-12-24T00:00:00Z\nzoe,2025-01-01T00:00:00Z\n"),
    ]
    for order in (files, files[::-1]):
        profiles = log_of("ann", "bob", "eve")
        told = {Path(str(one["file"])).name: one for one in enrich(profiles, read_enrichments(order))}
        assert signed_up(profiles) == {"ann": "2026-01-03", "bob": "2025-12-24"}
        assert set(profiles.names["org_id"].values()) == {"o1"}
        assert "p1" in profiles.names["payment_id"].values()
        assert {name: (one["n_known"], one["n_accounts"]) for name, one in told.items()} == {
            "a.csv": (2, 2),
            "keys.csv": (2, 3),
            "b.csv": (1, 2),
        }


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("account_id,creatd_at\na,x\n", MissingColumnError, "column 'creatd_at' is not known; nearest: 'created_at'"),
        ("account_id,createdAt\na,x\n", MissingColumnError, "nearest: 'created_at'"),
        ("acount_id,created_at\na,\n", MissingColumnError, "no column 'account_id'; nearest: 'acount_id'"),
        ("account_id,note\na,x\n", MissingColumnError, "says nothing of accounts but their names"),
        ("account_id,org_id\na,x\na,y\na,z\n", AmbiguousColumnError, r"stands in two rows.*\(2 too many\)"),
        (KEYS.replace("2026-01-03 10:00:00", "soon"), WrongTypeError, "no ISO 8601 time"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, text: str, error: type[StillwatchError], says: str) -> None:
    """A slip in a column's name, names alone, an account twice, a date that is none: told, with what is nearest."""
    with pytest.raises(error, match=says) as refusal:
        read_enrichments([written(tmp_path, "file.csv", text)])
    assert "soon" not in str(refusal.value)


def test_a_file_that_knows_nobody_is_said(tmp_path: Path) -> None:
    """A file joined by the wrong name is warned of by its name; one that knows everybody is not; both are on record."""
    log = write_log(draw_log(), tmp_path / "log.csv")
    good = written(tmp_path, "good.csv", "account_id,org_id\n" + "".join(f"acc{i:03d},o\n" for i in range(38)))
    wrong = written(tmp_path, "wrong.csv", "account_id,org_id\n" + "".join(f"{i},o\n" for i in range(38)))
    run = score([str(log)], SETTINGS, accounts=[good, wrong]).run
    assert [(one["n_known"], one["columns"]) for one in run["accounts"]] == [(38, ["org_id"]), (0, ["org_id"])]
    warnings = unmatched(run)
    assert len(warnings) == 1
    assert "wrong.csv knows none of the 38 accounts of this log" in warnings[0]
