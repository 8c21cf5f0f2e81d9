"""Windows of made-up sketches, for statistics that are checked by hand."""

import numpy as np

from detector.detectors.baselines.windows import WINDOW, Sketches


def random_windows(seed: int, n: int = 1) -> Sketches:
    """Draw windows of prompts that have nothing to do with one another; shape (n, WINDOW, 2)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**64, size=(n, WINDOW, 2), dtype=np.uint64)


def with_near(windows: Sketches, n: int, *, bits: int = 1) -> Sketches:
    """Put the first n prompts of each window so close together that each differs from the first in `bits` bits."""
    near = windows.copy()
    for j in range(1, n):
        near[:, j] = near[:, 0]
        near[:, j, 1] ^= np.uint64(((1 << bits) - 1) << (j % 8) * 8)
    return near
