"""Labelled logs to a model: the command makes a file that scores, and labels are read as they stand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.detectors.modelfile import load_model
from detector.engines.embedded import EmbeddedEngine
from detector.errors import (
    EmptyInputError,
    OutputNotEmptyError,
    StillwatchError,
    TruthError,
    UsageError,
)
from detector.pipeline import score
from detector.reading import fold_log
from detector.settings import ScoreSettings, load
from detector.training import Source, fit_logs, sources_of
from detector.windows import lengths_of
from tests.detector.features.small_logs import draw_accounts, draw_log, draw_truth, write_log

SETTINGS = load(ScoreSettings, {"input": {"threads": 1}}, where="test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two labelled logs."""
    place = tmp_path_factory.mktemp("labelled")
    for seed in (1, 2):
        log = draw_log(seed)
        write_log(log, place / f"log{seed}.csv")
        draw_truth(log).to_csv(place / f"truth{seed}.csv", index=False)
        draw_truth(log).to_parquet(place / f"truth{seed}.parquet", index=False)
        draw_accounts(log).to_csv(place / f"accounts{seed}.csv", index=False)
    return place


def fit(folder: Path, out: Path, **changes: object) -> str:
    """Fit on both logs."""
    given = {
        "logs": [str(folder / "log1.csv"), str(folder / "log2.csv")],
        "truths": [folder / "truth1.csv", folder / "truth2.parquet"],
        "accounts": [folder / "accounts1.csv", folder / "accounts2.csv"],
    } | changes
    return fit_logs(sources_of(**given), SETTINGS, out)  # type: ignore[arg-type]


def test_a_fitted_model_scores(folder: Path, tmp_path: Path) -> None:
    """The file is whole, says what it was fitted on, has the digest that is given back, and puts the fleet on top."""
    out = tmp_path / "mine.json"
    digest = fit(folder, out)
    assert load_model(out).sha256 == digest == json.loads(out.read_text(encoding="utf-8"))["sha256"]
    assert [log["n_accounts"] for log in load_model(out).fitted_on["logs"]] == [38, 38]
    settings = load(
        ScoreSettings,
        {"input": {"threads": 1}, "detector": {"model": str(out)}, "policy": {"budget": 0.05}},
        where="test",
    )
    run = score([str(folder / "log1.csv")], settings, accounts=folder / "accounts1.csv")
    assert set(run.scored["account_id"].to_pylist()[:8]) == {f"acc{i:03d}" for i in range(30, 38)}
    assert (run.run["model"]["name"], run.run["model"]["sha256"]) == ("combined", digest)


