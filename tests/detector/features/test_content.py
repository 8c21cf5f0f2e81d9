"""Content by hand: what is asked, how often, how alike, and what comes back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features.catalogue import FEATURES
from tests.detector.features.small_logs import feature, features_of, log_of

TEXT_FEATURES = [f.name for f in FEATURES.values() if f.needs == ("prompt",)]


def asks(prompts: list[str | None]) -> "object":
    """Make a log of one account with these prompts."""
    return log_of(list(range(len(prompts))), prompt=np.array(prompts, dtype=object))


def distinct_openings(n: int, seed: int = 0) -> list[str]:
    """Draw prompts no two of which begin alike."""
    words = np.random.default_rng(seed).integers(10**6, 10**9, size=(n, 5))
    return [" ".join(f"w{w}" for w in row) for row in words]


def test_one_template_opens_alike() -> None:
    """Prompts from one template share opening and closing entirely."""
    log = asks([f"Write an essay about topic{i} in the style that everybody likes" for i in range(20)])
    assert feature(log, "opening_share") == 1.0
    assert feature(log, "closing_share") == 1.0


def test_two_templates_meet_half_of_the_time() -> None:
    """Half of the prompts from each of two templates: 2 x (10 x 9) of 20 x 19 pairs meet."""
    log = asks([f"Write an essay about {i}" if i % 2 else f"Give three reasons why {i}" for i in range(20)])
    expected = (180 / 380 - 1 / 64) / (1 - 1 / 64)
    assert feature(log, "opening_share") == pytest.approx(expected)


@pytest.mark.parametrize("n", [10, 40, 300])
def test_opening_share_does_not_grow_with_requests(n: int) -> None:
    """Distinct openings give about 0 on average, however many there are; chance meetings in buckets are taken out."""
    shares = [feature(asks(distinct_openings(n, seed)), "opening_share") for seed in range(12)]
    assert np.mean(shares) < 0.02


def test_one_prompt_opens_with_nobody() -> None:
    """A single prompt has no pair."""
    assert np.isnan(feature(asks(["one two three"]), "opening_share"))


def test_self_similarity_of_copies_is_one() -> None:
    """The same prompt ten times has cosine 1 with itself; distinct words have about 0."""
    assert feature(asks(["quantum lattice entropy"] * 10), "self_similarity") == pytest.approx(1.0, abs=1e-5)
    assert abs(feature(asks(distinct_openings(200)), "self_similarity")) < 0.03


def test_self_similarity_of_two_halves() -> None:
    """Five copies of each of two unrelated prompts: 2 x 20 of 90 pairs are equal, the rest as they are."""
    one, other = "quantum lattice entropy", "letter kitchen soup"
    alone = feature(asks([one, other] * 4), "self_similarity")
    cross = (alone * 56 - 2 * 12) / 32
    assert feature(asks([one, other] * 5), "self_similarity") == pytest.approx((40 + 50 * cross) / 90, abs=1e-5)


def test_repeats_count_the_same_question() -> None:
    """Eight questions asked four times each are repeated 2**2 times; all of them are repeated."""
    prompts = [f"question number {i}" for i in range(8)] * 4
    assert feature(asks(prompts), "repeats") == 2.0
    assert feature(asks(prompts), "repeated_share") == 1.0
    assert feature(asks(prompts[:8]), "repeats") == 0.0
    assert feature(asks(prompts[:10]), "repeated_share") == 0.25


def test_style_shares_are_of_prompts() -> None:
    """Two of eight prompts each: lower-case start, first person, please, open end, several lines."""
    lower, first, polite = ["why is that."] * 2, ["Tell me it."] * 2, ["Go on please\nnow"] * 2
    log = asks(lower + first + polite + ["Say it."] * 2)
    found = features_of(log).iloc[0]
    names = ["lower_start_share", "first_person_share", "please_share", "open_end_share", "multiline_share"]
    assert found[names].tolist() == [0.25] * 5


def test_class_shares_are_of_bytes() -> None:
    """A prompt of ten bytes: two capitals, three digits, one line end, one mark."""
    found = features_of(asks(["ABc 123\nd."] * 8)).iloc[0]
    names = ["upper_share", "digit_share", "newline_share", "punctuation_share", "foreign_share"]
    assert found[names].tolist() == pytest.approx([0.2, 0.3, 0.1, 0.1, 0.0])


def test_prompt_length_is_the_median() -> None:
    """Prompts of 64 bytes: the place begins at 64."""
    assert feature(asks(["x" * 64] * 9), "prompt_length") == pytest.approx(np.log10(65))


def test_length_spread_is_in_octaves() -> None:
    """As many prompts of 16 as of 64 bytes lie one octave from their middle."""
    assert feature(asks(["x" * 16, "y" * 64] * 5), "length_spread") == pytest.approx(1.0)


def test_template_growth_runs_from_none_to_one() -> None:
    """One opening in ten prompts grows by 0, ten in ten by 1."""
    assert feature(asks(["the same opening here"] * 10), "template_growth") == 0.0
    assert feature(asks(distinct_openings(10)), "template_growth") == pytest.approx(1.0)


def test_vocabulary_growth_needs_a_hundred_words() -> None:
    """A vocabulary of one word does not grow; below a hundred words nothing is said."""
    assert feature(asks(["word " * 12] * 10), "vocabulary_growth") < 0.01
    assert feature(asks(distinct_openings(40)), "vocabulary_growth") == pytest.approx(1.0, abs=0.03)
    assert np.isnan(feature(asks(["word " * 9] * 10), "vocabulary_growth"))


def test_answer_ratio_is_of_the_median_request() -> None:
    """Answers as long as questions give about 0, eight times as long .9; one giant answer moves the total only."""
    even = log_of([1, 2, 3], input_tokens=100, output_tokens=[100, 100, 100])
    assert feature(even, "answer_ratio") == pytest.approx(0.0, abs=2e-3)
    assert feature(even.assign(output_tokens=800), "answer_ratio") == pytest.approx(np.log10(8), abs=1e-3)
    giant = even.assign(output_tokens=[100, 100, 99_800])
    assert feature(giant, "answer_ratio") == feature(even, "answer_ratio")
    assert feature(giant, "paid_ratio") == pytest.approx(np.log10(100_000 / 300))


def test_answer_length_and_spread() -> None:
    """Answers of 256 tokens have the place that begins there and no spread."""
    log = log_of([1, 2, 3], output_tokens=256)
    assert feature(log, "answer_length") == pytest.approx(np.log10(257))
    assert feature(log, "answer_spread") == 0.0
    assert np.isnan(feature(log_of([1], output_tokens=256), "answer_spread"))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=2, max_size=20), st.integers(1, 6))
def test_scaled_tokens_scale_lengths_and_keep_ratios(tokens: list[tuple[int, int]], doublings: int) -> None:
    """All counts doubled k times: answers are k octaves longer, ratios and spreads stay."""
    asked, answered = np.array(tokens).T
    log = log_of(list(range(len(tokens))), input_tokens=asked, output_tokens=answered)
    scaled = log.assign(input_tokens=asked * 2**doublings, output_tokens=answered * 2**doublings)
    before, after = features_of(log).iloc[0], features_of(scaled).iloc[0]
    for name in ("answer_ratio", "paid_ratio", "answer_spread"):
        assert after[name] == pytest.approx(before[name], abs=1e-9)
    assert 10**after.answer_length - 1 == pytest.approx((10**before.answer_length - 1) * 2**doublings)


def test_context_carried_is_tokens_beyond_the_prompt() -> None:
    """40 bytes are 10 tokens: 10 asked tokens carry nothing, 1000 carry a hundredfold."""
    log = log_of([1, 2], prompt="x" * 40, input_tokens=10)
    assert feature(log, "context_carried") == pytest.approx(0.0)
    assert feature(log.assign(input_tokens=1000), "context_carried") == pytest.approx(2.0)


def test_system_share_counts_requests() -> None:
    """One request in four has a system prompt."""
    log = log_of([1, 2, 3, 4], system_prompt=np.array(["Be brief.", None, None, None], dtype=object))
    assert feature(log, "system_share") == 0.25


def test_sampling_parameters() -> None:
    """Shares are of the requests that state the parameter, and NaN for an account that states none."""
    log = log_of(
        [1, 2, 3, 4, 5],
        account_id=["a", "a", "a", "a", "b"],
        output_tokens=[100, 96, 50, 10, 7],
        max_output_tokens=np.array([100, 100, 100, None, None], dtype=object),
        temperature=[0.5, 1.0, np.nan, np.nan, np.nan],
        n_choices=np.array([4, 8, None, None, None], dtype=object),
        wants_logprobs=np.array([True, False, None, None, None], dtype=object),
    )
    found = features_of(log)[["at_limit_share", "temperature", "choices", "logprobs_share"]]
    assert found.loc["a"].tolist() == pytest.approx([2 / 3, 0.75, 6.0, 0.5])
    assert found.loc["b"].isna().all()


def test_refused_share() -> None:
    """A content filter is a refusal, a stop is none."""
    log = log_of([1, 2, 3, 4], finish_reason=["stop", "content_filter", "stop", "refusal"])
    assert feature(log, "refused_share") == 0.5


@pytest.mark.parametrize("name", TEXT_FEATURES)
def test_an_account_without_prompts_has_no_style(name: str) -> None:
    """Where an account never sends text, or too little of it, style is NaN and not 0."""
    log = log_of(
        list(range(9)), account_id=["a"] * 8 + ["b"], prompt=np.array(["Tell me why it is."] * 8 + [None], dtype=object)
    )
    assert np.isnan(features_of(log)[name]["b"])


def covered(n_typed: int, n_clean: int, **columns: Any) -> Any:
    """Make a log of typed prompts of 16 bytes on one line and clean ones of 64 bytes on two, without a closing mark."""
    typed, clean = "what should I do", f"{'Name a river of':<31}\n{'that great land and say where':<30}it"
    assert (len(typed), len(clean)) == (16, 64)
    prompts = [typed] * n_typed + [clean] * n_clean
    return log_of(list(range(len(prompts))), prompt=np.array(prompts, dtype=object), **columns)


def test_a_harvest_stands_out_from_its_cover() -> None:
    """Clean prompts are two octaves longer than typed ones and all of several lines, whatever the share of either."""
    for n_typed, n_clean in ((8, 8), (90, 10), (10, 90)):
        log = covered(n_typed, n_clean)
        assert feature(log, "length_contrast") == pytest.approx(2.0)
        assert feature(log, "multiline_contrast") == 1.0
        assert feature(log, "open_end_contrast") == 0.0


def test_open_ends_are_compared_between_kinds() -> None:
    """Three of four clean prompts and one of four typed ones close with a mark: -.5."""
    prompts = (["Name a river."] * 3 + ["Name a river"] + ["may I go"] * 3 + ["may I go?"]) * 4
    assert feature(asks(prompts), "open_end_contrast") == pytest.approx(-0.5)


def test_there_is_no_contrast_with_an_anecdote() -> None:
    """Below eight prompts of either kind nothing is compared."""
    for n_typed, n_clean in ((7, 50), (50, 7), (0, 50), (50, 0)):
        assert np.isnan(feature(covered(n_typed, n_clean), "length_contrast"))


def test_clean_requests_do_not_move_the_answers_to_typed_ones() -> None:
    """Sixteen bytes are four tokens: answers of 32 are three octaves, whatever clean prompts get."""
    answers = [32] * 10 + [4000] * 40
    log = covered(10, 40, output_tokens=answers, input_tokens=[9] * 50)
    assert feature(log, "typed_answer_ratio") == pytest.approx(3.0)
