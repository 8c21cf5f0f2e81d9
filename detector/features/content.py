"""Content: what is asked and how it is answered. Nothing here can give a prompt back."""

from typing import Any

import numpy as np

from detector.features.registry import Feature, Values, collision_share, histogram_quantile, log_spread, ratio
from detector.profiles.kinds import KINDS, OCTAVE
from detector.profiles.sampling import RATIO_PLACES, RATIO_UNIT, TEMPERATURE_UNIT, TOKEN_PLACES
from detector.profiles.sketches import count_distinct, count_sampled
from detector.profiles.slices import half_octave_floor
from detector.profiles.store import sampled
from detector.profiles.text import CLASSES, LENGTH_PLACES, UNIT

#: Below this an account's style is anecdote.
_MIN_PROMPTS = 8
_BYTES_PER_TOKEN = 4.0


def _share(count: str, of: str = "n_prompts") -> Any:
    def compute(states: dict[str, Any]) -> Values:
        text = states["text"]
        return np.where(text.n_prompts >= _MIN_PROMPTS, ratio(getattr(text, count), getattr(text, of)), np.nan)

    return compute


def _class_share(name: str) -> Any:
    def compute(states: dict[str, Any]) -> Values:
        text = states["text"]
        share = ratio(text.classes[:, CLASSES.index(name)], text.n_head_bytes)
        return np.where(text.n_prompts >= _MIN_PROMPTS, share, np.nan)

    return compute


def _length(states: dict[str, Any]) -> Values:
    middle = histogram_quantile(states["text"].lengths, half_octave_floor(LENGTH_PLACES), 0.5)
    return np.log10(middle + 1)


def _length_spread(states: dict[str, Any]) -> Values:
    return np.where(states["text"].n_prompts >= _MIN_PROMPTS, log_spread(states["text"].lengths), np.nan)


def _opening_share(states: dict[str, Any]) -> Values:
    return collision_share(states["text"].openings)


def _closing_share(states: dict[str, Any]) -> Values:
    return collision_share(states["text"].closings)


def _repeats(states: dict[str, Any]) -> Values:
    _, counts = sampled(states["text"], "prompt")
    kept = (counts > 0).sum(axis=1)
    return np.log2(ratio(counts.sum(axis=1), kept))


def _repeated_share(states: dict[str, Any]) -> Values:
    _, counts = sampled(states["text"], "prompt")
    return ratio((counts > 1).sum(axis=1), (counts > 0).sum(axis=1))


def _vocabulary(states: dict[str, Any]) -> Values:
    text = states["text"]
    words = np.maximum(text.n_words, 1)
    growth = np.log(np.maximum(count_distinct(text.vocabulary), 1)) / np.log(np.maximum(words, 3))
    return np.where(text.n_words >= 100, growth, np.nan)


def _templates(states: dict[str, Any]) -> Values:
    hashes, _ = sampled(states["text"], "template")
    n = states["text"].n_prompts
    return np.where(n >= _MIN_PROMPTS, np.log(np.maximum(count_sampled(hashes), 1)) / np.log(np.maximum(n, 2)), np.nan)


def _similarity(states: dict[str, Any]) -> Values:
    text = states["text"]
    n = text.n_vectors.astype(np.float64)
    square = ((text.vector / UNIT) ** 2).sum(axis=1)
    return np.where(n >= _MIN_PROMPTS, ratio(square - n, n * (n - 1)), np.nan)


def _kind_mean(kind: str, total: str, of: str, unit: float) -> Any:
    k = KINDS.index(kind)

    def compute(states: dict[str, Any]) -> Values:
        n = getattr(states["text"], of)[:, k]
        return np.where(n >= _MIN_PROMPTS, ratio(getattr(states["text"], total)[:, k] / unit, n), np.nan)

    return compute


def _contrast(total: str, unit: float) -> Any:
    clean, typed = (_kind_mean(kind, total, "kind_prompts", unit) for kind in ("clean", "typed"))
    return lambda states: clean(states) - typed(states)


def _word_length(states: dict[str, Any]) -> Values:
    return _share("n_head_bytes", "n_words")(states)


def _answer_length(states: dict[str, Any]) -> Values:
    return np.log10(histogram_quantile(states["sampling"].outputs, half_octave_floor(TOKEN_PLACES), 0.5) + 1)


def _answer_spread(states: dict[str, Any]) -> Values:
    return log_spread(states["sampling"].outputs)


def _answer_ratio(states: dict[str, Any]) -> Values:
    floors = half_octave_floor(RATIO_PLACES) / RATIO_UNIT
    return np.log10(histogram_quantile(states["sampling"].ratios, floors, 0.5) + 1 / RATIO_UNIT)


def _paid_ratio(states: dict[str, Any]) -> Values:
    volume = states["volume"]
    return np.log10(np.maximum(ratio(volume.output_tokens, volume.input_tokens), 1e-3))


def _context(states: dict[str, Any]) -> Values:
    text, volume = states["text"], states["volume"]
    return np.log10(np.maximum(ratio(volume.input_tokens * _BYTES_PER_TOKEN, text.n_bytes), 0.1))


def _system_share(states: dict[str, Any]) -> Values:
    return ratio(states["text"].n_with_system, states["volume"].n_requests)


def _at_limit(states: dict[str, Any]) -> Values:
    return ratio(states["sampling"].n_at_limit, states["sampling"].n_with_limit)


def _temperature(states: dict[str, Any]) -> Values:
    total = states["sampling"].temperature_sum * TEMPERATURE_UNIT
    return ratio(total, states["sampling"].n_with_temperature)


def _choices(states: dict[str, Any]) -> Values:
    return ratio(states["sampling"].choices, states["sampling"].n_with_choices)


