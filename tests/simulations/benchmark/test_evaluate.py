"""Figures equal what a hand, and the evaluator of the replays, computes; what cannot be shown is refused."""

import json
import runpy
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from rich.console import Console
from sklearn.metrics import average_precision_score, roc_auc_score

from detector.errors import InputUnreadableError, NotScoredError, TruthError, UsageError
from detector.pseudonyms import Pseudonyms
from detector.reports.sheets import write_csv
from detector.tables import SCORED
from simulations.benchmark.evaluate import auc, average_precision, evaluate, judge, threshold_at
from simulations.benchmark.inputs import joined
from simulations.benchmark.sheet import show

REPLAY = Path(__file__).parents[3].parent / "shared" / "replay" / "evaluate_replay.py"


def table_of(rows: list[tuple[str, bool, float | None, bool, str]]) -> pd.DataFrame:
    """One row per account: persona, is_extraction, score, is_flagged, action."""
    table = pd.DataFrame(rows, columns=["persona", "is_extraction", "score", "is_flagged", "action"])
    return table.assign(account_id=[f"a{i}" for i in range(len(rows))])


SMALL = table_of(
    [
        ("hobby_chat", False, 0.0, False, "none"),
        ("hobby_chat", False, 2.0, True, "revoke"),
        ("labelling", False, 1.0, False, "none"),
        ("fleet", True, 3.0, True, "review"),
        ("fleet", True, 1.0, False, "none"),
        ("bulk_harvest", True, None, False, "none"),
    ]
)


def test_hand_checked_figures() -> None:
    """Six accounts, every figure counted by hand."""
    found = judge(SMALL)
    assert (found["n_accounts"], found["n_honest"], found["n_missing"]) == (6, 3, 1)
    assert found["auc_all"] == pytest.approx(4.5 / 9)
    assert found["auc_vs_people"] == pytest.approx(3 / 6)
    assert found["auc_vs_machines"] == pytest.approx(1.5 / 3)
    assert (found["flagged"], found["precision_of_flags"]) == (2, 0.5)
    assert found["flagged_share"] == {"bulk_harvest": 0.0, "fleet": 0.5, "hobby_chat": 0.5, "labelling": 0.0}
    assert found["false_positives_flagged"] == {"hobby_chat": 1}
    assert found["actions"]["fleet/review"] == 1
    wrong = found["wrongful_revocations_per_10000"]
    assert (wrong["hobby_chat"]["share"], wrong["labelling"]["share"]) == (5000.0, 0.0)
    assert set(wrong) == {"hobby_chat", "labelling"}


def test_too_few_honest_accounts_are_refused() -> None:
    """Three honest accounts cannot show a rate of 1e-2, and the reason says how many could."""
    found = judge(SMALL)
    assert set(found["refused"]) == {"fpr_0.0001", "fpr_0.001", "fpr_0.01"}
    assert found["refused"]["fpr_0.01"].endswith("at least 100 are needed")
    assert not [name for name in found if name.startswith("recall_at")]


def test_recall_counts_what_beats_the_honest() -> None:
    """With 101 honest accounts at a rate of 1e-2, one honest account is above the threshold."""
    honest = [("hobby_chat", False, float(score), False, "none") for score in range(101)]
    found = judge(table_of([*honest, ("fleet", True, 99.5, True, "none"), ("fleet", True, 99.0, True, "none")]))
    assert found["recall_at_fpr_0.01"] == {"fleet": 0.5}
    assert found["false_positives_at_fpr_0.01"] == {"hobby_chat": 1}
    interval = found["recall_intervals"]["0.01"]["fleet"]
    assert interval == {"n": 2, "hits": 1, "share": 0.5, "low": 0.012579, "high": 0.987421}


def test_flags_are_counted_with_exact_intervals() -> None:
    """One of four honest accounts is flagged beside two that extract: a share of .25, and a third of the flags."""
    honest = [("hobby_chat", False, float(score), score == 3, "none") for score in range(4)]
    found = judge(table_of([*honest, ("fleet", True, 9.0, True, "none"), ("fleet", True, 8.0, True, "none")]))
    assert found["honest_flagged"] == {"n": 4, "hits": 1, "share": 0.25, "low": 0.006309, "high": 0.805880}
    interval = found["false_discovery_proportion"]
    assert interval == {"n": 3, "hits": 1, "share": 0.333333, "low": 0.008404, "high": 0.905701}


def test_machines_can_be_named() -> None:
    """A persona given as a machine moves from people to machines."""
    assert judge(SMALL, machines=["hobby_chat"])["auc_vs_people"] is None


SCORES = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=60)


