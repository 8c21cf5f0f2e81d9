"""A sample of distinct prompts with sketches: bottom-k of what was asked, distances as angles between bags of words."""

import numpy as np
import pandas as pd
import pytest

from detector.profiles.queries import BITS, KEPT
from detector.profiles.sketches import FREE
from detector.profiles.store import Profiles
from tests.detector.features.small_logs import log_of
from tests.detector.worlds import to_batch


def folded(prompts: list[str | None]) -> Profiles:
    """Fold the prompts of one account."""
    frame = log_of([float(i) for i in range(len(prompts))], prompt=pd.Series(prompts, dtype=object))
    profiles = Profiles(tuple(frame.columns), wanted=("queries",))
    profiles.fold(to_batch(frame))
    return profiles


def sketches(prompts: list[str]) -> np.ndarray:
    """Give the bits of each prompt's sketch, in the order given; shape (n, BITS)."""
    found = []
    for prompt in prompts:
        state = folded([prompt]).states["queries"]
        assert state.prompt_hash[0, 0] != FREE
        words = np.array([state.low[0, 0], state.high[0, 0]], np.uint64)
        found.append(np.unpackbits(words.view(np.uint8)))
    return np.array(found)


def words(rng: np.random.Generator, n: int) -> list[str]:
    """Draw made-up words."""
    return ["".join(rng.choice(list("abcdefghijklmnop"), size=9)) for _ in range(n)]


def test_the_sample_is_of_distinct_prompts() -> None:
    """Each distinct prompt is kept once, however often it came, and no more than `KEPT` of them."""
    few = folded(["tell about rivers", "tell about trains", "tell about rivers"]).states["queries"]
    assert (few.prompt_hash[0] != FREE).sum() == 2
    many = folded([f"tell about number{i}" for i in range(3 * KEPT)])
    assert (many.states["queries"].prompt_hash[0] != FREE).sum() == KEPT


def test_the_sample_is_the_smallest_hashes() -> None:
    """It keeps what the text slice's bottom-k sample of prompts keeps, so both tell of the same prompts."""
    states = folded([f"tell about number{i}" for i in range(3 * KEPT)]).states
    np.testing.assert_array_equal(states["queries"].prompt_hash[0], states["text"].prompt_hash[0])


@pytest.mark.parametrize("prompts", [[None], [""], ["?!", "a b c"]])
def test_a_prompt_without_a_topic_word_is_passed_over(prompts: list[str | None]) -> None:
    """What has no word of four bytes has no direction, so it is near to nothing."""
    assert (folded(prompts).states["queries"].prompt_hash[0] == FREE).all()


def test_case_marks_and_word_order_do_not_matter() -> None:
    """The same bag of words gives the same votes; ties fall by the prompt itself, so an odd number of words is used."""
    one, other = sketches(["Explain river DELTAS", "deltas (explain) -- River?"])
    np.testing.assert_array_equal(one, other)


def test_distance_is_the_angle_between_bags_of_words() -> None:
    """Half of the words in common is a cosine of .5 and 60 degrees: a third of the bits; nothing in common is half."""
    rng = np.random.default_rng(3)
    half, apart = [], []
    for _ in range(40):
        common, left, right = words(rng, 10), words(rng, 10), words(rng, 10)
        one, other, stranger = sketches([" ".join(common + left), " ".join(common + right), " ".join(words(rng, 20))])
        half.append((one != other).mean())
        apart.append((one != stranger).mean())
    error = 3 * 0.5 / np.sqrt(40 * BITS)
    assert np.mean(half) == pytest.approx(1 / 3, abs=error + 0.01)
    assert np.mean(apart) == pytest.approx(1 / 2, abs=error)


def test_short_prompts_do_not_look_alike_for_their_ties() -> None:
    """With two words half of the votes are ties; strangers still differ in half of the bits."""
    rng = np.random.default_rng(4)
    pairs = [sketches([" ".join(words(rng, 2)), " ".join(words(rng, 2))]) for _ in range(40)]
    assert np.mean([(one != other).mean() for one, other in pairs]) == pytest.approx(0.5, abs=0.03)


def test_both_ends_are_read_and_nothing_between() -> None:
    """Behind a kilobyte of instructions the question still counts; what stands a kilobyte from either end does not."""
    long = "alpha gamma deltas " * 60
    middle = sketches([long + "north" + long, long + "south" + long])
    np.testing.assert_array_equal(*middle)
    questions = sketches([long + "north winds " * 30, long + "south seas " * 30])
    assert (questions[0] != questions[1]).mean() > 0.1


def test_no_byte_is_read_twice() -> None:
    """In a prompt between one and two kilobytes each word votes once, so their order does not matter."""
    rng = np.random.default_rng(9)
    some = [word[:7] for word in words(rng, 151)]  # with its space a word is 8 bytes, so none is cut at the kilobyte
    assert 1024 < len(" ".join(some)) < 2048
    one, other = sketches([" ".join(some), " ".join(rng.permutation(some))])
    np.testing.assert_array_equal(one, other)