def _logprobs(states: dict[str, Any]) -> Values:
    return ratio(states["sampling"].n_wants_logprobs, states["sampling"].n_with_logprobs)


def _refused(states: dict[str, Any]) -> Values:
    return ratio(states["volume"].n_refused, states["volume"].n_requests)


_TEXT = ("prompt",)
_OUT = ("output_tokens",)
_BOTH = ("input_tokens", "output_tokens")
FEATURES = (
    Feature("prompt_length", "content", "log10 bytes", 0, 3, _TEXT, "median length of a prompt", _length),
    Feature(
        "length_spread",
        "content",
        "octaves",
        -1,
        3,
        _TEXT,
        "spread of prompt length; people vary, pools do not",
        _length_spread,
    ),
    Feature(
        "lower_start_share",
        "content",
        "",
        -1,
        3,
        _TEXT,
        "share of prompts that begin in lower case, as people type",
        _share("n_lower_start"),
    ),
    Feature(
        "first_person_share",
        "content",
        "",
        -1,
        3,
        _TEXT,
        "share of prompts that say I, my or me",
        _share("n_first_person"),
    ),
    Feature("please_share", "content", "", -1, 3, _TEXT, "share of prompts that say please", _share("n_please")),
    Feature(
        "open_end_share", "content", "", 0, 3, _TEXT, "share of prompts without a closing mark", _share("n_open_end")
    ),
    Feature(
        "multiline_share", "content", "", 0, 3, _TEXT, "share of prompts of more than one line", _share("n_multiline")
    ),
    Feature(
        "length_contrast",
        "content",
        "octaves",
        0,
        3,
        _TEXT,
        "how much longer prompts are without what people type (I, please, a lower-case start) than those with it",
        _contrast("kind_octaves", OCTAVE),
    ),
    Feature(
        "multiline_contrast",
        "content",
        "",
        0,
        3,
        _TEXT,
        "share of several lines among prompts without what people type, less that among those with it",
        _contrast("kind_multiline", 1),
    ),
    Feature(
        "open_end_contrast",
        "content",
        "",
        0,
        3,
        _TEXT,
        "share without a closing mark among prompts without what people type, less that among those with it",
        _contrast("kind_open_end", 1),
    ),
    Feature(
        "typed_answer_ratio",
        "content",
        "log2",
        0,
        3,
        ("prompt", "output_tokens"),
        "answer to question tokens of prompts with what people type: I, please, a lower-case start",
        _kind_mean("typed", "kind_ratio", "kind_answered", OCTAVE),
    ),
    Feature("upper_share", "content", "", 0, 3, _TEXT, "capitals per byte", _class_share("upper")),
    Feature("digit_share", "content", "", 0, 3, _TEXT, "digits per byte", _class_share("digit")),
    Feature("newline_share", "content", "", 0, 3, _TEXT, "line ends per byte", _class_share("newline")),
    Feature("punctuation_share", "content", "", 0, 3, _TEXT, "punctuation per byte", _class_share("punctuation")),
    Feature("foreign_share", "content", "", 0, 3, _TEXT, "bytes outside ASCII, per byte", _class_share("other")),
    Feature("word_length", "content", "bytes", 0, 3, _TEXT, "bytes per word", _word_length),
    Feature(
        "opening_share",
        "content",
        "",
        0,
        3,
        _TEXT,
        "chance that two prompts open with the same three words",
        _opening_share,
    ),
    Feature("closing_share", "content", "", 0, 3, _TEXT, "chance that two prompts close alike", _closing_share),
    Feature(
        "template_growth", "content", "", 0, 3, _TEXT, "how fast new openings appear; 1 is one a prompt", _templates
    ),
    Feature("repeats", "content", "log2", 1, 3, _TEXT, "how often a distinct prompt is asked", _repeats),
    Feature(
        "repeated_share", "content", "", 0, 3, _TEXT, "share of distinct prompts asked more than once", _repeated_share
    ),
    Feature(
        "vocabulary_growth",
        "content",
        "",
        1,
        3,
        _TEXT,
        "how fast new words appear: log of distinct by log of all",
        _vocabulary,
    ),
    Feature("self_similarity", "content", "", 0, 3, _TEXT, "mean cosine similarity of two of its prompts", _similarity),
    Feature("answer_length", "content", "log10 tokens", 1, 1, _OUT, "median length of an answer", _answer_length),
    Feature("answer_spread", "content", "octaves", 0, 1, _OUT, "spread of answer length", _answer_spread),
    Feature(
        "answer_ratio", "content", "log10", 1, 1, _BOTH, "answer to question tokens, median request", _answer_ratio
    ),
    Feature(
        "paid_ratio", "content", "log10", 1, 0, _BOTH, "answer to question tokens, all requests together", _paid_ratio
    ),
    Feature(
        "context_carried",
        "content",
        "log10",
        -1,
        3,
        ("prompt", "input_tokens"),
        "question tokens beyond the prompt: a conversation so far",
        _context,
    ),
    Feature(
        "system_share", "content", "", 0, 3, ("system_prompt",), "share of requests with a system prompt", _system_share
    ),
    Feature(
        "at_limit_share",
        "content",
        "",
        1,
        1,
        ("max_output_tokens", "output_tokens"),
        "share of answers that fill the asked limit",
        _at_limit,
    ),
    Feature("temperature", "content", "", 0, 1, ("temperature",), "mean temperature asked for", _temperature),
    Feature("choices", "content", "answers/request", 1, 1, ("n_choices",), "answers asked for per request", _choices),
    Feature(
        "logprobs_share",
        "content",
        "",
        1,
        1,
        ("wants_logprobs",),
        "share of requests that ask for log-probabilities",
        _logprobs,
    ),
    Feature("refused_share", "content", "", 1, 1, ("finish_reason",), "share of requests refused", _refused),
)
