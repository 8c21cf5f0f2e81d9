"""SEAT on prompts: the share of near-equal pairs, by hand and on a log."""

import pytest

from detector.detectors.base import extras_of
from detector.detectors.baselines.seat import NEAR_BITS, _near_share
from detector.detectors.baselines.windows import WINDOW
from detector.detectors.registry import make_detector
from detector.settings import DetectorSettings
from tests.detector.detectors.baselines.windows import random_windows, with_near
from tests.detector.features.small_logs import features_with, log_of


def test_share_by_hand() -> None:
    """Of four prompts within two bits of one another all six pairs count; of strangers none does."""
    assert _near_share(random_windows(1)).tolist() == [0.0]
    assert _near_share(with_near(random_windows(1), 4))[0] == pytest.approx(6 / (WINDOW * (WINDOW - 1) / 2))


def test_the_bound_is_kept() -> None:
    """At the bound a pair counts, beyond it not."""
    assert _near_share(with_near(random_windows(1), 2, bits=NEAR_BITS))[0] > 0
    assert _near_share(with_near(random_windows(1), 2, bits=NEAR_BITS + 1))[0] == 0


def test_small_changes_to_one_question_rank_first() -> None:
    """Who asks one long question with a number changed each time outscores who asks of many things."""
    question = "please derive the gradient of this kernel bound and prove every lemma about lattices along the way "
    rows = [("changer", question * 3 + f"case {i}") for i in range(40)]
    topics = ["river", "train", "letter", "recipe", "python", "garden", "winter", "music"]
    rows += [("asker", f"tell about {topics[i % 8]}{i} and its {topics[i // 8]}{i}") for i in range(40)]
    frame = log_of([float(i) for i in range(80)], account_id=[a for a, _ in rows], prompt=[p for _, p in rows])
    detector = make_detector(DetectorSettings(name="seat"))
    features = features_with(frame, extras_of(detector))
    scores = dict(zip(features.index, detector.judge(features, 3).scores, strict=True))
    assert features.near_pair_share["changer"] == 1.0
    assert scores["changer"] > 0 > scores["asker"]
