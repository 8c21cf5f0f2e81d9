"""Text by hand: what one pass over the bytes finds, against plain Python."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles.sketches import count_distinct
from detector.profiles.store import Profiles
from detector.profiles.text import CLASSES, HEAD_BYTES, UNIT


def text_of(prompts: list[str | None]) -> object:
    """Fold prompts of one account, a second apart."""
    n = len(prompts)
    times = pa.array(np.arange(n) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch({"occurred_at": times, "account_id": ["a"] * n, "prompt": pa.array(prompts, pa.string())})
    profiles = Profiles(("occurred_at", "account_id", "prompt"))
    profiles.fold(batch)
    return profiles.states["text"]


def words_of(text: str) -> list[bytes]:
    """Split as the kernel should: letters, digits, apostrophes and non-ASCII bytes of the head."""
    return re.findall(rb"[A-Za-z0-9'\x80-\xff]+", text.encode()[:HEAD_BYTES])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_words_and_classes_agree_with_python(prompt: str) -> None:
    """Words, capitals, digits and non-ASCII bytes are those that a regular expression finds."""
    state = text_of([prompt])
    head = prompt.encode()[:HEAD_BYTES]
    expected = [len(re.findall(p, head)) for p in (rb"[A-Z]", rb"[0-9]", rb"[\n\r]")]
    assert state.n_words[0] == len(words_of(prompt))
    assert state.classes[0, :3].tolist() == expected
    assert state.classes[0, CLASSES.index("other")] == sum(b >= 128 for b in head)
    assert state.n_bytes[0] == len(prompt.encode())


@pytest.mark.parametrize(
    ("prompt", "counter"),
    [
        ("could you Please help", "n_please"),
        ("PLEASE", "n_please"),
        ("What should I do?", "n_first_person"),
        ("I've lost it", "n_first_person"),
        ("give me that", "n_first_person"),
        ("lower case start", "n_lower_start"),
        ("No closing mark", "n_open_end"),
        ("Two\nlines.", "n_multiline"),
    ],
)
def test_mess_is_seen(prompt: str, counter: str) -> None:
    """Each habit of people is counted in its own counter."""
    assert getattr(text_of([prompt]), counter)[0] == 1


@pytest.mark.parametrize("prompt", ["pleased pleas", "In me-time? My.".replace("me", "mi").replace("My", "Mu"), "Io."])
def test_near_words_are_not_mess(prompt: str) -> None:
    """Words that merely begin alike do not count."""
    state = text_of([prompt])
    assert state.n_please[0] == state.n_first_person[0] == 0


def test_repeats_are_counted_exactly_when_few() -> None:
    """Below the sample's size every distinct prompt keeps its exact count."""
    state = text_of(["a"] * 5 + ["b"] * 3 + ["c"])
    counts = sorted(state.prompt_count[0][state.prompt_count[0] > 0].tolist())
    assert counts == [1, 3, 5]


def test_sum_of_unit_vectors_gives_mean_similarity() -> None:
    """Two like prompts and one unlike: (|s|^2 - n) / (n (n - 1)) is the mean over the three pairs, here 1/3."""
    state = text_of(["granite mountain ridge", "granite mountain ridge", "violin concerto sonata"])
    square = ((state.vector[0] / UNIT) ** 2).sum()
    mean = (square - 3) / 6
    assert mean == pytest.approx(1 / 3, abs=0.25)
    same = text_of(["granite mountain ridge"] * 4)
    assert ((same.vector[0] / UNIT) ** 2).sum() == pytest.approx(16, rel=1e-4)


def test_case_does_not_split_words() -> None:
    """A word in capitals is the same word."""
    one, other = text_of(["Granite MOUNTAIN"]), text_of(["granite mountain"])
    np.testing.assert_array_equal(one.vocabulary, other.vocabulary)


def test_vocabulary_is_estimated() -> None:
    """Two thousand distinct words are counted within three standard errors of 1.04 / sqrt(512)."""
    prompts = [" ".join(f"word{i * 20 + j}" for j in range(20)) for i in range(100)]
    estimate = count_distinct(text_of(prompts).vocabulary)[0]
    assert abs(estimate / 2000 - 1) < 3 * 1.04 / np.sqrt(512)


def test_nulls_are_not_prompts() -> None:
    """A null prompt is absent; an empty one is a prompt without words."""
    state = text_of([None, ""])
    assert (state.n_prompts[0], state.n_words[0]) == (1, 0)


def test_a_giant_prompt_is_read_to_the_head_only() -> None:
    """Words past the head do not count; length does."""
    state = text_of(["word " * 100_000])
    assert state.n_bytes[0] == 500_000
    assert state.n_words[0] == len(words_of("word " * 100_000))


def test_no_text_is_kept() -> None:
    """Nothing in the profile holds a prompt's bytes."""
    secret = "correct-horse-battery-staple"
    state = text_of([secret] * 3)
    assert not any(secret[:8].encode() in np.ascontiguousarray(array).tobytes() for array in state)
