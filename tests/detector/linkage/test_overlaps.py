"""Pairs that share columns are counted as the product of the table with itself counts them."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from detector.linkage import overlaps as module
from detector.linkage.overlaps import in_blocks, overlaps


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 3), st.sampled_from([1, 2]))
def test_pairs_are_those_of_the_product(seed: int, least: int, n_ranks: int, threads: int) -> None:
    """At each rank, of the columns up to it, the pairs and counts are the upper triangle of rows times rows."""
    rng = np.random.default_rng(seed)
    held = rng.random((23, 40)) < 0.3
    rank = rng.integers(0, n_ranks, 40)
    told = []

    def keep(first: "np.ndarray", second: "np.ndarray", n: "np.ndarray", at: "np.ndarray") -> "np.ndarray":  # type: ignore[type-arg]
        told.extend(zip(at.tolist(), first.tolist(), second.tolist(), n.tolist(), strict=True))
        return n % 2 == 0

    with patch.object(module, "_BLOCK", 5):
        pairs = overlaps(sparse.csc_array(held.astype(np.int8)), rank, least, keep, threads=threads)
    expected = []
    for at in range(int(rank.max()) + 1):
        product = np.triu(held[:, rank <= at].astype(int) @ held[:, rank <= at].T, k=1)
        expected += [(at, i, j, product[i, j]) for i, j in np.argwhere(product >= least).tolist()]
    assert sorted(expected) == sorted(told)
    assert sorted((i, j) for _, i, j, n in expected if n % 2 == 0) == sorted(
        zip(*(p.tolist() for p in pairs), strict=True)
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_come_in_their_order(threads: int) -> None:
    """Every row is in one block, and blocks come as if one thread had worked."""
    assert list(in_blocks(lambda begin, end: (begin, end), 10, 4, threads)) == [(0, 4), (4, 8), (8, 10)]
    assert list(in_blocks(lambda begin, end: (begin, end), 0, 4, threads)) == []
