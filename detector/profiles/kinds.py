"""Requests by kind, so that what a harvest asks is not averaged away in the chat that covers it.

A request is *typed* when it carries the mess of people, and *clean* when not. That depends on the request alone,
so kinds merge like all else. Sums of each kind are folded by the pass over text in `profiles.text`.
"""

from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import NULL_INT
from detector.profiles.slices import Field, counter

KINDS = ("typed", "clean")
#: One octave in fixed point, so that sums do not depend on the order.
OCTAVE = 1024
#: Question tokens are told from bytes: a conversation so far, sent along, is not what is asked.
BYTES_PER_TOKEN = 4.0

#: By kind: prompts, the sum of log2 of their bytes, those of several lines, those without a closing mark, those with a
#: known answer length, and the sum over these of log2 of answer tokens by question tokens.
FIELDS = (
    counter("kind_prompts", len(KINDS)),
    Field("kind_octaves", np.int64, len(KINDS)),
    counter("kind_multiline", len(KINDS)),
    counter("kind_open_end", len(KINDS)),
    counter("kind_answered", len(KINDS)),
    Field("kind_ratio", np.int64, len(KINDS)),
)


@njit(cache=True, inline="always")
def kind_of(begins_lower: Any, n_first_person: Any, n_please: Any) -> Any:
    """Give the kind of a request, as an index into `KINDS`."""
    return 0 if begins_lower or n_first_person > 0 or n_please > 0 else 1


@njit(cache=True, inline="always")
def octaves(x: Any) -> Any:
    """Give log2 of a number above 0 in units of 1 / `OCTAVE`."""
    return np.int64(np.rint(OCTAVE * np.log2(x)))


@njit(cache=True, inline="always")
def answer_ratio(answered: Any, n_bytes: Any) -> Any:
    """Give answer to question tokens; an empty answer counts as one token. `n_bytes` is above 0."""
    return BYTES_PER_TOKEN * max(answered, 1) / n_bytes


@njit(cache=True, inline="always")
def is_answered(answered: Any) -> Any:
    """Tell whether the log knows how long the answer was."""
    return answered != NULL_INT
