"""A log scored as it grows: looks are what scoring the log so far gives, and leaks are counted up to them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.engines.embedded import EmbeddedEngine
from detector.errors import TruthError, UsageError
from detector.logs.accounts import read_accounts
from detector.pipeline import score
from detector.settings import ScoreSettings, load
from simulations.benchmark.delay import delay, lines, look_daily
from simulations.generate import generate
from tests.simulations.conftest import Scenario

SETTINGS = load(ScoreSettings, {"policy": {"budget": 0.2}}, where="test")


@pytest.fixture(scope="module")
def log(make_scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week of a small world."""
    folder = tmp_path_factory.mktemp("delay") / "log"
    generate(make_scenario(seed=3), folder)
    return folder


def test_look_is_a_score_of_the_log_so_far(log: Path, tmp_path: Path) -> None:
    """What a look flags is what scoring the rows before it flags, account for account."""
    known = read_accounts(log / "accounts.parquet")
    with EmbeddedEngine(SETTINGS.input).open([str(log / "events.parquet")]) as opened:
        names, looks = look_daily(opened, SETTINGS, known=known, window_days=2.0)
    rows = pd.read_parquet(log / "events.parquet")
    look = looks[1]
    so_far = tmp_path / "so_far.parquet"
    rows[rows["occurred_at"] < pd.Timestamp(look.ends_us, unit="us", tz="UTC")].to_parquet(so_far)
    scored = (
        score([str(so_far)], SETTINGS, accounts=log / "accounts.parquet").scored.to_pandas().set_index("account_id")
    )
    assert sorted(scored.index) == sorted(names[: len(look.n_requests)])
    expected = scored.loc[names[: len(look.n_requests)]]
    assert np.array_equal(look.n_requests, expected["n_events"])
    assert np.array_equal(look.is_flagged, expected["is_flagged"])


def test_leaks_grow_with_lateness_and_end_at_the_total(log: Path) -> None:
    """A campaign leaks no more before its first flag than before half are flagged, and never more than all it took."""
    found = delay([str(log / "events.parquet")], log / "truth.parquet", SETTINGS, accounts=log / "accounts.parquet")
    truth = pd.read_parquet(log / "truth.parquet")
    fleet = next(row for name, row in found["campaigns"].items() if name.startswith("fleet"))
    taken = truth.loc[truth["persona"] == "fleet", "n_extraction_events"].sum()
    assert fleet["n_exchanges"] == pytest.approx(taken, abs=1)
    assert 0 < fleet["leaked_before_first_flag"] <= fleet["leaked_before_half"] <= fleet["n_exchanges"]
    assert fleet["leaked_if_stopped"] < fleet["n_exchanges"]
    assert {"hobby_chat", "product_backend", "labelling"} <= set(found["honest"])
    assert found["n_looks"] == 7
    assert [line.split()[0] for line in lines(found)][:2] == ["campaign", "bulk-0000"]


def test_what_is_never_found_is_taken_whole(log: Path) -> None:
    """Without a flag, times are null, everything is taken, and the text says so."""
    blind = load(ScoreSettings, {"policy": {"budget": 1e-3}}, where="test")
    found = delay([str(log / "events.parquet")], log / "truth.parquet", blind, window_days=7.0)
    bulk = next(row for name, row in found["campaigns"].items() if name.startswith("bulk"))
    assert bulk["days_to_first_flag"] is None and bulk["leaked_before_half"] is None
    assert bulk["leaked_if_stopped"] == bulk["n_exchanges"]
    assert "never" in next(line for line in lines(found) if line.startswith("bulk"))


def test_log_out_of_order_or_of_others_is_refused(log: Path, tmp_path: Path) -> None:
    """Looks need rows in order of time, and a truth that names accounts of the log."""
    rows = pd.read_parquet(log / "events.parquet")
    rows.iloc[::-1].to_parquet(tmp_path / "reversed.parquet")
    with pytest.raises(UsageError, match="sorted by time"):
        delay([str(tmp_path / "reversed.parquet")], log / "truth.parquet", SETTINGS)
    truth = pd.read_parquet(log / "truth.parquet")
    truth.assign(account_id=[f"other{n}" for n in range(len(truth))]).to_parquet(tmp_path / "truth.parquet")
    with pytest.raises(TruthError, match="names no account of the log"):
        delay([str(log / "events.parquet")], tmp_path / "truth.parquet", SETTINGS)
