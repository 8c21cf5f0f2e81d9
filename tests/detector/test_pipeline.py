"""From a log to the tables of a run: the same log in any form gives the same tables, and no text leaves it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector import reading
from detector.engines.embedded import Log
from detector.features.catalogue import FEATURES
from detector.pipeline import score
from detector.profiles.store import Profiles
from detector.reading import fold_log
from detector.reports.publish import write_results
from detector.results import Results
from detector.settings import ScoreSettings, load
from detector.tables import CLUSTERS, EVIDENCE, LINKS, SCORED, TIMELINE
from tests.detector.features.small_logs import draw_accounts, draw_log, write_log

FLEET = {f"acc{i:03d}" for i in range(30, 38)}
CANARY = "canaryxq"


def settings(**sections: dict[str, object]) -> ScoreSettings:
    """Make settings that read with one thread."""
    return load(ScoreSettings, {"input": {"threads": 1}, **sections}, where="test")


def by_account(results: Results) -> pd.DataFrame:
    """Give the scored table in order of account."""
    return results.scored.to_pandas().sort_values("account_id", ignore_index=True)


def assert_same_run(one: Results, other: Results) -> None:
    """Compare all tables; floats to 1e-9, because sums may run in another order."""
    pd.testing.assert_frame_equal(by_account(one), by_account(other), rtol=1e-9)
    keys = ["account_id", "feature"]
    pieces = [r.evidence.to_pandas().sort_values(keys, ignore_index=True) for r in (one, other)]
    pd.testing.assert_frame_equal(*pieces, rtol=1e-9, atol=1e-12)
    assert one.links == other.links
    clusters = [r.clusters.to_pandas().sort_values("cluster_id", ignore_index=True) for r in (one, other)]
    pd.testing.assert_frame_equal(*clusters, rtol=1e-9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same log as CSV, JSON lines and Parquet, and its accounts."""
    place = tmp_path_factory.mktemp("logs")
    for suffix in ("csv", "jsonl", "parquet"):
        write_log(draw_log(), place / f"log.{suffix}")
    draw_accounts(draw_log()).to_csv(place / "accounts.csv", index=False)
    return place


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    """The log, scored with everything there is."""
    return score([str(folder / "log.parquet")], settings(), accounts=folder / "accounts.csv")


def test_tables_keep_their_contracts(results: Results) -> None:
    """Every table has the columns that the next stage expects."""
    assert results.scored.schema == SCORED
    assert results.clusters.schema == CLUSTERS
    assert results.evidence.schema == EVIDENCE
    assert results.links.schema == LINKS
    assert results.timeline.schema == TIMELINE


def test_the_fleet_is_on_top(results: Results) -> None:
    """Those who harvest over shared cards score above all people."""
    top = results.scored.to_pandas().account_id[:8]
    assert set(top) == FLEET


def test_a_detector_gets_the_statistic_it_brings(folder: Path) -> None:
    """A published statistic is folded, shown with its value and its meaning, and counts as the only evidence."""
    budget = {"budget": 0.5}
    scored = score([str(folder / "log.parquet")], settings(detector={"name": "coverage"}, policy=budget))
    pieces = scored.evidence.to_pandas().query("feature == 'cells_reached'")
    assert pieces.meaning.str.startswith("cells of the space of prompts").all()
    assert pieces.value.notna().any() and set(pieces.family) == {"content"}
    assert scored.scored["score"].to_pandas().nunique() > 1


def test_what_a_detector_misses_is_said(folder: Path) -> None:
    """Without text a detector of prompts leaves everybody at 0, flags nobody, and the run says what was off and why."""
    detector, policy = {"name": "prada"}, {"budget": 0.5}
    blind = score([str(folder / "log.parquet")], settings(detector=detector, policy=policy, input={"text": False}))
    assert not blind.scored["score"].to_pandas().any()
    assert not blind.scored["is_flagged"].to_pandas().any()
    what = "nearest_abnormality, which the detector asks for"
    assert {"what": what, "why": "the log has no prompt"} in blind.run["off"]


def test_the_default_folds_no_optional_slice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a baseline reads costs the default scoring nothing; a baseline's own slice is kept."""
    asked = []

    def fold(log: Log, *, wanted: tuple[str, ...], **others: Any) -> Profiles:
        asked.append(wanted)
        return fold_log(log, wanted=wanted, **others)

    monkeypatch.setattr(reading, "fold_log", fold)
    for name in ("combined", "rules", "seat"):
        score([str(folder / "log.parquet")], settings(detector={"name": name}, policy={"budget": 0.5}))
    assert asked == [(), (), ("queries",)]


