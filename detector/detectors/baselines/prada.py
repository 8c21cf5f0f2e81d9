"""PRADA: queries made for extraction lie at unnatural distances from one another.

For every query the distance to its nearest other one; those beyond three standard deviations of their mean are
dropped; the Shapiro-Wilk statistic W of what is left says how normal they are, and PRADA alarms where W falls below
.95. Here the score is the rank of 1 - W within the log, from both ends: on prompts of language models a harvest can
be *more* normal than people are (published for an adaptation: found .78 of pure harvests two-sided, .29 one-sided).

Differs from the paper: distances are between sketches of a random window of `WINDOW` distinct prompts instead of
between images in order of time (a sample that merges has no order), the paper asks for 100 distances, and there are
no predicted classes to keep apart. Weak where prompts are free text: distances of honest bulk work are as odd as
those of a harvest.

References
----------
Juuti, Szyller, Marchal, Asokan, "PRADA: Protecting against DNN model stealing attacks" (EuroS&P 2019,
arXiv:1805.02628): statistic, three standard deviations, threshold. Liu, Guo, Dong (arXiv:2606.05725): both sides,
ranked to a benign null.
"""

import numpy as np

from detector.detectors.base import Detector
from detector.detectors.baselines.ranked import make_ranked
from detector.detectors.baselines.windows import WINDOW, Sketches, differing_bits, over_windows
from detector.features.extras import Extra, States
from detector.features.registry import Values
from detector.profiles.queries import BITS
from detector.settings import DetectorSettings

#: Distances farther from their mean, in standard deviations, are dropped: the paper's.
OUTLYING = 3.0


def nearest_distances(windows: Sketches) -> Values:
    """Give each prompt's distance to the nearest other one, as a share of bits; shape (n, WINDOW)."""
    bits = differing_bits(windows)
    bits[:, np.arange(WINDOW), np.arange(WINDOW)] = BITS
    return bits.min(axis=2) / BITS


def _abnormality(windows: Sketches) -> Values:
    """Give 1 - W; NaN where all distances are the same, of which W says nothing."""
    from scipy.stats import shapiro

    distances = nearest_distances(windows)
    middle, spread = distances.mean(axis=1, keepdims=True), distances.std(axis=1, keepdims=True)
    kept = np.where(np.abs(distances - middle) <= OUTLYING * spread, distances, np.nan)
    out = np.full(len(windows), np.nan)
    varied = np.flatnonzero(np.nanmax(kept, axis=1) > np.nanmin(kept, axis=1))
    if len(varied):
        out[varied] = 1.0 - shapiro(kept[varied], axis=1, nan_policy="omit").statistic
    return out


def _compute(states: States, everyone: States) -> Values:
    return over_windows(_abnormality, states)


STATISTIC = Extra(
    name="nearest_abnormality",
    family="content",
    unit="",
    level=3,
    needs=("prompt",),
    slices=("queries",),
    meaning="1 - W of the distances of its prompts to their nearest: 0 is a normal law",
    compute=_compute,
)


def prada(settings: DetectorSettings) -> Detector:
    """Make the detector; parameter `two_sided`, true unless given."""
    return make_ranked("prada", STATISTIC, settings, is_two_sided=True)
