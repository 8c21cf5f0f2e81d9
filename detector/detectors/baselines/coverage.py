"""Coverage: how much of the space of prompts an account, or a coalition of accounts, has been to.

Prompts fall into `CELLS` cells by the first bits of their sketch. From a window of w distinct prompts the expected
number of cells of any m of them follows without drawing (rarefaction), with n_c prompts of the window in cell c:

    E[cells(m)] = sum over cells of 1 - C(w - n_c, m) / C(w, m)

The slope of that curve in doubly logarithmic scale, between half the window and all of it, is carried on to the
number of distinct prompts that the profile tells of (Heaps' law), and r cells so reached fill CELLS (1 - exp(-r /
CELLS)) of those there are. The score is the rank of that number within the log. A cluster's profile is the merge of
its members', so a coalition that splits the work is measured as one, as the source has it.

Differs from the paper: a language model has no leaves whose volume could be summed, so cells stand in for the input
space, hashed rather than bounded by polyhedra. The number of cells is that of the adaptation CAP, whose published
settings weigh coverage .05, novelty .35 and spread .45 and whose formulas were not at hand. Weak because volume rules
it: the largest honest programs cover the most.

References
----------
Kesarwani, Mukhoty, Arya, Mehta, "Model extraction warning in MLaaS paradigm" (ACSAC 2018, arXiv:1711.07221): coverage
of users and coalitions. Liu, Guo, Dong (arXiv:2606.05725), settings of their CAP: 2,048 buckets, high side.
Hurlbert, "The nonconcept of species diversity" (Ecology 1971): rarefaction.
"""

import numpy as np

from detector.detectors.base import Detector
from detector.detectors.baselines.ranked import make_ranked
from detector.detectors.baselines.windows import WINDOW, Sketches, over_windows
from detector.features.extras import Extra, States
from detector.features.registry import Values
from detector.profiles.sketches import count_sampled
from detector.settings import DetectorSettings

CELL_BITS = 11
CELLS = 2**CELL_BITS
_HALF = WINDOW // 2


def _missed(m: int) -> Values:
    """Give the chance that m of the window's prompts leave a cell of n out, for n from 0; shape (WINDOW + 1,)."""
    from scipy.special import comb

    return np.asarray(comb(WINDOW - np.arange(WINDOW + 1), m) / comb(WINDOW, m), np.float64)


def cells_of(windows: Sketches, m: int) -> Values:
    """Expect the number of cells that m of a window's prompts fall into; shape (n,)."""
    cell = windows[:, :, 0] >> np.uint64(64 - CELL_BITS)
    together = (cell[:, :, None] == cell[:, None, :]).sum(axis=2)
    return np.asarray(((1 - _missed(m)[together]) / together).sum(axis=1), np.float64)


def _start(windows: Sketches) -> Values:
    return np.log2(cells_of(windows, WINDOW))


def _slope(windows: Sketches) -> Values:
    return np.log2(cells_of(windows, WINDOW) / cells_of(windows, _HALF))


def _compute(states: States, everyone: States) -> Values:
    start, slope = over_windows(_start, states), over_windows(_slope, states)
    beyond = np.log2(np.maximum(count_sampled(states["queries"].prompt_hash) / WINDOW, 1.0))
    reach = np.exp2(start + slope * beyond)
    return CELL_BITS + np.log2(-np.expm1(-reach / CELLS))


STATISTIC = Extra(
    name="cells_reached",
    family="content",
    unit="log2",
    level=3,
    needs=("prompt",),
    slices=("queries",),
    meaning=f"cells of the space of prompts that it has reached, of {CELLS:,}",
    compute=_compute,
)


def coverage(settings: DetectorSettings) -> Detector:
    """Make the detector; parameter `two_sided`, false unless given."""
    return make_ranked("coverage", STATISTIC, settings, is_two_sided=False)
