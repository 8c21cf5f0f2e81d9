"""Decoys hide nobody: what acts as one is judged as one, too, whatever else its instruments were lent to."""

import numpy as np
import pandas as pd
import pytest

from detector.detectors.base import Reference, Verdict
from detector.settings import ScoreSettings
from detector.subjects import Subjects, describe, without_dilution
from tests.detector.features.small_logs import folded
from tests.detector.profiles.test_moments import DAY_S, log_by

N_FLEET, N_DECOYS = 6, 18


class ByAnswers:
    """Scores by the length of answers, and the other way round for a sign of -1."""

    name = "by_answers"

    def __init__(self, sign: float, *, is_of_log: bool = False) -> None:
        self.sign = sign
        self.reference = Reference(10, np.array([0.0]), np.array([0.5]), is_of_log=is_of_log)

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score."""
        families = {"answer_length": "content"}
        return Verdict(0.0, self.sign * features[["answer_length"]], families, self.reference)


@pytest.fixture(scope="module")
def subjects() -> Subjects:
    """Describe a fleet in lock-step, whose card decoys pay by, among a town."""
    rng = np.random.default_rng(3)
    rounds = rng.uniform(0, 14 * DAY_S, 100)
    times = {f"fleet{i}": rounds + rng.uniform(0, 0.5, 100) for i in range(N_FLEET)}
    for name, n in (("decoy", N_DECOYS), ("town", 30)):
        times |= {f"{name}{i:02d}": rng.integers(0, 14, 40) * DAY_S + rng.normal(14, 3, 40) * 3600 for i in range(n)}
    log = log_by(times)
    is_fleet, is_town = (log.account_id.str.startswith(name) for name in ("fleet", "town"))
    log["payment_id"] = np.where(is_town, "of " + log.account_id, "lent")
    log["output_tokens"] = np.where(is_fleet, 2000, 50)
    return describe(folded(log), ScoreSettings())


def test_a_core_is_what_acts_as_one(subjects: Subjects) -> None:
    """The card ties decoys and fleet into one cluster; its core is the fleet alone, and decoys have none."""
    names = np.array(subjects.profiles.account_ids)
    of_card, of_fleet = ~np.char.startswith(names, "town"), np.char.startswith(names, "fleet")
    assert len(set(subjects.cluster[of_card])) == 1
    assert (subjects.cluster_size[of_card] == N_FLEET + N_DECOYS).all()
    assert len(set(subjects.core[of_fleet])) == 1
    assert (np.bincount(subjects.core)[subjects.core[~of_fleet]] == 1).all()


def test_decoys_hide_nobody(subjects: Subjects) -> None:
    """Judged with its decoys the fleet looks mild; it is judged by itself, as if nobody else paid by its card."""
    judged = without_dilution(subjects, ByAnswers(1.0))
    is_fleet = np.array([name.startswith("fleet") for name in subjects.profiles.account_ids])
    assert (judged.cluster_size[is_fleet] == N_FLEET).all()
    assert (judged.pooled["answer_length"][is_fleet] > subjects.pooled["answer_length"][is_fleet]).all()
    assert judged.pooled[~is_fleet].equals(subjects.pooled[~is_fleet])


def test_a_core_that_looks_milder_stays_with_its_cluster(subjects: Subjects) -> None:
    """Nobody gets off by acting as one: where the whole is worse, the whole is judged."""
    judged = without_dilution(subjects, ByAnswers(-1.0))
    assert np.array_equal(judged.cluster, subjects.cluster)
    assert judged.pooled.equals(subjects.pooled)


def test_a_detector_that_measures_by_the_log_judges_whole_clusters(subjects: Subjects) -> None:
    """Its scores of some accounts alone would mean nothing beside those of all."""
    assert without_dilution(subjects, ByAnswers(1.0, is_of_log=True)) is subjects