@given(SCORES)
def test_ranking_figures_agree_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    """AUC and average precision equal scikit-learn's, ties included."""
    positive = np.array([is_positive for is_positive, _ in rows])
    scores = np.array([float(score) for _, score in rows])
    if positive.all() or not positive.any():
        return
    assert auc(scores[positive], scores[~positive]) == pytest.approx(roc_auc_score(positive, scores))
    assert average_precision(scores, positive) == pytest.approx(average_precision_score(positive, scores))


@given(st.lists(st.integers(-9, 9), min_size=100, max_size=300))
def test_threshold_keeps_the_rate(scores: list[int]) -> None:
    """No more than the stated share of honest accounts is above the threshold, even when scores are equal."""
    honest = np.array(scores, dtype=float)
    assert (honest > threshold_at(honest, 0.01)).mean() <= 0.01


def test_unscored_accounts_rank_last() -> None:
    """Accounts without a score break no figure, even when most have none."""
    rows = [("hobby_chat", False, None, False, "none")] * 150 + [("fleet", True, 1.0, True, "none")]
    found = judge(table_of(rows))
    assert (found["auc_all"], found["average_precision"], found["recall_at_fpr_0.01"]) == (1.0, 1.0, {"fleet": 1.0})


def random_case(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random scores and a truth of 1,500 accounts, with ties and missing accounts."""
    rng = np.random.default_rng(seed)
    ids = [f"acct_{i:04d}" for i in range(1500)]
    persona = rng.choice(
        ["chat", "bulk_work", "relay", "lockstep", "solo_bulk"], size=1500, p=[0.6, 0.2, 0.05, 0.1, 0.05]
    )
    is_extraction = np.isin(persona, ["lockstep", "solo_bulk"])
    truth = pd.DataFrame({"account_id": ids, "persona": persona, "is_extraction": is_extraction})
    score = np.round(rng.normal(size=1500) + 1.5 * is_extraction, 2)
    action = rng.choice(["none", "review", "revoke"], size=1500)
    scored = pd.DataFrame({"account_id": ids, "score": score, "is_flagged": score > 2, "action": action})
    return scored.sample(1450, random_state=seed), truth


@pytest.mark.shared
@pytest.mark.skipif(not REPLAY.exists(), reason="the shared replay material is not beside the checkout")
@pytest.mark.parametrize("seed", range(5))
def test_equals_the_evaluator_of_the_replays(seed: int) -> None:
    """Every figure that the replays' own evaluator gives is given alike."""
    scored, truth = random_case(seed)
    expected = runpy.run_path(str(REPLAY))["judge"](scored, truth)
    found: dict[str, Any] = judge(joined(scored, truth))
    for name, value in expected.items():
        assert found[name] == (pytest.approx(value) if isinstance(value, float) else value), name


def stored(folder: Path) -> tuple[Path, Path]:
    """A scored folder and a truth file."""
    scored, truth = random_case(1)
    (folder / "scored").mkdir()
    scored.to_parquet(folder / "scored" / "accounts.parquet")
    truth.to_parquet(folder / "truth.parquet")
    return folder / "scored", folder / "truth.parquet"


def test_folder_parquet_and_csv_are_judged_alike(tmp_path: Path) -> None:
    """The folder of a run, its Parquet and its CSV file give one result, and the JSON holds it."""
    scored, truth = stored(tmp_path)
    pd.read_parquet(scored / "accounts.parquet").to_csv(tmp_path / "accounts.csv", index=False)
    pd.read_parquet(truth).to_csv(tmp_path / "truth.csv", index=False)
    figures = evaluate(scored, truth, out=tmp_path / "figures.json")
    assert evaluate(scored / "accounts.parquet", truth) == figures
    assert evaluate(tmp_path / "accounts.csv", tmp_path / "truth.csv") == figures
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == figures


def test_strange_names_are_judged_alike(tmp_path: Path) -> None:
    """Names that a CSV reader takes for nothing, or that were made safe for spreadsheets, are still those accounts."""
    names = ["NA", "null", "nan", "=1+1", "a\nb", "\x1b[31m", "'=1", "007", "p\u0430y", "pay"]
    rows = [{"account_id": name, "score": float(place), "is_flagged": place > 5} for place, name in enumerate(names)]
    scored = pa.Table.from_pylist(rows, schema=SCORED)
    truth = pd.DataFrame({"account_id": names, "persona": "NA", "is_extraction": [place > 7 for place in range(10)]})
    write_csv(scored, tmp_path / "accounts.csv")
    parquet.write_table(scored, tmp_path / "accounts.parquet")
    truth.to_csv(tmp_path / "truth.csv", index=False)
    figures = evaluate(tmp_path / "accounts.csv", tmp_path / "truth.csv")
    assert (figures["n_missing"], figures["auc_all"]) == (0, 1.0)
    assert figures == evaluate(tmp_path / "accounts.parquet", tmp_path / "truth.csv")


def test_kinds_of_customer_are_printed_apart(tmp_path: Path) -> None:
    """Names in labels that differ by what is not seen are two lines, and none moves a cursor."""
    names = [f"a{place}" for place in range(2)]
    truth = pd.DataFrame({"account_id": names, "persona": ["x\x1b[2J", "x\u200b[2J"], "is_extraction": [True, False]})
    truth.to_parquet(tmp_path / "truth.parquet")
    scored = truth.assign(score=0.5, is_flagged=True)[["account_id", "score", "is_flagged"]]
    scored.to_parquet(tmp_path / "scored.parquet")
    printed = StringIO()
    show(evaluate(tmp_path / "scored.parquet", tmp_path / "truth.parquet"), Console(file=printed, width=200))
    assert "x\\x1b[2J" in printed.getvalue()
    assert "x\\u200b[2J" in printed.getvalue()
    assert not set("\x1b\u200b") & set(printed.getvalue())


def test_unfit_inputs_are_refused(tmp_path: Path) -> None:
    """Each misfit has its own error, with the file and what to do."""
    scored, truth = stored(tmp_path)
    rows, told = pd.read_parquet(scored / "accounts.parquet"), pd.read_parquet(truth)

    def write(table: pd.DataFrame, name: str) -> Path:
        table.to_parquet(tmp_path / name)
        return tmp_path / name

    (tmp_path / "empty").mkdir()
    with pytest.raises(NotScoredError, match=r"empty: holds no accounts\.parquet; give the --out folder"):
        evaluate(tmp_path / "empty", truth)
    with pytest.raises(NotScoredError, match=r"no_score\.parquet: has no column 'score'"):
        evaluate(write(rows.drop(columns="score"), "no_score.parquet"), truth)
    with pytest.raises(NotScoredError, match="column 'score' does not hold numbers"):
        evaluate(write(rows.assign(score="high"), "text.parquet"), truth)
    with pytest.raises(InputUnreadableError, match="2 accounts are listed twice"):
        evaluate(write(pd.concat([rows, rows[:2]]), "twice.parquet"), truth)
    with pytest.raises(InputUnreadableError, match=r"absent\.parquet: cannot be read"):
        evaluate(tmp_path / "absent.parquet", truth)
    with pytest.raises(TruthError, match=r"has no column 'persona' \(nearest: 'person'\)"):
        evaluate(scored, write(told.rename(columns={"persona": "person"}), "no_persona.parquet"))
    with pytest.raises(TruthError, match="1 accounts are listed twice"):
        evaluate(scored, write(pd.concat([told, told[:1]]), "truth_twice.parquet"))
    with pytest.raises(TruthError, match="'is_extraction' does not hold true and false"):
        evaluate(scored, write(told.assign(is_extraction="maybe"), "maybe.parquet"))
    with pytest.raises(TruthError, match="share no account; give the truth of the log that was scored"):
        evaluate(scored, write(told.assign(account_id=told["account_id"] + "x"), "other.parquet"))
    with pytest.raises(UsageError, match="--machine 'relai': the truth has no such persona; nearest: 'relay'"):
        evaluate(scored, truth, machines=["relai"])
    with pytest.raises(UsageError, match=r"absent/f\.json: no file can be made there"):
        evaluate(scored, truth, out=tmp_path / "absent" / "f.json")


def test_damaged_file_is_unreadable(tmp_path: Path) -> None:
    """A file that is no table is refused by name."""
    scored, _ = stored(tmp_path)
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(InputUnreadableError, match=r"junk\.parquet: cannot be read"):
        evaluate(scored, tmp_path / "junk.parquet")


def test_pseudonyms_join_with_the_key(tmp_path: Path) -> None:
    """Scores under pseudonyms give the same figures as names do, with the key; without it they join with nothing."""
    made = Pseudonyms(bytes(range(32)))
    SMALL.drop(columns=["score", "is_flagged", "action"]).to_parquet(tmp_path / "truth.parquet")
    SMALL.dropna().to_parquet(tmp_path / "names.parquet")
    hidden = SMALL.dropna().assign(account_id=lambda rows: [made.name("account", name) for name in rows.account_id])
    hidden.to_parquet(tmp_path / "hidden.parquet")
    names = evaluate(tmp_path / "names.parquet", tmp_path / "truth.parquet")
    assert names == evaluate(tmp_path / "hidden.parquet", tmp_path / "truth.parquet", pseudonyms=made)
    with pytest.raises(TruthError, match="--pseudonymize"):
        evaluate(tmp_path / "hidden.parquet", tmp_path / "truth.parquet")