def test_accounts_under_contract_are_shown_and_left_alone(folder: Path, tmp_path: Path) -> None:
    """A file of accounts changes what is recommended for them and nothing else; those not in the log do no harm."""
    log, generous = [str(folder / "log.parquet")], settings(policy={"budget": 0.5})
    plain = score(log, generous, accounts=folder / "accounts.csv")
    first = plain.scored["account_id"][0].as_py()
    (tmp_path / "allow.csv").write_text(f"account_id\n{first}\nacct_elsewhere\n", encoding="utf-8")
    allowed = score(log, generous, accounts=folder / "accounts.csv", allow=tmp_path / "allow.csv")
    assert allowed.run["counts"]["n_allowed"] == 1
    assert (plain.scored["action"][0].as_py(), allowed.scored["action"][0].as_py()) == ("throttle", "none")
    assert allowed.scored.drop_columns("action") == plain.scored.drop_columns("action")
    assert allowed.scored["action"][1:] == plain.scored["action"][1:]


def test_evidence_is_the_score(results: Results) -> None:
    """As written in the tables: prior and contributions of an account sum to its score."""
    summed = results.evidence.to_pandas().groupby("account_id").contribution.sum()
    scored = results.scored.to_pandas().set_index("account_id").score
    pd.testing.assert_series_equal(summed, scored.sort_index(), check_names=False, rtol=1e-12)


def test_ranks_and_flags_follow_the_score(results: Results) -> None:
    """Ranks are 1 to n by falling score; flagged is from the threshold on; p-values rise down the list."""
    rows = results.scored.to_pandas()
    assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
    assert rows.score.is_monotonic_decreasing
    assert rows.p_value.is_monotonic_increasing
    assert rows.is_flagged.tolist() == (rows.score >= results.run["threshold"]).tolist()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_kind_of_file_does_not_matter(folder: Path, results: Results, suffix: str) -> None:
    """CSV, JSON lines and Parquet of one log give the same tables."""
    other = score([str(folder / f"log.{suffix}")], settings(), accounts=folder / "accounts.csv")
    assert_same_run(results, other)


@pytest.mark.parametrize("seed", [1, 2])
def test_row_order_does_not_matter(folder: Path, results: Results, tmp_path: Path, seed: int) -> None:
    """A shuffled file gives the same scores, evidence, links and cluster names."""
    mixed = draw_log().sample(frac=1, random_state=seed, ignore_index=True)
    path = write_log(mixed, tmp_path / "mixed.csv")
    assert_same_run(results, score([str(path)], settings(), accounts=folder / "accounts.csv"))


def test_files_can_be_split(folder: Path, results: Results, tmp_path: Path) -> None:
    """A log in two files, cut anywhere, is the log."""
    log = draw_log()
    write_log(log[:500], tmp_path / "1.csv")
    write_log(log[500:], tmp_path / "2.csv")
    other = score([str(tmp_path / "*.csv")], settings(), accounts=folder / "accounts.csv")
    assert_same_run(results, other)
    assert [f["file"].endswith(name) for f, name in zip(other.run["inputs"], ("1.csv", "2.csv"), strict=True)]


def test_an_empty_count_column_changes_nothing(folder: Path, results: Results, tmp_path: Path) -> None:
    """A column `n_requests` without a value means what its absence means: a row is a request."""
    log = draw_log().assign(n_requests=pd.array([None] * len(draw_log()), dtype="Int64"))
    path = write_log(log, tmp_path / "log.parquet")
    assert_same_run(results, score([str(path)], settings(), accounts=folder / "accounts.csv"))


@pytest.mark.parametrize(("people", "fleet"), [(60, 0), (0, 40)])
def test_the_reference_cannot_be_poisoned(folder: Path, results: Results, people: int, fleet: int) -> None:
    """Any number of added accounts, tame or wild, changes no lone account's score, p-value, e-value, flag or action."""
    added = draw_log(9, people=people, fleet=fleet)
    other = "new-" + added.account_id
    added = added.assign(
        account_id=other, payment_id="new-" + added.payment_id, ip=added.ip.str.replace(r"^\d+", "100", regex=True)
    )
    added["prompt"] = added.prompt.str.replace(" ", " x ")
    path = write_log(pd.concat([draw_log(), added], ignore_index=True), folder / f"poisoned{people}.parquet")
    both = score([str(path)], settings(), accounts=folder / "accounts.csv").scored.to_pandas().set_index("account_id")
    alone = results.scored.to_pandas().set_index("account_id")
    alone = alone[alone.cluster_id.isna()]
    assert len(alone) >= 25 and both.cluster_id[alone.index].isna().all()
    kept = ["score", "p_value", "e_value", "is_flagged", "action"]
    pd.testing.assert_frame_equal(both.loc[alone.index, kept], alone[kept], rtol=1e-9)


