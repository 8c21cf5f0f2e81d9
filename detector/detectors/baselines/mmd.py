"""MMD: an account's prompts against everyone's, by a kernel two-sample statistic.

Unbiased MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y), k the mean of four RBF kernels with sigma at 1/2, 1, 2 and 4
times the median distance; x are the prompts of a window, y those of all accounts of the log, each account weighing
alike. k is taken by random Fourier features, so that one pass over the prompts suffices: O(n D) instead of O(n^2).

The null has the sample size and the very statistic of the test: every account's window of `WINDOW` prompts against
the same reference, ranked within the log. (The published null draws one reference where the test averages twenty, so
that a threshold at 5 % behaved like one at .3 %.) What is tested against is other accounts, not draws from all
prompts together: no real account asks like a random mix of all, and with that null everyone would be flagged.

Differs from the paper: sketches of words instead of a sentence encoder, 32 prompts instead of 1,500, and the log
itself as the reference instead of traffic known to be benign. Weak where honest customers are specialists: each is
far from the mean of all.

References
----------
Gretton, Borgwardt, Rasch, Schoelkopf, Smola, "A kernel two-sample test" (JMLR 2012): the statistic.
Liu, Guo, Dong, arXiv:2606.05725 (2026): on prompts, with these kernels.
Rahimi, Recht, "Random features for large-scale kernel machines" (NIPS 2007).
"""

from collections.abc import Callable

import numpy as np

from detector.detectors.base import Detector
from detector.detectors.baselines.ranked import make_ranked
from detector.detectors.baselines.windows import WINDOW, Sketches, differing_bits, directions, over_windows, windows_of
from detector.features.extras import Extra, States
from detector.features.registry import Values
from detector.profiles.queries import BITS
from detector.profiles.sketches import FREE
from detector.settings import DetectorSettings

#: Widths of the kernels over the median distance: the paper's.
WIDTHS = (0.5, 1.0, 2.0, 4.0)
#: Random features of each kernel. Chosen: their error, 1 / sqrt(64), is averaged over 496 pairs.
FEATURES_EACH = 64
_SEED = 7
#: Windows of prompts that the median distance is taken from. Chosen.
_REFERENCE_WINDOWS = 256
Map = Callable[[Values], Values]


def _median_distance(everyone: States) -> float:
    """Give the median distance between two prompts of the log; those of smallest hash stand for all."""
    queries = everyone["queries"]
    kept, first = np.unique(queries.prompt_hash.ravel(), return_index=True)
    first = first[kept != FREE][: _REFERENCE_WINDOWS * WINDOW]
    whole = len(first) // WINDOW * WINDOW
    # Windows of prompts of neighbouring hash, that is, of prompts drawn at random.
    mixed = np.stack([queries.low.ravel()[first], queries.high.ravel()[first]], axis=-1)[:whole].reshape(-1, WINDOW, 2)
    bits = differing_bits(mixed)[:, *np.triu_indices(WINDOW, 1)]
    # Unit vectors of signs that differ in h of B places are sqrt(4 h / B) apart.
    return float(np.sqrt(4 * np.median(bits) / BITS)) if bits.size else 0.0


def _kernel_map(everyone: States) -> Map | None:
    """Give the random features of the mean kernel; None where no window of the log sets a width."""
    from sklearn.kernel_approximation import RBFSampler

    middle = _median_distance(everyone)
    if middle == 0 or next(windows_of(everyone), None) is None:
        return None
    samplers = [
        RBFSampler(gamma=0.5 / (width * middle) ** 2, n_components=FEATURES_EACH, random_state=_SEED + i).fit(
            np.zeros((1, BITS))
        )
        for i, width in enumerate(WIDTHS)
    ]

    def mapped(points: Values) -> Values:
        flat = points.reshape(-1, BITS)
        features = np.concatenate([s.transform(flat) for s in samplers], axis=1) / np.sqrt(len(samplers))
        return features.reshape(*points.shape[:-1], -1)

    return mapped


def _compute(states: States, everyone: States) -> Values:
    mapped = _kernel_map(everyone)
    if mapped is None:
        return np.full(len(states["queries"].prompt_hash), np.nan)
    means = np.concatenate([mapped(directions(windows)).mean(axis=1) for _, windows in windows_of(everyone)])
    reference = means.mean(axis=0)

    def discrepancy(windows: Sketches) -> Values:
        features = mapped(directions(windows))
        sums, squares = features.sum(axis=1), (features**2).sum(axis=(1, 2))
        within = ((sums**2).sum(axis=1) - squares) / (WINDOW * (WINDOW - 1))
        return np.asarray(within + reference @ reference - 2 * (sums / WINDOW) @ reference, np.float64)

    return over_windows(discrepancy, states)


STATISTIC = Extra(
    name="mean_discrepancy",
    family="content",
    unit="MMD^2",
    level=3,
    needs=("prompt",),
    slices=("queries",),
    meaning="how far its prompts are from everyone's, as two samples",
    compute=_compute,
)


def mmd(settings: DetectorSettings) -> Detector:
    """Make the detector; parameter `two_sided`, false unless given."""
    return make_ranked("mmd", STATISTIC, settings, is_two_sided=False)
