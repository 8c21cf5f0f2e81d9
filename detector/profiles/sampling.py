"""How answers are drawn: token counts on a log scale, answer to question ratio, temperature, choices, limits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from detector.profiles.batch import NULL_INT, Batch
from detector.profiles.slices import Field, Slice, counter, half_octave, state_type

TOKEN_PLACES = 40
#: Ratios of answer to question tokens are held as 256 x ratio: place 17 begins at a ratio of 1.
RATIO_PLACES = 36
RATIO_UNIT = 256
#: An answer this close to the asked limit counts as having hit it.
AT_LIMIT = 0.95
#: Temperatures are summed in whole millionths: such sums do not depend on their order. Chosen.
TEMPERATURE_UNIT = 10**-6
#: Beyond this none is meant seriously, and a sum might overflow. Chosen.
_HOTTEST = 1e6
#: Columns that few logs have; a row is not looked up in them for nothing.
_RARE = ("max_output_tokens", "temperature", "n_choices", "wants_logprobs")


def _prepare(batch: Batch) -> Sequence[Any]:
    return (
        batch.integers("input_tokens"),
        batch.integers("output_tokens"),
        batch.integers("max_output_tokens"),
        batch.floats("temperature"),
        batch.integers("n_choices"),
        batch.floats("wants_logprobs"),
        batch.is_bucketed,
        any(map(batch.has, _RARE)),
    )


@njit(cache=True, nogil=True)
def _fold(
    state: Any,
    account: Any,
    rows: Any,
    asked: Any,
    answered: Any,
    limit: Any,
    temperature: Any,
    choices: Any,
    logprobs: Any,
    is_bucketed: Any,
    has_rare: Any,
) -> None:
    # Taken apart once, as in `profiles.text`.
    (inputs, outputs, ratios, n_with_limit, n_at_limit, n_with_temperature) = state[:6]
    (temperature_sum, temperature_min, temperature_max) = state[6:9]
    (n_with_choices, total_choices, n_with_logprobs, n_wants_logprobs) = state[9:]
    for i in rows:
        a = account[i]
        if is_bucketed[i]:
            continue
        if asked[i] != NULL_INT:
            inputs[a, half_octave(asked[i], TOKEN_PLACES)] += 1
        if answered[i] != NULL_INT:
            outputs[a, half_octave(answered[i], TOKEN_PLACES)] += 1
            if asked[i] != NULL_INT:
                ratio = answered[i] * RATIO_UNIT // max(asked[i], 1)
                ratios[a, half_octave(ratio, RATIO_PLACES)] += 1
        if not has_rare:
            continue
        if limit[i] != NULL_INT:
            n_with_limit[a] += 1
            if answered[i] != NULL_INT and answered[i] >= AT_LIMIT * limit[i]:
                n_at_limit[a] += 1
        if not np.isnan(temperature[i]):
            n_with_temperature[a] += 1
            temperature_sum[a] += np.int64(np.rint(min(max(temperature[i], -_HOTTEST), _HOTTEST) / TEMPERATURE_UNIT))
            temperature_min[a] = min(temperature_min[a], temperature[i])
            temperature_max[a] = max(temperature_max[a], temperature[i])
        if choices[i] != NULL_INT:
            n_with_choices[a] += 1
            total_choices[a] += choices[i]
        if not np.isnan(logprobs[i]):
            n_with_logprobs[a] += 1
            n_wants_logprobs[a] += 1 if logprobs[i] > 0 else 0


_FIELDS = (
    counter("inputs", TOKEN_PLACES),
    counter("outputs", TOKEN_PLACES),
    counter("ratios", RATIO_PLACES),
    counter("n_with_limit"),
    counter("n_at_limit"),
    counter("n_with_temperature"),
    counter("temperature_sum"),
    Field("temperature_min", np.float64, merge="min", fill=np.inf),
    Field("temperature_max", np.float64, merge="max", fill=-np.inf),
    counter("n_with_choices"),
    counter("choices"),
    counter("n_with_logprobs"),
    counter("n_wants_logprobs"),
)
SamplingState = state_type("SamplingState", __name__, _FIELDS)
SLICE = Slice(
    name="sampling",
    fields=_FIELDS,
    state_type=SamplingState,
    needs=("input_tokens", "output_tokens", "max_output_tokens", "temperature", "n_choices", "wants_logprobs"),
    prepare=_prepare,
    kernel=_fold,
)
