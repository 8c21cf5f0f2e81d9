"""Models trained on different logs are judged side by side, on the same accounts and the same features."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.errors import InputUnreadableError, TruthError, UsageError
from detector.training import Labelled
from simulations.benchmark.transfer import lines, read_labelled, transfer
from simulations.generate import generate
from tests.simulations.conftest import Scenario

RATE = 0.05


@pytest.fixture(scope="module")
def logs(make_scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> list[Labelled]:
    """Three small logs of the same world."""
    folder = tmp_path_factory.mktemp("transfer")
    for seed in (1, 2, 3):
        generate(make_scenario(seed=seed), folder / str(seed))
    return [read_labelled(folder / str(seed)) for seed in (1, 2, 3)]


def shuffled(logs: Sequence[Labelled]) -> list[Labelled]:
    """The same logs with features that belong to other accounts."""
    draw = np.random.default_rng(1)
    return [
        replace(log, features=log.features.iloc[draw.permutation(len(log.features))].set_axis(log.features.index))
        for log in logs
    ]


def test_same_world_carries_over_and_noise_does_not(logs: list[Labelled]) -> None:
    """A model of the same world ranks harvests above honest accounts; one that learned nothing does not."""
    found = transfer({"same": logs[:2], "noise": shuffled(logs[:2])}, logs[2:], rate=RATE)
    models = found["cohorts"]["all"]["models"]
    assert models["same"]["auc"] > 0.9
    assert models["same"]["auc"] > models["noise"]["auc"] + 0.1
    assert set(found["cohorts"]) == {"all", "bulk_harvest", "fleet"}


def test_equal_training_gives_equal_figures(logs: list[Labelled]) -> None:
    """Two models of the same logs lose nothing against each other, in whatever order they are named."""
    found = transfer({"one": logs[:1], "other": logs[:1]}, logs[1:], rate=RATE)
    for cohort in found["cohorts"].values():
        assert cohort["models"]["one"] == cohort["models"]["other"]
        assert cohort["models"]["one"]["low"] <= cohort["models"]["one"]["recall"] <= cohort["models"]["one"]["high"]
    assert found["cohorts"]["fleet"]["n_accounts"] == 24


def test_no_model_learns_what_judged_logs_lack(logs: list[Labelled]) -> None:
    """A feature that one log lacks is out for all: figures are those of logs that never had it."""
    bare = [replace(log, features=log.features.drop(columns=["temperature", "age"])) for log in logs]
    expected = transfer({"model": bare[:2]}, bare[2:], rate=RATE)
    assert expected == transfer({"model": logs[:2]}, bare[2:], rate=RATE)
    assert expected["n_features"] == transfer({"model": logs[:2]}, logs[2:], rate=RATE)["n_features"] - 2


def test_lines_name_every_campaign_and_model(logs: list[Labelled]) -> None:
    """The text has one line per campaign under one line of models."""
    written = lines(transfer({"a": logs[:1], "b": logs[1:2]}, logs[2:], rate=RATE))
    assert written[0].split()[-2:] == ["a", "b"]
    assert [line.split()[0] for line in written[1:]] == ["all", "bulk_harvest", "fleet"]


def test_what_cannot_be_shown_is_refused(logs: list[Labelled], tmp_path: Path) -> None:
    """Too few honest accounts, no logs, one class or a folder without a log: each says what to give."""
    with pytest.raises(UsageError, match=r"honest accounts cannot show a false-positive rate of 0\.001"):
        transfer({"model": logs[:1]}, logs[1:])
    with pytest.raises(UsageError, match="needs logs to judge on"):
        transfer({"model": []}, logs, rate=RATE)
    honest = replace(logs[0], rows=logs[0].rows.assign(is_extraction=False))
    with pytest.raises(TruthError, match="one class only"):
        transfer({"model": [honest]}, logs[1:], rate=RATE)
    with pytest.raises(InputUnreadableError, match="holds no events or no truth"):
        read_labelled(tmp_path)
