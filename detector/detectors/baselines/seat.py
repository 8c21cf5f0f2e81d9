"""SEAT: extraction asks the same thing again with small changes, so pairs of near-equal queries give it away.

The share of the pairs of a window of prompts whose sketches differ in at most `NEAR_BITS` of 128 bits. SEAT cancels
an account when the share of flagged queries passes a bound; here the score is the rank of the share within the log.

Differs from the paper: its encoder is trained on images and their adversarial changes; the sketch of a prompt is a
SimHash of its words, with the bound in use for near-duplicate web pages, and exact repeats do not count, since a
window holds distinct prompts. Weak here because honest programs fill templates: they ask in near-duplicates all day.

References
----------
Zhang, Chen, Wagner, "SEAT: Similarity encoder by adversarial training for detecting model extraction attack queries"
(AISec 2021, doi:10.1145/3474369.3486863): pairs, share, cancelling accounts.
Manku, Jain, Das Sarma, "Detecting near-duplicates for web crawling" (WWW 2007): 3 of 64 bits.
"""

import numpy as np

from detector.detectors.base import Detector
from detector.detectors.baselines.ranked import make_ranked
from detector.detectors.baselines.windows import WINDOW, Sketches, differing_bits, over_windows
from detector.features.extras import Extra, States
from detector.features.registry import Values
from detector.settings import DetectorSettings

#: Three bits of 64, for sketches of 128.
NEAR_BITS = 6


def _near_share(windows: Sketches) -> Values:
    near = (differing_bits(windows) <= NEAR_BITS).sum(axis=(1, 2)) - WINDOW
    return np.asarray(near / (WINDOW * (WINDOW - 1)), np.float64)


def _compute(states: States, everyone: States) -> Values:
    return over_windows(_near_share, states)


STATISTIC = Extra(
    name="near_pair_share",
    family="content",
    unit="",
    level=3,
    needs=("prompt",),
    slices=("queries",),
    meaning="share of pairs of distinct prompts that are nearly the same",
    compute=_compute,
)


def seat(settings: DetectorSettings) -> Detector:
    """Make the detector; parameter `two_sided`, false unless given."""
    return make_ranked("seat", STATISTIC, settings, is_two_sided=False)