def off(results: Results) -> dict[str, str]:
    """Give what was off by family."""
    return {entry["what"].split()[1]: entry["why"] for entry in results.run["off"]}


@pytest.mark.parametrize(
    ("dropped", "level", "family", "column"),
    [
        (["prompt"], 2, "content", "prompt"),
        (["prompt", "ip", "user_agent", "payment_id"], 1, "network", "ip"),
    ],
)
def test_missing_columns_lower_the_level(
    tmp_path: Path, dropped: list[str], level: int, family: str, column: str
) -> None:
    """Without text the level is 2, without identity 1; the run says which family is off and for want of what."""
    path = write_log(draw_log().drop(columns=dropped), tmp_path / "log.csv")
    run = score([str(path)], settings())
    assert run.run["evidence_level"] == level
    assert column in off(run)[family]
    lacking = {name for name, feature in FEATURES.items() if set(feature.needs) & set(dropped)}
    assert not lacking & set(run.evidence["feature"].to_pylist())


def test_counts_per_hour_can_be_scored(tmp_path: Path) -> None:
    """Hourly counts are level 0: every request is counted, nobody is revoked, only level-0 features speak."""
    log = draw_log()
    hourly = (
        log.assign(occurred_at=log.occurred_at.dt.floor("h"), n_requests=1)
        .groupby(["occurred_at", "account_id"], as_index=False)[["n_requests", "input_tokens", "output_tokens"]]
        .sum()
    )
    run = score([str(write_log(hourly, tmp_path / "hourly.csv"))], settings())
    assert run.run["evidence_level"] == 0
    assert sum(run.scored["n_events"].to_pylist()) == len(log)
    assert "revoke" not in run.scored["action"].to_pylist()
    assert {FEATURES[f].level for f in run.evidence["feature"].to_pylist() if f != "prior"} == {0}


def test_text_can_be_left_unread(folder: Path, results: Results) -> None:
    """`text = false` gives what a log without prompts gives."""
    path = str(folder / "log.csv")
    unread = score([path], settings(input={"threads": 1, "text": False}))
    assert unread.run["evidence_level"] == 2
    assert "prompt_length" not in unread.evidence["feature"].to_pylist()
    assert results.run["evidence_level"] == 3


