"""Sketches: exact while small, within their stated error when large, and mergeable without loss."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles.hashing import hash_strings, mix64, unmix64
from detector.profiles.sketches import FREE, add_to_sample, count_sampled, merge_samples

K = 16
Sample = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]


def sample_of(values: list[int]) -> Sample:
    """Put numbers into a bottom-k sample."""
    hashes, counts = np.full(K, FREE), np.zeros(K, np.uint32)
    for value in values:
        add_to_sample(hashes, counts, np.uint64(mix64(np.uint64(value))), np.uint32(1))
    return hashes, counts


def merged(*samples: Sample) -> Sample:
    """Merge samples into one."""
    hashes, counts = np.stack([s[0] for s in samples]), np.stack([s[1] for s in samples])
    out_hashes, out_counts = np.full((1, K), FREE), np.zeros((1, K), np.uint32)
    merge_samples(hashes, counts, np.array([0, len(samples)]), out_hashes, out_counts)
    return out_hashes[0], out_counts[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60)), st.lists(st.integers(1, 60)), st.lists(st.integers(1, 60)))
def test_merge_is_the_sample_of_the_union(a: list[int], b: list[int], c: list[int]) -> None:
    """However parts are joined, hashes and counts are those of the whole."""
    whole = sample_of(a + b + c)
    for joined in (
        merged(sample_of(a), sample_of(b), sample_of(c)),
        merged(merged(sample_of(c), sample_of(a)), sample_of(b)),
    ):
        np.testing.assert_array_equal(whole[0], joined[0])
        np.testing.assert_array_equal(whole[1], joined[1])


@pytest.mark.parametrize("n", [0, 1, K - 1])
def test_few_things_are_counted_exactly(n: int) -> None:
    """Below k the estimate is the count."""
    assert count_sampled(sample_of(list(range(1, n + 1)))[0][None])[0] == n


def test_many_things_are_estimated() -> None:
    """A thousand things come out within three standard errors, on average over 40 draws much closer."""
    estimates = [count_sampled(sample_of(list(range(s, s + 1000)))[0][None])[0] for s in range(1, 80_000, 2000)]
    assert abs(np.mean(estimates) / 1000 - 1) < 3 / np.sqrt((K - 2) * len(estimates))


@given(st.integers(0, 2**64 - 1))
def test_mix_is_a_bijection(x: int) -> None:
    """A fingerprint of a number gives the number back."""
    assert unmix64(int(mix64(np.uint64(x)))) == x


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_hash_depends_on_the_bytes_alone(texts: list[bytes]) -> None:
    """Equal strings hash alike wherever they lie in the buffer, and unlike ones do not meet here."""
    data = np.frombuffer(b"".join(texts) + b"\0", np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts])]).astype(np.int64)
    hashes = hash_strings(offsets, data).tolist()
    alone = [int(hash_strings(np.array([0, len(t)]), np.frombuffer(t + b"\xff", np.uint8))[0]) for t in texts]
    assert hashes == alone
    assert len(set(hashes)) == len(set(texts))