def test_the_same_logs_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Two fits are one file."""
    fit(folder, tmp_path / "1.json")
    fit(folder, tmp_path / "2.json")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


@pytest.mark.parametrize(("truths", "accounts"), [(1, 2), (3, 2), (2, 1), (2, 3), (0, 0)])
def test_files_must_come_in_equal_numbers(folder: Path, tmp_path: Path, truths: int, accounts: int) -> None:
    """One truth per log; accounts for all logs or for none."""
    truth, account = folder / "truth1.csv", folder / "accounts1.csv"
    text = f"2 logs, {truths} --truth, {accounts} --accounts: give one per log"
    with pytest.raises(UsageError, match=text):
        fit(folder, tmp_path / "m.json", truths=[truth] * truths, accounts=[account] * accounts)


def test_an_existing_file_is_kept(folder: Path, tmp_path: Path) -> None:
    """A model is never overwritten."""
    (tmp_path / "m.json").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputNotEmptyError, match=r"m\.json: is there already; give another --out"):
        fit(folder, tmp_path / "m.json")
    assert (tmp_path / "m.json").read_text(encoding="utf-8") == "mine"


def test_a_missing_folder_is_named_before_any_work(tmp_path: Path) -> None:
    """A typing slip in --out is told at once, not after minutes of reading."""
    with pytest.raises(UsageError, match=r"there is no folder '.*nowhere'; make it, or give another --out"):
        fit_logs([Source("missing.csv", tmp_path / "missing")], SETTINGS, tmp_path / "nowhere" / "m.json")


def test_labels_of_another_log_are_refused(folder: Path, tmp_path: Path) -> None:
    """A truth file that names none of the accounts is a mix-up."""
    (tmp_path / "truth.csv").write_text("account_id,is_extraction\nstranger,true\n", encoding="utf-8")
    with pytest.raises(TruthError, match=r"truth.csv: names no account of .*log1.csv"):
        fit(folder, tmp_path / "m.json", truths=[tmp_path / "truth.csv", folder / "truth2.csv"])
    assert not list(tmp_path.glob("*.json*")) and not list(tmp_path.glob(".*"))


def test_accounts_without_label_are_left_out(folder: Path, tmp_path: Path) -> None:
    """Only labelled accounts are learned from."""
    some = draw_truth(draw_log(1)).iloc[20:]
    some.to_csv(tmp_path / "truth.csv", index=False)
    fit(folder, tmp_path / "m.json", truths=[tmp_path / "truth.csv", folder / "truth2.csv"])
    assert load_model(tmp_path / "m.json").fitted_on["logs"][0]["n_accounts"] == 18


def test_a_cohort_left_out_is_as_if_it_had_no_labels(folder: Path, tmp_path: Path) -> None:
    """By name or by hand, the same is learned; the file says which cohort was left out."""
    truth = draw_truth(draw_log(1))
    truth["persona"] = np.where(
        truth.is_extraction, "fleet", np.where(np.arange(len(truth)) % 5 == 0, "tester", "chat")
    )
    truth.to_csv(tmp_path / "all.csv", index=False)
    truth[truth.persona != "tester"].to_csv(tmp_path / "some.csv", index=False)
    log = str(folder / "log1.csv")
    fit_logs([Source(log, tmp_path / "all.csv")], SETTINGS, tmp_path / "name.json", leave_out=["tester"])
    fit_logs([Source(log, tmp_path / "some.csv")], SETTINGS, tmp_path / "hand.json")
    named, by_hand = (json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in ("name", "hand"))
    assert (named["fitted_on"].pop("left_out"), by_hand["fitted_on"].pop("left_out")) == (["tester"], [])
    assert {**named, "sha256": ""} == {**by_hand, "sha256": ""}
    assert named["fitted_on"]["logs"][0]["n_accounts"] < len(truth)


def test_a_cohort_that_no_label_names_is_refused(folder: Path, tmp_path: Path) -> None:
    """A slip in its name would train on the very accounts that were to be left out."""
    source = Source(str(folder / "log1.csv"), folder / "truth1.csv")
    with pytest.raises(UsageError, match=r"--leave-out 'persn': no label names this cohort; nearest: 'person'"):
        fit_logs([source], SETTINGS, tmp_path / "m.json", leave_out=["persn"])
    assert not list(tmp_path.iterdir())


def test_one_class_is_refused(folder: Path, tmp_path: Path) -> None:
    """Labels that are all alike teach nothing, and nothing is written."""
    draw_truth(draw_log(1)).assign(is_extraction=False).to_csv(tmp_path / "truth.csv", index=False)
    with pytest.raises(TruthError, match="the labels hold one class only"):
        fit(
            folder,
            tmp_path / "m.json",
            logs=[str(folder / "log1.csv")],
            truths=[tmp_path / "truth.csv"],
            accounts=[],
        )
    assert [path.name for path in tmp_path.iterdir()] == ["truth.csv"]


def test_an_empty_log_is_refused(folder: Path, tmp_path: Path) -> None:
    """The reader's errors pass through."""
    (tmp_path / "log.csv").write_text("occurred_at,account_id\n", encoding="utf-8")
    with pytest.raises((EmptyInputError, StillwatchError), match=r"log\.csv"):
        fit(folder, tmp_path / "m.json", logs=[str(tmp_path / "log.csv")], truths=[folder / "truth1.csv"], accounts=[])


def test_a_window_is_a_log_of_its_own(tmp_path: Path) -> None:
    """Profiles of a window are those of a log that holds its rows alone, its end left out."""
    log = draw_log(1)
    begin = pd.Timestamp(log.occurred_at.min()).floor("D")
    end = begin + pd.Timedelta(days=1)
    write_log(log, tmp_path / "whole.csv")
    at = pd.to_datetime(log.occurred_at)
    assert 0 < ((at >= begin) & (at < end)).sum() < len(log)
    write_log(log[(at >= begin) & (at < end)], tmp_path / "day.csv")
    bounds = tuple(int(x.timestamp()) * 1_000_000 for x in (begin, end))
    states = []
    for name, window_us in (("whole.csv", bounds), ("day.csv", None)):
        with EmbeddedEngine(SETTINGS.input).open([str(tmp_path / name)]) as opened:
            profiles = fold_log(opened, threads=1, window_us=window_us)  # type: ignore[arg-type]
        states.append((profiles.account_ids, profiles.trimmed()["volume"], profiles.trimmed()["rhythm"]))
    assert states[0][0] == states[1][0]
    for one, other in zip(states[0][1:], states[1][1:], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_no_windows_is_whole_logs_alone(folder: Path, tmp_path: Path) -> None:
    """An empty list is allowed, another model comes of it, and the file says which windows were used."""
    assert lengths_of("") == []
    sources = [Source(str(folder / "log1.csv"), folder / "truth1.csv")]
    whole = fit_logs(sources, SETTINGS, tmp_path / "whole.json", windows=[])
    both = fit_logs(sources, SETTINGS, tmp_path / "both.json", windows=[1])
    assert whole != both
    assert load_model(tmp_path / "whole.json").fitted_on["windows_days"] == []
    assert load_model(tmp_path / "both.json").fitted_on["windows_days"] == [1]