def damaged(folder: Path, tmp_path: Path) -> Path:
    """The log as CSV with one row whose instant is none."""
    lines = (folder / "log.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    broken = ",".join([CANARY, *cells[1:]])
    (tmp_path / "damaged.csv").write_text("\n".join([*lines, broken]) + "\n", encoding="utf-8")
    return tmp_path / "damaged.csv"


def lenient() -> ScoreSettings:
    """Settings under which the fleet would be revoked."""
    return settings(
        policy={"revoke_odds": -50.0, "family_support": 0.01, "hiding_support": 0.0, "revoke_events": 1, "budget": 0.2}
    )


def test_rejected_rows_revoke_nobody(folder: Path, tmp_path: Path) -> None:
    """One malformed row is counted and listed, and takes revocation off the table."""
    whole = score([str(folder / "log.csv")], lenient(), accounts=folder / "accounts.csv")
    assert "revoke" in whole.scored["action"].to_pylist()
    broken = score([str(damaged(folder, tmp_path))], lenient(), accounts=folder / "accounts.csv")
    assert "revoke" not in broken.scored["action"].to_pylist()
    assert broken.run["counts"]["n_rejected"] == broken.rejected.num_rows == 1
    assert broken.scored["score"].to_pylist() == pytest.approx(whole.scored["score"].to_pylist())


@pytest.mark.parametrize(("n_bad", "action"), [(1, "revoke"), (60, "throttle")])
def test_rows_with_bad_values_block_no_revocation_while_they_are_few(
    folder: Path, tmp_path: Path, n_bad: int, action: str
) -> None:
    """Where records have edges a bad value says nothing of others, so nobody can block revocations with one."""
    rows = draw_log()
    bad = rows.head(1).assign(account_id="a\0b")
    write_log(pd.concat([rows, *[bad] * n_bad], ignore_index=True), tmp_path / "log.parquet")
    given = lenient().model_copy(update={"input": lenient().input.model_copy(update={"max_rejects": 0.5})})
    found = score([str(tmp_path / "log.parquet")], given, accounts=folder / "accounts.csv")
    assert (found.run["counts"]["n_rejected"], found.run["counts"]["n_doubtful"]) == (n_bad, 0)
    assert action in found.scored["action"].to_pylist()
    assert ("revoke" in found.scored["action"].to_pylist()) == (action == "revoke")


def test_counts_add_up(folder: Path, tmp_path: Path) -> None:
    """Rows are read or rejected, requests belong to accounts, flags and clusters are those of the tables."""
    run = score([str(damaged(folder, tmp_path))], lenient(), accounts=folder / "accounts.csv")
    counts = run.run["counts"]
    assert counts["n_rows"] == counts["n_read"] + counts["n_rejected"] == len(draw_log()) + 1
    assert sum(run.scored["n_events"].to_pylist()) == counts["n_read"]
    assert counts["n_accounts"] == run.scored.num_rows == 38
    assert counts["n_clusters"] == run.clusters.num_rows > 0
    assert counts["n_flagged"] == sum(run.scored["is_flagged"].to_pylist()) > 0
    assert json.loads(json.dumps(run.run)) == run.run


def test_the_settings_digest_is_of_the_settings(folder: Path, results: Results) -> None:
    """Two runs with the same settings have one digest, whatever the log; another budget has another."""
    path = str(folder / "log.csv")
    assert score([path], settings()).run["settings_digest"] == results.run["settings_digest"]
    other = score([path], settings(policy={"budget": 0.01}))
    assert other.run["settings_digest"] != results.run["settings_digest"]


def test_linkage_off_scores_accounts_alone(folder: Path) -> None:
    """Without linkage there are links to look at, but no cluster."""
    run = score([str(folder / "log.csv")], settings(linkage={"enabled": False}))
    assert run.clusters.num_rows == 0
    assert set(run.scored["cluster_id"].to_pylist()) == {None}
    assert set(run.evidence["subject"].to_pylist()) == {"account"}


@pytest.mark.parametrize("name", ["rules", "isolation_forest", "pyod:ecod"])
def test_other_detectors_run(folder: Path, name: str) -> None:
    """Rules and PyOD models go the same way; what cannot be told apart by family revokes nobody."""
    run = score([str(folder / "log.csv")], settings(detector={"name": name}, policy={"budget": 0.1}))
    assert run.run["model"]["name"] in (name, "pyod:iforest")
    assert np.isfinite(run.scored["score"].to_pylist()).all()
    assert name == "rules" or "revoke" not in run.scored["action"].to_pylist()


def texts_of(path: Path) -> list[str]:
    """Give everything that a file says: its raw bytes, and the cells of a Parquet file."""
    raw = path.read_bytes().decode("latin-1")
    if path.suffix != ".parquet":
        return [raw]
    table = pq.read_table(path)
    return [raw, str(table.schema.metadata), *(str(table.column(name).to_pylist()) for name in table.column_names)]


def test_no_text_of_a_prompt_is_written(tmp_path: Path, folder: Path) -> None:
    """Canaries in prompts, system prompts, completions and a malformed row are in no file of the output."""
    log = draw_log()
    shared = f"You are {CANARY} always brief"
    log = log.assign(
        system_prompt=shared,
        prompt=np.where(log.account_id.isin(FLEET), f"{CANARY} tell me {CANARY}", CANARY.upper() + " " + log.prompt),
        completion=f"{CANARY} answer",
    )
    write_log(log, folder / "log_canary.csv")
    lines = (folder / "log_canary.csv").read_text(encoding="utf-8").splitlines()
    bad = f"{CANARY},acc000" + "," * (lines[0].count(",") - 1)
    path = tmp_path / "canary.csv"
    path.write_text("\n".join([*lines, bad]) + "\n", encoding="utf-8")
    run = score([str(path)], lenient(), accounts=folder / "accounts.csv")
    assert {"system_prompt", "template"} <= set(run.links["kind"].to_pylist())
    assert run.rejected.num_rows == 1
    out = tmp_path / "out"
    write_results(run, out, report_accounts=40)
    files = [file for file in out.rglob("*") if file.is_file()]
    assert len(files) >= 9
    assert any("acc030" in text for file in files for text in texts_of(file))
    for file in files:
        assert not any(CANARY in text.lower() for text in texts_of(file)), file.name


def test_tables_are_what_arrow_says(results: Results, tmp_path: Path) -> None:
    """Written and read back, the scored accounts are the scored accounts."""
    write_results(results, tmp_path / "out", report_accounts=5)
    assert pq.read_table(tmp_path / "out" / "accounts.parquet").equals(results.scored)
    assert isinstance(results.scored, pa.Table)
