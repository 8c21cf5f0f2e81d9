"""Detectors of users: classes and commands give scores, or say plainly why not."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.errors import ConfigError, UnknownDetectorError
from simulations.benchmark.candidates import BadScoresError, as_verdict, broken_promises, check_scores, make_candidate
from simulations.benchmark.digests import detector_digest
from simulations.benchmark.suite import DetectorSpec

HERE = "tests.simulations.benchmark.brought"
FEATURES = pd.DataFrame(
    {"requests_per_day": [3.0, 1.0, 8.0, np.nan], "age": [1.0, 2.0, 3.0, 4.0]}, index=["a", "b", "=c", "d,e"]
)
PROGRAM = """
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
with open(sys.argv[2], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["account_id", "score"])
    out.writerows([row["account_id"], row["requests_per_day"] or 0] for row in rows)
"""


def command(tmp_path: Path, program: str, *, timeout_s: float = 20.0):
    """A program as a detector."""
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    words = (sys.executable, str(tmp_path / "program.py"), "{features}", "{scores}")
    return make_candidate(DetectorSpec(id="program", command=words), timeout_s=timeout_s)


def test_a_command_reads_features_and_writes_scores(tmp_path: Path) -> None:
    """Scores come back in the order of the accounts, whatever their names hold."""
    verdict = command(tmp_path, PROGRAM).judge(FEATURES, 3)
    assert verdict.scores.tolist() == [3.0, 1.0, 8.0, 0.0]
    assert verdict.contributions.index.equals(FEATURES.index)


@pytest.mark.parametrize(
    ("program", "match"),
    [
        ("raise SystemExit(4)", "the program ended with 4"),
        ("", "wrote no table"),
        ("import time; time.sleep(60)", "took longer than 1 s"),
        (PROGRAM.replace('row["account_id"]', '"other"'), "scores of the wrong accounts"),
        (PROGRAM.replace("or 0", "and 'nan'"), "scores are not finite numbers"),
    ],
)
def test_a_bad_command_is_told(tmp_path: Path, program: str, match: str) -> None:
    """What fails, is slow or writes something else is refused with the reason."""
    with pytest.raises(BadScoresError, match=match):
        command(tmp_path, program, timeout_s=1.0 if "sleep" in program else 20.0).judge(FEATURES, 3)


def test_a_missing_program_is_told() -> None:
    """A command that is not there does not start."""
    with pytest.raises(BadScoresError, match="does not start"):
        make_candidate(DetectorSpec(id="x", command=("absent-program",)), timeout_s=1.0).judge(FEATURES, 3)


def test_a_class_takes_its_parameters_and_keeps_its_promises() -> None:
    """A user's class is made with the parameters of the suite; the checks find nothing to say of a good one."""
    spec = DetectorSpec(id="mine", object=f"{HERE}:Fast", parameters={"missed": 0.3})
    scores = make_candidate(spec, timeout_s=1.0).judge(FEATURES, 3).scores
    assert scores[2] == scores.min()
    good = make_candidate(DetectorSpec(id="mine", object=f"{HERE}:Fast"), timeout_s=1.0)
    assert broken_promises(good, FEATURES, 3) == []
    loud = make_candidate(DetectorSpec(id="loud", object=f"{HERE}:Loud"), timeout_s=1.0)
    assert broken_promises(loud, FEATURES, 3) and "secret" not in " ".join(broken_promises(loud, FEATURES, 3))


def test_what_cannot_be_made_is_refused() -> None:
    """No module, no class, foreign parameters or nothing that judges: each is told before anything runs."""
    for place in ("absent_module:Fast", f"{HERE}:Absent"):
        with pytest.raises(UnknownDetectorError, match="cannot be imported"):
            make_candidate(DetectorSpec(id="x", object=place), timeout_s=1.0)
    with pytest.raises(ConfigError, match=r"refuses \['power'\]"):
        make_candidate(DetectorSpec(id="x", object=f"{HERE}:Fast", parameters={"power": 2}), timeout_s=1.0)
    with pytest.raises(ConfigError, match="has no judge"):
        make_candidate(DetectorSpec(id="x", object="collections:OrderedDict"), timeout_s=1.0)


def test_a_changed_package_is_another_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a class is not used when a module beside it changes, or its parameters."""
    package = tmp_path / "kept_rules"
    package.mkdir()
    for name in ("__init__", "volume", "beside"):
        (package / f"{name}.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    spec = DetectorSpec(id="x", object="kept_rules.volume:Volume")
    before = detector_digest(spec)
    assert detector_digest(spec) == before != detector_digest(spec.model_copy(update={"parameters": {"power": 2}}))
    (package / "beside.py").write_text("LEAST = 3", encoding="utf-8")
    assert detector_digest(spec) != before


def test_what_are_no_scores_is_refused() -> None:
    """Other accounts, another order, another shape, text and constants rank nobody."""
    right = pd.Series([1.0, 2.0, 3.0, 4.0], index=FEATURES.index)
    assert as_verdict(right, FEATURES, "x").scores.tolist() == [1.0, 2.0, 3.0, 4.0]
    for said, match in (
        (right.iloc[::-1], "they are in another order"),
        (right.iloc[:2], "2 are missing and 0 unknown"),
        (np.ones((4, 2)), r"shape \(4, 2\) and 4 accounts"),
        (["a", "b", "c", "d"], "list, which are no scores"),
        (right.replace(2.0, np.inf), "1 of 4 scores are not finite"),
    ):
        with pytest.raises(BadScoresError, match=match):
            as_verdict(said, FEATURES, "x")
    with pytest.raises(BadScoresError, match="the same score"):
        check_scores(np.ones(4))
